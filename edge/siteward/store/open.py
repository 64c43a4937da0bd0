"""Opens the store: lock, room, schema, first reads; a damaged file is set aside, never used and never deleted."""

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from secrets import token_bytes

from siteward.model.errors import StoreError
from siteward.model.events import EventType, Fact
from siteward.model.ids import JournalId, ulid
from siteward.model.ports import Clock
from siteward.store import journal
from siteward.store.ballast import Ballast
from siteward.store.boot import boot_id
from siteward.store.db import Db, Work, is_damage
from siteward.store.lock import InstanceLock
from siteward.store.migrate import migrate
from siteward.store.moments import moment
from siteward.store.quarantine import Aside, finished, set_aside, sync_folder, unfinished
from siteward.store.records import Head, Parts
from siteward.store.salvage import Salvage, salvage
from siteward.store.soundness import Soundness, mark_path, marked
from siteward.store.store import Store, recovered


class _Damaged(StoreError):
    """The file is no sound database; the text says what SQLite found."""


async def open_store(path: Path, clock: Clock, lock: InstanceLock | None = None) -> Store:
    """Open or create the database at path (STATE/core/siteward.db).

    Without `lock` the store takes and keeps path's instance lock itself. Raises ConfigError when another process
    works here, StoreError when the disk cannot be used or the database is newer than this program.
    """
    own = None if lock is not None else InstanceLock(lock_path(path))
    try:
        return await _open(path, clock, own)
    except BaseException:
        if own is not None:
            own.close()
        raise


def lock_path(path: Path) -> Path:
    """Where the instance lock of a database lies."""
    return path.with_suffix(".lock")


async def _open(path: Path, clock: Clock, own: InstanceLock | None) -> Store:
    ballast = Ballast(path.with_suffix(".ballast"))
    soundness = Soundness(path)
    aside = unfinished(path)
    try:
        db, head = await _usable(path, clock, ballast, soundness)
    except _Damaged as damage:
        await soundness.close()
        aside = set_aside(path, f"damaged-{_new_id(clock)}", str(damage))
        soundness = Soundness(path)
        db, head = await _usable(path, clock, ballast, soundness)
    ballast.load()
    try:
        if aside is not None:
            head = await _take_up(db, aside, clock)
            finished(path)
    except BaseException:
        await db.close()
        raise
    return Store(Parts(db, clock, ballast, soundness, own), head, salvaged=aside is not None)


async def _take_up(db: Db, aside: Aside, clock: Clock) -> Head:
    """Write what can be read of the old file into the new one, unless an earlier start has done it."""
    first = await db.read(lambda connection: journal.page(connection, 0, 1).texts)
    if not any(aside.file.parent.name in text for text in first):
        # A large file takes its time, in a thread: control has begun without the journal by then.
        found = await asyncio.to_thread(salvage, aside.file, aside.reason)
        await db.write(lambda connection: _take_over(connection, found, clock))
    return await db.read(_head)


def _head(connection: sqlite3.Connection) -> Head:
    return Head(journal.journal_id(connection), journal.last_seq(connection), journal.acked_seq(connection))


async def _usable(path: Path, clock: Clock, ballast: Ballast, soundness: Soundness) -> tuple[Db, Head]:
    """The open file, and its head. What control goes on from has been read once: _Damaged when it cannot be."""
    _unmarked(path)
    db = await _open_db(path, clock, ballast, soundness)
    try:
        await db.read(lambda connection: recovered(connection, moment(clock, boot_id())))
        return db, await db.read(_head)
    except StoreError as error:
        with suppress(StoreError):
            await db.close()
        if is_damage(error):
            raise _Damaged(str(error)) from error
        raise


def _unmarked(path: Path) -> None:
    try:
        damage = marked(path)
    except OSError as error:
        raise StoreError(f"{mark_path(path)}: {error}") from error
    if damage:
        raise _Damaged(damage)


async def _open_db(path: Path, clock: Clock, ballast: Ballast, soundness: Soundness) -> Db:
    """Open the file; on a full disk once more after the ballast has been given back (fault 52)."""

    def prepare(connection: sqlite3.Connection) -> None:
        migrate(connection)
        _first_epoch(connection, clock)

    try:
        return await _connected(path, ballast, soundness, prepare)
    except _Damaged:
        raise
    except StoreError:
        if not ballast.drop():
            raise
        return await _connected(path, ballast, soundness, prepare)


async def _connected(path: Path, ballast: Ballast, soundness: Soundness, prepare: Work[None]) -> Db:
    db = Db(path, make_room=ballast.drop, on_damage=soundness.found, before_repair=soundness.stand_aside)
    try:
        await db.open(prepare)
    except StoreError as error:
        if is_damage(error):
            raise _Damaged(str(error)) from error
        raise
    try:
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"{path.parent}: cannot be made durable: {error}") from error
    return db


def _first_epoch(connection: sqlite3.Connection, clock: Clock) -> None:
    """A new file starts a new journal."""
    connection.execute("INSERT INTO meta (id, journal_id) VALUES (1, ?) ON CONFLICT (id) DO NOTHING", (_new_id(clock),))


def _new_id(clock: Clock) -> JournalId:
    return JournalId(ulid(max(0, journal.unix_ms(clock.wall())), token_bytes(10)))


def _take_over(connection: sqlite3.Connection, saved: Salvage, clock: Clock) -> None:
    """Write what was saved into the new journal, first of all the event that says so (fault 55: never silent)."""
    report = Fact(EventType.AUDIT_SALVAGED, saved.report())
    wall = clock.wall()
    journal.append(connection, (report,), clock.quality(), wall)
    saved.write(connection, clock, wall)
