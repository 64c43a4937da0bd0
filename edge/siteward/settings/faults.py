"""What is wrong in a file: faults gathered with their key, shown all at once in the order of the file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath

from siteward.model.errors import ConfigError
from siteward.settings.positions import Path


def dotted(path: Path) -> str:
    """Write a path as people say it: `charger[3].unit` is the unit of the third [[charger]]."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like the given one, or None when none is near."""
    # Only a wrong file needs it (goal 14).
    import difflib

    hits = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return hits[0] if hits else None


def shown(value: object) -> str:
    """Show a value of the file in a message, on one line and never long."""
    text = repr(value) if not isinstance(value, bool) else str(value).lower()
    return text if len(text) <= 48 else text[:45] + "..."


@dataclass(slots=True)
class Faults:
    """Faults of one file; `lines` maps paths to lines, a path that is not there takes its nearest table."""

    file: FilePath
    lines: Mapping[Path, int] = field(default_factory=dict)
    found: list[tuple[int, Path, str]] = field(default_factory=list)

    def add(self, path: Path, message: str) -> None:
        """Note one fault at a key."""
        at = path
        while at and at not in self.lines:
            at = at[:-1]
        self.found.append((self.lines.get(at, 1), path, message))

    def text(self) -> str:
        """One line a fault: `file:line: key: what is wrong`, in the order of the file."""
        rows = sorted(self.found, key=lambda row: (row[0], dotted(row[1]), row[2]))
        return "\n".join(f"{self.file}:{line}: {dotted(path) or 'file'}: {message}" for line, path, message in rows)

    def check(self) -> None:
        """Raise ConfigError when anything was found."""
        if self.found:
            raise ConfigError(self.text())
