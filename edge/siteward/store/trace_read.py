"""Reads a trace without changing it: live beside core, or a copy that somebody took away."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from siteward.control.record import Recorded
from siteward.model.errors import StoreError
from siteward.model.site import Site
from siteward.store.trace_rows import decode, decode_site

_PAGE = 500


class Past:
    """A trace that is open for reading. Every method raises StoreError for damage."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        low, high = self._one("SELECT min(id), max(id) FROM trace")
        if low is None:
            raise StoreError(f"{path}: the trace is empty; core writes to it every 30 s")
        self.first, self.last = int(low), int(high)

    def moment(self, number: int) -> datetime:
        """Wall time of the kept turn with this id, or of the next one that is there."""
        row = self._one("SELECT blob FROM trace WHERE id >= ? ORDER BY id LIMIT 1", number)
        return decode(row[0]).snapshot.wall

    def find(self, wall: datetime) -> int:
        """Id of the first kept turn at or after a time; behind the last one when there is none.

        The clock may have been set while the trace was written: then it is near, not exact.
        """
        low, high = self.first, self.last + 1
        while low < high:
            middle = (low + high) // 2
            if self.moment(middle) < wall:
                low = middle + 1
            else:
                high = middle
        return low

    def rows(self, first: int, last: int) -> Iterator[tuple[int, Recorded]]:
        """Kept turns with their ids in the order of writing; core may go on writing and dropping meanwhile."""
        while first <= last:
            page = self._all(
                "SELECT id, blob FROM trace WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?", first, last, _PAGE
            )
            if not page:
                return
            for number, blob in page:
                yield int(number), decode(blob)
            first = int(page[-1][0]) + 1

    def sites(self) -> tuple[tuple[int, Site], ...]:
        """The sites of the trace, oldest first, each with the id of its first turn; none in one of an older program."""
        if self._one("PRAGMA user_version")[0] < 2:
            return ()
        found = self._all("SELECT from_id, blob FROM site ORDER BY from_id")
        return tuple((int(number), decode_site(blob)) for number, blob in found)

    def copy(self, target: Path) -> None:
        """Write the whole trace into a new file that can be taken away. Raises StoreError when it is there already."""
        if target.exists():
            raise StoreError(f"{target} is there already; name a new file")
        try:
            with closing(sqlite3.connect(target)) as copy:
                self._connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            raise StoreError(f"{target}: {error}") from error

    def _one(self, query: str, *values: object) -> tuple[Any, ...]:
        rows = self._all(query, *values)
        if not rows:
            raise StoreError(f"{self._path}: the trace ends there")
        return rows[0]

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"{self._path}: {error}") from error


@contextmanager
def open_past(path: Path) -> Iterator[Past]:
    """Open a trace for reading. Raises StoreError when there is none, or none that can be read."""
    try:
        there = path.is_file()
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    if not there:
        raise StoreError(f"{path}: there is no trace; core keeps one in STATE/core/trace.db")
    # Without a log beside it nobody has the file open, or it is a copy: then its folder need not be writable either.
    mode = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}") from error
    with closing(connection):
        yield Past(connection, path)
