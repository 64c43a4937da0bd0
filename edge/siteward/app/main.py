"""Entry of the long-running processes: dispatched before the command-line library is imported (ruling 27)."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine, Sequence

from siteward.app.options import parse_process
from siteward.model.errors import SitewardError

PROCESSES = ("core", "sync", "panel", "sim", "platform", "up", "demo")
"""Names that `run` understands."""


def run(arguments: Sequence[str]) -> int:
    """Run one process by name and return its exit status: 0 ended in order, 1 could not go on, 2 bad use."""
    name, rest = arguments[0], arguments[1:]
    options = parse_process(name, rest, os.environ)
    try:
        return asyncio.run(_entry(name)(options))
    except SitewardError as error:
        print(f"siteward {name}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 0


def _entry(name: str) -> Callable[..., Coroutine[object, object, int]]:
    # Each process imports only what it needs: core stays free of FastAPI, the panel of pymodbus (goal 14).
    if name == "core":
        from siteward.app.core import run_core as entry
    elif name == "sync":
        from siteward.app.uplink import run_uplink as entry
    elif name == "panel":
        from siteward.app.pages import run_pages as entry
    elif name == "sim":
        from siteward.app.simulator import run_simulator as entry
    elif name == "platform":
        from siteward.app.platform import run_platform as entry
    else:
        from siteward.app.demo import run_demo as entry
    return entry
