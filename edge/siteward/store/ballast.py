"""A file that only takes room, so that there is some to give back when the disk is full."""

import os
from pathlib import Path

BALLAST_BYTES = 8 * 1024 * 1024
"""Enough for some days of sessions after everything else has been refused."""


class Ballast:
    """`drop` frees the room, `load` takes it again; a full disk makes a WAL database unopenable without (fault 52)."""

    def __init__(self, path: Path, size: int = BALLAST_BYTES) -> None:
        self._path = path
        self._size = size
        self.loaded = False
        """Whether there is room left to give back, as of the last `load` or `drop`; it asks no disk."""

    def drop(self) -> bool:
        """Give the room back; False when it was given already or cannot be."""
        self.loaded = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def load(self) -> bool:
        """Take the room if the disk has at least twice as much; False when it has not."""
        self.loaded = self._path.exists() or self._fill()
        return self.loaded

    def _fill(self) -> bool:
        try:
            room = os.statvfs(self._path.parent)
            if room.f_bavail * room.f_frsize < 2 * self._size:
                return False
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.drop()
            return False
        return True
