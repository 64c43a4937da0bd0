"""Reads a database whose core does not run: for the verbs of the command line that need no daemon."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from siteward.model.errors import StoreError
from siteward.store.lock import InstanceLock
from siteward.store.open import lock_path


@contextmanager
def offline(path: Path) -> Iterator[sqlite3.Connection]:
    """A read-only connection for the queries of `journal`, `sessions`, `standing`, ...; nothing on the disk changes.

    Raises ConfigError while a core runs (ask its API), StoreError when there is no readable database.
    """
    if not path.is_file():
        raise StoreError(f"{path}: there is no database; start core once")
    with InstanceLock(lock_path(path)), closing(_connected(path)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from error


def _connected(path: Path) -> sqlite3.Connection:
    """Immutable where no WAL is left (its folder may be read-only for this user), else mode=ro, which reads the WAL."""
    left = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if left.exists() and left.stat().st_size else "mode=ro&immutable=1"
    return sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
