"""What every campaign keeps of its last run: date, commit, command and figures, as JSON beside it."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from siteward.runtime.clock import SystemClock


def keep(file: Path, command: str, figures: Mapping[str, object]) -> None:
    """Write the figures of a campaign that has just run; a long one gives the `commit` that it began with."""
    head = {"date": SystemClock().wall().isoformat(timespec="seconds"), "commit": commit(), "command": command}
    file.write_text(json.dumps({**head, **figures}, indent=2) + "\n", encoding="utf-8")


def commit() -> str:
    """The commit that is checked out now."""
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return asked.stdout.strip() or "unknown"
