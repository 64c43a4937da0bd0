"""Whether the database file is sound: asked in the background, and a mark beside the file once it is not.

Reading a whole database takes seconds to minutes on the disks of small computers, and control waits for nothing
(law 3). What is found therefore counts at the next start: a marked file is set aside and salvaged before it is used.
"""

import asyncio
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock, get_native_id

from siteward.model.ports import Clock

AGAIN_S = 60.0
"""Time until the next try, where the disk could not be read or a repair had to go first."""

_NICE = 10
_CACHE_KIB = 256
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PRIMARY = 0xFF


class Soundness:
    """The state of one database file; `damage` says what is wrong with it, and is empty while nothing is known."""

    def __init__(self, path: Path) -> None:
        self.damage = ""
        self.checked = asyncio.Event()
        self._path = path
        self._thread = ThreadPoolExecutor(1, "soundness", _last_in_line)
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._closing = False

    def found(self, damage: str) -> None:
        """Note what somebody stumbled over, soon durably too, so that the next start sets the file aside."""
        if self.damage:
            return
        self.damage = damage
        self.checked.set()
        self.stand_aside()
        self._thread.submit(_mark, mark_path(self._path), damage)

    async def watch(self, clock: Clock) -> None:
        """Read the whole file once through a connection of its own, as the last in line for processor and disk."""
        loop = asyncio.get_running_loop()
        while not self.checked.is_set():
            verdict = await loop.run_in_executor(self._thread, self._read_all)
            if verdict == "ok":
                self.checked.set()
            elif verdict:
                self.found(verdict)
            else:
                await clock.sleep(AGAIN_S)

    def stand_aside(self) -> None:
        """Break off a check under way: it would keep the journal from being repaired. It is made again later."""
        with self._lock:
            if self._connection is not None:
                self._connection.interrupt()

    async def close(self) -> None:
        """End the check and its thread; a mark that is being made is finished."""
        self._closing = True
        self.stand_aside()
        await asyncio.to_thread(self._thread.shutdown)

    def _read_all(self) -> str:
        """SQLite's verdict, "ok" or what is wrong; empty when it could not be asked."""
        uri = f"{self._path.absolute().as_uri()}?mode=ro"
        try:
            with closing(sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)) as connection:
                return self._ask(connection)
        except sqlite3.Error as error:
            broken = (getattr(error, "sqlite_errorcode", 0) & _PRIMARY) in _DAMAGE
            return f"quick_check: {error}" if broken else ""

    def _ask(self, connection: sqlite3.Connection) -> str:
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        with self._lock:
            if self._closing:
                return ""
            self._connection = connection
        try:
            verdict = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
        finally:
            with self._lock:
                self._connection = None
        return verdict if verdict == "ok" else f"quick_check: {verdict}"


def mark_path(path: Path) -> Path:
    """Where the mark of a damaged database lies."""
    return path.with_suffix(".damaged")


def marked(path: Path) -> str:
    """What the mark says, empty where there is none; a mark without a database means nothing and is taken away.

    Raises OSError.
    """
    mark = mark_path(path)
    if not mark.exists():
        return ""
    if path.exists():
        return mark.read_text(encoding="utf-8", errors="replace") or "marked as damaged"
    mark.unlink()
    return ""


def _mark(mark: Path, damage: str) -> None:
    # A disk that takes no mark is found damaged again by the next start's own check.
    with suppress(OSError), mark.open("w", encoding="utf-8") as file:
        file.write(damage)
        file.flush()
        os.fsync(file.fileno())


def _last_in_line() -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, get_native_id(), _NICE)
