"""Sets a damaged database aside into a folder of its own; a note beside it lasts until what was saved is durable.

The power may go at any instant of it (fault 51): the next start finishes what the note says, and loses nothing.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from siteward.model.errors import StoreError
from siteward.store.soundness import mark_path


@dataclass(frozen=True, slots=True)
class Aside:
    """A damaged database where it lies now, and what was wrong with it."""

    file: Path
    reason: str


def note_path(path: Path) -> Path:
    """Where the note of a salvage that is not finished lies."""
    return path.with_suffix(".salvage")


def set_aside(path: Path, folder_name: str, reason: str) -> Aside:
    """Note it, then move the file with its WAL and its mark. Raises StoreError."""
    folder = path.parent / folder_name
    try:
        folder.mkdir(mode=0o750)
        with note_path(path).open("w", encoding="utf-8") as note:
            json.dump({"folder": folder.name, "reason": reason}, note)
            note.flush()
            os.fsync(note.fileno())
        _move(path, folder)
    except OSError as error:
        raise StoreError(f"{path} is damaged and cannot be set aside: {error}") from error
    return Aside(folder / path.name, reason)


def unfinished(path: Path) -> Aside | None:
    """What an earlier start set aside and may not have saved yet. Raises StoreError."""
    try:
        text = note_path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"{note_path(path)}: {error}") from error
    try:
        note = json.loads(text)
        aside = Aside(path.parent / str(note["folder"]) / path.name, str(note["reason"]))
    except (ValueError, KeyError, TypeError):
        # Half a note: nothing was moved before it was whole.
        finished(path)
        return None
    if not aside.file.exists():
        finished(path)
        return None
    if not path.exists():
        try:
            _move(path, aside.file.parent)
        except OSError as error:
            raise StoreError(f"{path} cannot be set aside: {error}") from error
    return aside


def finished(path: Path) -> None:
    """What was saved is durable; a note that stays all the same is seen through by the next start."""
    with suppress(OSError):
        note_path(path).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make names durable: SQLite does it for its WAL, not for the database file itself. Raises OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _move(path: Path, folder: Path) -> None:
    sync_folder(path.parent)
    # The mark goes last: while any of the file is still here, the next start must know what it is.
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm", mark_path(path).name):
        if (path.parent / name).exists():
            (path.parent / name).rename(folder / name)
    sync_folder(folder)
    sync_folder(path.parent)
