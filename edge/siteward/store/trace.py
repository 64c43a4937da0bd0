"""The trace: a 24 h ring of compact snapshots in its own file, written in batches, lost without harm."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from siteward.model.curve import Curve, Drawn
from siteward.model.errors import StoreError
from siteward.model.ids import SessionId
from siteward.store import curves
from siteward.store.db import Db, is_damage
from siteward.store.migrate import migrate

RING_S = 24 * 3600.0
"""Age of the oldest kept snapshot, unless the site says otherwise."""

FLUSH_S = 30.0
"""Snapshots of half a minute share one commit (wear, ruling 17)."""

_BUFFERED_MAX = 600
_STRETCHES_MAX = 20_000
_PRUNED_EVERY = 120
"""Flushes from one look at the number of stretches to the next, an hour."""
_OLD_SITES = """
DELETE FROM site WHERE from_id < (SELECT max(from_id) FROM site WHERE from_id <= (SELECT min(id) FROM trace))
"""


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One snapshot: number of the turn, its boot-time instant, the encoded bytes."""

    turn: int
    at: float
    blob: bytes


class Trace:
    """`append` never blocks and never raises; what cannot be written is counted in `dropped`, the turn goes on."""

    def __init__(self, db: Db, ring_s: float = RING_S) -> None:
        self._db = db
        self._ring_s = ring_s
        self._buffer: deque[TraceRow] = deque()
        self._stretches: deque[Drawn] = deque(maxlen=_STRETCHES_MAX)
        self._flushes = 0
        self._flusher = asyncio.create_task(self._run())
        self.dropped = 0

    async def begin(self, site_hash: str, site: bytes) -> None:
        """Say for which site the snapshots from here on were decided. Raises StoreError."""

        def work(connection: sqlite3.Connection) -> None:
            newest = connection.execute("SELECT hash FROM site ORDER BY from_id DESC LIMIT 1").fetchone()
            if newest is not None and newest[0] == site_hash:
                return
            next_id = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM trace").fetchone()[0]
            connection.execute("INSERT OR REPLACE INTO site VALUES (?, ?, ?)", (next_id, site_hash, site))

        await self._db.write(work)

    def append(self, turn: int, at: float, blob: bytes) -> None:
        """Keep a snapshot."""
        while len(self._buffer) >= _BUFFERED_MAX:
            self._buffer.popleft()
            self.dropped += 1
        self._buffer.append(TraceRow(turn, at, blob))

    def draw(self, rows: Iterable[Drawn]) -> None:
        """Keep stretches of sessions; never blocks either."""
        self._stretches.extend(rows)

    async def curve(self, session: SessionId, points: int) -> Curve:
        """The power of a session in about so many points, what is still buffered included. Raises StoreError."""
        await self.flush()
        return await self._db.read(lambda connection: curves.read(connection, session, points))

    async def read(self, limit: int = 1000, before_id: int | None = None) -> tuple[TraceRow, ...]:
        """The newest snapshots, oldest of them first, what is still buffered included. Raises StoreError."""
        await self.flush()
        rows = await self._db.read(
            lambda connection: connection.execute(
                "SELECT turn, at, blob FROM trace WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
                (before_id, before_id, limit),
            ).fetchall()
        )
        return tuple(TraceRow(*row) for row in reversed(rows))

    async def flush(self) -> None:
        """Write the buffer in one transaction and drop what has left the ring. Raises StoreError; the buffer stays."""
        rows, self._buffer = self._buffer, deque()
        stretches, self._stretches = self._stretches, deque(maxlen=_STRETCHES_MAX)
        if not rows and not stretches:
            return
        prune = self._flushes % _PRUNED_EVERY == 0
        self._flushes += 1

        def work(connection: sqlite3.Connection) -> None:
            if rows:
                _write(connection, rows, self._ring_s)
            if stretches:
                curves.insert(connection, stretches)
            if prune:
                curves.prune(connection)

        try:
            await self._db.write(work)
        except StoreError:
            self._buffer.extendleft(reversed(rows))
            # What does not fit any more is the oldest.
            self._stretches = deque((*stretches, *self._stretches), maxlen=_STRETCHES_MAX)
            raise

    async def close(self) -> None:
        """Write what is left, as far as the disk takes it, and close."""
        self._flusher.cancel()
        await asyncio.gather(self._flusher, return_exceptions=True)
        try:
            await self.flush()
        except StoreError:
            self.dropped += len(self._buffer)
        await self._db.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                await self.flush()
            except StoreError:
                # The buffer keeps the newest ten minutes and the next round tries again; the journal raises the alarm.
                continue


async def open_trace(path: Path, ring_s: float = RING_S) -> Trace:
    """Open or create STATE/core/trace.db, of which ring_s seconds are kept; a damaged one is thrown away.

    Raises StoreError without a usable disk.
    """
    db = Db(path, synchronous="NORMAL")
    try:
        await db.open(_prepare)
    except StoreError as error:
        if not is_damage(error):
            raise
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        db = Db(path, synchronous="NORMAL")
        await db.open(_prepare)
    return Trace(db, ring_s)


def _write(connection: sqlite3.Connection, rows: Sequence[TraceRow], ring_s: float) -> None:
    """Add snapshots and drop what has left the ring."""
    connection.executemany(
        "INSERT INTO trace (turn, at, blob) VALUES (?, ?, ?)", [(row.turn, row.at, row.blob) for row in rows]
    )
    # After a restart of the machine the boot clock starts anew: what is ahead of it is from before.
    newest = rows[-1].at
    connection.execute("DELETE FROM trace WHERE at < ?", (newest - ring_s,))
    connection.execute("DELETE FROM trace WHERE id <= (SELECT max(id) FROM trace) - ?", (round(2 * ring_s),))
    connection.execute(_OLD_SITES)


def _prepare(connection: sqlite3.Connection) -> None:
    migrate(connection, "trace_schema")
