"""Where a process finds its files: folders from the command line, the environment, or the usual places."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PLACES = ("/etc/siteward/site.toml", "/var/lib/siteward", "/run/siteward")
_DEMO_PLACES = ("config/demo/site.toml", ".siteward", ".siteward/run")

_JOBS = {
    "core": "Controls the site: wires, fuses, sessions, journal.",
    "sync": "Carries the journal to the platform, and its commands to core.",
    "panel": "Serves the page for people.",
    "share": "Gives readings to a third party over Modbus TCP.",
    "up": "Runs core, sync, panel and share together, where there is no systemd.",
    "demo": "Runs a simulated site with everything around it, from nothing each time.",
}
"""What each process that people start is for."""

ADDRESS_NAME = "address.txt"
"""File in STATE/panel with the panel's address and the fingerprint of its certificate, written when it listens."""


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """Folders and files of one process."""

    config: Path
    state: Path
    run: Path
    clock_flag: Path | None
    only_ask: bool = False
    """Only say by the exit status whether the site has this process at all."""
    command_keys: Path | None = None
    """Keys whose commands core takes, in place of those that the site file names."""


def parse_process(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> ProcessOptions:
    """Read the options of a long-running process; bad use ends with status 2 and argparse's own words."""
    config, state, run = _DEMO_PLACES if name == "demo" else _PLACES
    parser = argparse.ArgumentParser(prog=f"siteward {name}", description=_JOBS.get(name))
    parser.add_argument("--config", type=Path, default=config, help=f"the site file ({config})")
    parser.add_argument(
        "--state", type=Path, default=environment.get("SITEWARD_STATE", state), help=f"folder of what is kept ({state})"
    )
    parser.add_argument(
        "--run", type=Path, default=environment.get("SITEWARD_RUN", run), help=f"folder of the sockets ({run})"
    )
    parser.add_argument("--clock-flag", type=Path, help="file that exists while the clock is synchronised")
    if name == "core":
        parser.add_argument("--command-keys", type=Path, help="keys whose commands are taken; else as site.toml says")
    if name == "share":
        parser.add_argument("--configured", action="store_true", help="only tell whether the site shares: 0 yes, 1 no")
    found = parser.parse_args(arguments)
    ask = getattr(found, "configured", False)
    keys = getattr(found, "command_keys", None)
    return ProcessOptions(Path(found.config), Path(found.state), Path(found.run), found.clock_flag, ask, keys)
