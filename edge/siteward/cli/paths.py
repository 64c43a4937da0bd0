"""Where a station keeps its sockets and its state: option, environment, the demo's folder, or the usual place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LOCAL = Path(".siteward")
"""Folder of a demo that runs from the current directory."""

DEMO_MARK = "demo"
"""File in a state folder by which app.demo knows that it made it."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Folders of one station."""

    run: Path
    state: Path

    @property
    def demo(self) -> bool:
        """Whether `siteward demo` made the state folder."""
        return (self.state / DEMO_MARK).is_file()

    @property
    def database(self) -> Path:
        """Core's journal."""
        return self.state / "core" / "siteward.db"

    @property
    def socket(self) -> Path:
        """The socket on which core knows its caller as the command line."""
        return self.run / "cli.sock"


def find_paths(run: Path | None, state: Path | None, environment: Mapping[str, str], here: Path) -> Paths:
    """Take what was given, else SITEWARD_RUN and SITEWARD_STATE, else ./.siteward if it is there, else the system's."""
    local = here / LOCAL
    demo = local.is_dir()
    usual_run = local / "run" if demo else Path("/run/siteward")
    usual_state = local if demo else Path("/var/lib/siteward")
    return Paths(
        run=run or Path(environment.get("SITEWARD_RUN") or usual_run),
        state=state or Path(environment.get("SITEWARD_STATE") or usual_state),
    )
