"""Starts and supervises core, sync, panel and share where there is no systemd."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.runtime.clock import SystemClock
from siteward.runtime.supervisor import Child, Supervisor
from siteward.settings.load import load_settings
from siteward_drivers.registry import load_profiles

STOP_S = 2.0
"""Seconds that children get between the stop and the kill."""


def siteward_child(name: str, options: ProcessOptions, *more: str) -> Child:
    """Return one of our own processes with the folders of this run."""
    places = ("--config", str(options.config), "--state", str(options.state), "--run", str(options.run))
    return Child(name, (sys.executable, "-m", "siteward", name, *places, *more))


def write_pids(run: Path, pids: Mapping[str, int]) -> None:
    """Keep RUN/pids.json: which child has which process id, now."""
    fresh = run / "pids.json.new"
    fresh.write_text(json.dumps(dict(pids)) + "\n", encoding="ascii")
    fresh.replace(run / "pids.json")


async def run_up(options: ProcessOptions) -> int:
    """Run the station's processes until SIGTERM or SIGINT; every child has ended when it returns."""
    stop = stop_on_signals()
    settings = load_settings(options.config, load_profiles(options.config.parent / "profiles"))
    options.run.mkdir(parents=True, exist_ok=True)
    names = ["core", "panel"] if settings.cloud is None and not settings.outputs else ["core", "sync", "panel"]
    names += [] if settings.share is None else ["share"]
    more = () if options.clock_flag is None else ("--clock-flag", str(options.clock_flag))
    children = [siteward_child(name, options, *more) for name in names]
    supervisor = Supervisor(children, SystemClock(), _say, lambda pids: write_pids(options.run, pids))
    await supervisor.run(dict(os.environ), stop, STOP_S)
    return 0


def _say(text: str) -> None:
    print(f"up: {text}", flush=True)  # noqa: T201
