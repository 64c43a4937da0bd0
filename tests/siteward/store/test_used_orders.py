"""S-14, S-75, 0064: the store finds the session that an order was charged in, over restarts and without a search."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from siteward.model.ids import OrderId
from siteward.model.sessions import OrderState
from siteward.store import sessions
from siteward.store.migrate import migrate
from siteward.store.open import open_store
from siteward.store.salvage import salvage
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, session

O1 = OrderId("O-1")


@pytest.mark.parametrize("state", OrderState)
async def test_only_what_was_charged_and_is_over_uses_an_order(tmp_path: Path, state: OrderState) -> None:
    """What is open is the turn's to know; what failed or was cancelled came to no energy."""
    path = tmp_path / "core" / "siteward.db"
    store = await open_store(path, RealClock())
    row = session(1, state, order=O1)
    await store.commit(batch(sessions=(row, session(2, OrderState.SETTLED, order=OrderId("O-2")), session(3, state))))
    await store.close()
    store = await open_store(path, RealClock())
    try:
        used = state in (OrderState.FINISHED, OrderState.SETTLED)
        assert await store.charged(O1) == (row.id if used else None)
        assert await store.charged(OrderId("O-3")) is None
    finally:
        await store.close()


def test_it_reads_one_row_of_many() -> None:
    """Goal 15: an index answers, however many years of sessions there are."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        sessions.upsert(connection, tuple(session(n, OrderState.SETTLED, order=OrderId(f"O-{n}")) for n in range(50)))
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        assert sessions.charged(connection, OrderId("O-7")) == session(7).id
        connection.set_trace_callback(None)
        plan = connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}").fetchall()
        assert any("USING INDEX sessions_by_order" in row[3] for row in plan), plan


def test_the_orders_of_an_older_database_are_known() -> None:
    """S-06: an update of the program brings them along; a damaged record stops nothing."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        sessions.upsert(connection, (session(1, OrderState.SETTLED, order=O1), session(2, OrderState.SETTLED)))
        connection.execute("INSERT INTO sessions (id, state, record) VALUES ('S0', 'SETTLED', '{broken')")
        connection.execute("DROP INDEX sessions_by_order")
        connection.execute("ALTER TABLE sessions DROP COLUMN order_id")
        connection.execute("PRAGMA user_version = 4")
        migrate(connection)
        assert sessions.charged(connection, O1) == session(1).id


async def test_a_salvage_keeps_them(tmp_path: Path) -> None:
    """Fault 55: what is left of a damaged database is written into a new one, order by order."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, RealClock())
    await store.commit(batch(sessions=(session(1, OrderState.SETTLED, order=O1),)))
    await store.close()
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection)
        clock = RealClock()
        salvage(path, "test").write(connection, clock, clock.wall())
        assert sessions.charged(connection, O1) == session(1).id
