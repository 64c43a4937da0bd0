"""Brings a database to the newest schema: numbered SQL files, one transaction each, the version inside it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from siteward.model.errors import StoreError


def migrate(connection: sqlite3.Connection, folder: str = "schema") -> int:
    """Apply what is missing and return the version. Raises StoreError for a database newer than this program."""
    steps = _steps(folder)
    newest = len(steps)
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > newest:
        raise StoreError(
            f"the database has schema {version}, this program knows {newest}: install the program that wrote it"
        )
    for number, script in enumerate(steps[version:], version + 1):
        _apply(connection, number, script)
    return newest


def _apply(connection: sqlite3.Connection, number: int, script: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _steps(folder: str) -> list[str]:
    """The scripts 001.sql, 002.sql, ... in order."""
    # Beside this file: importlib.resources would bring temporary files and three compressions into core (goal 14).
    place = Path(__file__).parent / folder
    found = sorted(f.name for f in place.iterdir() if f.name.endswith(".sql"))
    if found != [f"{n:03d}.sql" for n in range(1, len(found) + 1)]:
        raise StoreError(f"{folder}: migrations are not numbered without gaps: {', '.join(found)}")
    return [(place / name).read_text("utf-8") for name in found]


def _statements(script: str) -> Iterator[str]:
    """Single statements; executescript would commit behind our back."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise StoreError(f"a migration ends in mid-statement: {statement.strip()[:60]}")
