"""Where a process finds its files: folders from the command line, the environment, or the usual places."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """Folders and files of one process."""

    config: Path
    state: Path
    run: Path
    clock_flag: Path | None


def parse_process(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> ProcessOptions:
    """Read the options of a long-running process; bad use ends with status 2 and argparse's own words."""
    parser = argparse.ArgumentParser(prog=f"siteward {name}")
    parser.add_argument("--config", type=Path, default=Path("/etc/siteward/site.toml"), help="the site file")
    parser.add_argument("--state", type=Path, default=environment.get("SITEWARD_STATE", "/var/lib/siteward"))
    parser.add_argument("--run", type=Path, default=environment.get("SITEWARD_RUN", "/run/siteward"))
    parser.add_argument("--clock-flag", type=Path, default=None, help="file that exists while the clock is synchronised")
    found = parser.parse_args(arguments)
    return ProcessOptions(Path(found.config), Path(found.state), Path(found.run), found.clock_flag)
