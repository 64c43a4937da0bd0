"""Small states that a restart must find again: the ledger of limits, users."""

import sqlite3

from siteward.model.ids import ConnectorId
from siteward.model.recovered import LedgerEntry
from siteward.model.requests import Role
from siteward.model.users import User


def put_ledger(connection: sqlite3.Connection, entries: tuple[LedgerEntry, ...]) -> None:
    """Replace the rows of these connectors."""
    connection.executemany(
        "INSERT OR REPLACE INTO ledger (connector, confirmed_a, highest_in_flight_a) VALUES (?, ?, ?)",
        [(entry.connector, entry.confirmed_a, entry.highest_in_flight_a) for entry in entries],
    )


def ledger(connection: sqlite3.Connection) -> tuple[LedgerEntry, ...]:
    """Every row."""
    rows = connection.execute("SELECT connector, confirmed_a, highest_in_flight_a FROM ledger ORDER BY connector")
    return tuple(LedgerEntry(ConnectorId(connector), conf, flight) for connector, conf, flight in rows)


def put_user(connection: sqlite3.Connection, user: User) -> None:
    """Create or replace."""
    connection.execute(
        "INSERT OR REPLACE INTO users (name, role, password_hash, must_change) VALUES (?, ?, ?, ?)",
        (user.name, user.role.value, user.password_hash, user.must_change),
    )


def users(connection: sqlite3.Connection) -> tuple[User, ...]:
    """Everybody, by name."""
    rows = connection.execute("SELECT name, role, password_hash, must_change FROM users ORDER BY name")
    return tuple(User(name, Role(role), secret, bool(must)) for name, role, secret, must in rows)
