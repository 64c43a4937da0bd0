"""One SQLite file with one writing connection: group commit, errors mapped, healed after an I/O error."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite

from siteward.model.errors import StoreError

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
"""What one caller does inside a transaction, as plain code: it runs in the connection's own thread and never awaits,
so a cancelled caller can neither leave a transaction open nor slip its rows into somebody else's (finding 9)."""

GROUP_MAX = 512
_WAL_BYTES_KEPT = 8 * 1024 * 1024
_CACHE_KIB = 256
"""Pages that a connection keeps. SQLite's own 2 MiB for each of core's four fill up within days and save no time."""
_PRIMARY = 0xFF
"""The low byte of SQLite's extended result codes."""


class Unsound(StoreError):
    """SQLite read the whole file and found it broken."""


@dataclass(slots=True)
class _Waiting:
    work: Work[Any]
    after: Callable[[Any], None] | None
    done: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class Db:
    """`write` for transactions, `read` for queries on a second, read-only connection. Both raise StoreError.

    Only this connection writes and checkpoints the file (finding 10); the caller holds the instance lock.
    """

    def __init__(
        self,
        path: Path,
        *,
        synchronous: str = "FULL",
        make_room: Callable[[], bool] | None = None,
        on_damage: Callable[[str], None] | None = None,
        before_repair: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self._synchronous = synchronous
        self._make_room = make_room or (lambda: False)
        self._on_damage = on_damage or (lambda _: None)
        self._before_repair = before_repair or (lambda: None)
        self._writer: aiosqlite.Connection | None = None
        self._reader: aiosqlite.Connection | None = None
        self._queue: deque[_Waiting] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._suspect = False

    async def open(self, prepare: Work[None]) -> None:
        """Connect and run prepare (checks, migrations) on the writing connection before anybody else may use it."""
        try:
            await self._connect(prepare)
        except BaseException:
            await self._disconnect()
            raise
        self._task = asyncio.create_task(self._serve())

    async def close(self) -> None:
        """Commit what waits, checkpoint, close both connections."""
        task, self._task = self._task, None
        if task is not None:
            self._wake.set()
            await task
        await self._disconnect()

    async def write(self, work: Work[T], after: Callable[[T], None] | None = None) -> T:
        """Result of work once its transaction is durable; many callers share one commit.

        An error that work raises itself undoes only its own rows. A cancelled caller does not stop work, and `after`
        is called with its result as soon as it is durable, caller or not. Work may run twice, the first time undone.
        """
        if self._task is None:
            raise StoreError(f"{self.path} is closed")
        waiting = _Waiting(work, after, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._wake.set()
        result: T = await waiting.done
        return result

    async def read(self, query: Work[T]) -> T:
        """Result of a query on the read-only connection; it never delays a commit."""
        return await self._told(_run(self._reader, query, self.path))

    async def _told(self, work: Awaitable[T]) -> T:
        """The result of work; damage that it stumbles over is told to whoever opened the file."""
        try:
            return await work
        except StoreError as error:
            if is_damage(error):
                self._on_damage(str(error))
            raise

    async def _serve(self) -> None:
        group: list[_Waiting] = []
        try:
            while self._task is not None or self._queue:
                if not self._queue:
                    self._wake.clear()
                    await self._wake.wait()
                    continue
                group = [self._queue.popleft() for _ in range(min(len(self._queue), GROUP_MAX))]
                await self._serve_group(group)
        finally:
            for waiting in (*group, *self._queue):
                _settle(waiting, _Failed(StoreError(f"{self.path} was closed before this was written")))

    async def _serve_group(self, group: list[_Waiting]) -> None:
        try:
            results = await self._told(self._transact([waiting.work for waiting in group]))
        except StoreError as error:
            results = [_Failed(error)] * len(group)
        for waiting, result in zip(group, results, strict=True):
            _settle(waiting, result)

    async def _transact(self, works: list[Work[Any]]) -> list[Any]:
        """All works in one transaction. Raises StoreError when it did not become durable: then nothing of it did."""
        await self._heal()
        try:
            return await _run(self._writer, lambda connection: _group(connection, works), self.path)
        except StoreError as error:
            if _primary(error) == sqlite3.SQLITE_FULL and self._make_room():
                return await _run(self._writer, lambda connection: _group(connection, works), self.path)
            self._suspect = _primary(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT)
            raise

    async def _heal(self) -> None:
        """After an I/O error: what is committed is written afresh to the main file, then both connections are new.

        Pages whose fsync failed count as lost, and the checkpoint knows nothing of the failed transaction: it stays
        undone. Nothing is written before this has worked (fault 54).
        """
        if not self._suspect and self._writer is not None:
            return
        if self._writer is not None:
            self._before_repair()
            await _run(self._writer, _checkpoint_all, self.path)
        await self._disconnect()
        try:
            await self._connect(_must_be_sound)
        except BaseException:
            await self._disconnect()
            raise
        self._suspect = False

    async def _connect(self, prepare: Work[None]) -> None:
        self._writer = await _opened(aiosqlite.connect(self.path, isolation_level=None), self.path)
        await _run(self._writer, lambda connection: _configure(connection, self._synchronous), self.path)
        await _run(self._writer, prepare, self.path)
        uri = f"{self.path.absolute().as_uri()}?mode=ro"
        self._reader = await _opened(aiosqlite.connect(uri, uri=True, isolation_level=None), self.path)
        await _run(self._reader, _bound_cache, self.path)

    async def _disconnect(self) -> None:
        """Reader first: the writer's close is the last one and checkpoints."""
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        errors = [await _closed(connection) for connection in (reader, writer) if connection is not None]
        for error in errors:
            if error is not None:
                raise StoreError(f"{self.path}: closing failed: {error}") from error


def _settle(waiting: _Waiting, result: object) -> None:
    """Tell the caller, unless it has been told or is gone."""
    failed = isinstance(result, _Failed)
    if not failed and waiting.after is not None:
        waiting.after(result)
    if waiting.done.done():
        return
    if isinstance(result, _Failed):
        waiting.done.set_exception(result.error)
    else:
        waiting.done.set_result(result)


def _group(connection: sqlite3.Connection, works: list[Work[Any]]) -> list[Any]:
    """Run every work under its own savepoint, then commit once."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [_one(connection, work) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _one(connection: sqlite3.Connection, work: Work[Any]) -> object:
    connection.execute("SAVEPOINT work")
    try:
        result: object = work(connection)
    except sqlite3.Error:
        raise
    except Exception as error:  # noqa: BLE001 - handed to the caller that it belongs to; the others' rows stay
        connection.execute("ROLLBACK TO work")
        connection.execute("RELEASE work")
        return _Failed(error)
    connection.execute("RELEASE work")
    return result


def _configure(connection: sqlite3.Connection, synchronous: str) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
    connection.execute("PRAGMA trusted_schema = OFF")
    _bound_cache(connection)


def _bound_cache(connection: sqlite3.Connection) -> None:
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")


def _checkpoint_all(connection: sqlite3.Connection) -> None:
    busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise StoreError("a reader holds the journal; the next attempt checks it again")


def _must_be_sound(connection: sqlite3.Connection) -> None:
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise Unsound(f"the journal is damaged after an I/O error: {verdict}")


async def _opened(connection: aiosqlite.Connection, path: Path) -> aiosqlite.Connection:
    try:
        return await connection
    except (sqlite3.Error, OSError) as error:
        # aiosqlite leaves the thread of a failed connect alone; it would speak to a loop that may be closed by then.
        await asyncio.to_thread(connection._thread.join)  # noqa: SLF001
        raise _mapped(error, path) from error


async def _closed(connection: aiosqlite.Connection) -> sqlite3.Error | None:
    """Close and end the connection's thread whatever SQLite says: a thread left behind would keep the process."""
    try:
        await connection.close()
    except sqlite3.Error as error:
        return error
    return None


async def _run(connection: aiosqlite.Connection | None, work: Work[T], path: Path) -> T:
    """Run work in the connection's thread in one hop, to its end even if the caller is cancelled."""
    if connection is None:
        raise StoreError(f"{path} is not open")
    try:
        # aiosqlite has no public call for "this function, in your thread"; awaiting statement by statement would
        # cost a hop each and leave transactions open to cancellation. Pinned below 0.23, used only here.
        result: T = await connection._execute(work, connection._conn)  # type: ignore[no-untyped-call]  # noqa: SLF001
    except (sqlite3.Error, OSError) as error:
        raise _mapped(error, path) from error
    except ValueError as error:
        raise StoreError(f"{path}: {error}") from error
    return result


def _mapped(error: sqlite3.Error | OSError, path: Path) -> StoreError:
    name = getattr(error, "sqlite_errorname", None)
    return StoreError(f"{path}: {error}" + (f" ({name})" if name else ""))


def is_damage(error: StoreError) -> bool:
    """Whether SQLite says that the file itself is broken, or none of its own."""
    return isinstance(error, Unsound) or _primary(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _primary(error: StoreError) -> int | None:
    """SQLite's primary result code behind a mapped error."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return None if code is None else int(code) & _PRIMARY
