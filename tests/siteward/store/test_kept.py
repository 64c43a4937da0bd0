"""Small states by kind and key survive everything that the journal survives (law 4, B17, ruling 16)."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from siteward.model.auth import ListHead, ListStage, StagedToken, Token, TokenSeen
from siteward.model.bookings import BayTaken, Latched, NextReservation, OutOfService, Reservation
from siteward.model.ids import ConnectorId, OrderId, SessionId
from siteward.model.kept import EVERY, SWAP, Kept, KeptKind, KeptRow
from siteward.model.signed import SignedHead, SignMark
from siteward.store.kept import _FORMS
from siteward.store.open import open_store
from siteward.store.salvage import salvage
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch

AT = datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=UTC)
A1 = ConnectorId("A01-1")
ROWS: dict[KeptKind, Kept] = {
    KeptKind.ENTRY: Token("04A2", "fleet", AT, blocked=True),
    KeptKind.LIST: ListHead(7, AT),
    KeptKind.STAGED: StagedToken("04A3", "fleet", AT, blocked=True),
    KeptKind.STAGE: ListStage(8, 3, 1203, ((1, 500), (3, 203))),
    KeptKind.SEEN: TokenSeen("04A2", AT),
    KeptKind.RESERVATION: Reservation("r1", A1, AT, AT, 900.0, OrderId("O-1"), "04A2"),
    KeptKind.NEXT: NextReservation("r2", A1, AT, AT, 900.0, OrderId("O-2"), "04A3", "Ms Li", 3600.0),
    KeptKind.OUT_OF_SERVICE: OutOfService(A1, AT, "panel", "tina"),
    KeptKind.LATCHED: Latched("hall", AT),
    KeptKind.SIGNED: SignedHead(A1, "5974912", 843, (SignMark.DIFFERENCE,), SessionId("S1"), 1786, 330298),
    KeptKind.BAY: BayTaken("bay-1", AT, SessionId("S1"), OrderId("O-1"), told=True),
}


async def kept_after(path: Path, *rows: KeptRow) -> tuple[Kept, ...]:
    """What a store finds after it took these rows and was opened anew."""
    store = await open_store(path, RealClock())
    await store.commit(batch(kept=rows))
    await store.close()
    store = await open_store(path, RealClock())
    found = (await store.recover()).kept
    await store.close()
    return found


async def test_every_kind_comes_back_as_it_was(tmp_path: Path) -> None:
    """Law 6: alone enough to rebuild what matters; no kind without a form."""
    assert set(ROWS) == set(_FORMS) == set(KeptKind)
    found = await kept_after(tmp_path / "s.db", *(KeptRow(kind, "k", row) for kind, row in ROWS.items()))
    assert {type(row): row for row in found} == {type(row): row for row in ROWS.values()}


async def test_rows_are_replaced_taken_away_and_cleared_by_kind(tmp_path: Path) -> None:
    """B17: a whole list replaces the old one in one transaction."""
    path = tmp_path / "s.db"
    cards = [KeptRow(KeptKind.ENTRY, name, Token(name)) for name in ("A", "B")]
    await kept_after(path, *cards, KeptRow(KeptKind.LATCHED, "hall", Latched("hall", AT)))
    found = await kept_after(path, KeptRow(KeptKind.ENTRY, "A", Token("A", blocked=True)), KeptRow(KeptKind.ENTRY, "B"))
    assert found == (Token("A", blocked=True), Latched("hall", AT))
    found = await kept_after(path, KeptRow(KeptKind.ENTRY, EVERY), KeptRow(KeptKind.ENTRY, "C", Token("C")))
    assert found == (Token("C"), Latched("hall", AT))


async def test_a_staged_list_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """B17: the swap takes every old card away and leaves nothing staged."""
    path = tmp_path / "s.db"
    old = [KeptRow(KeptKind.ENTRY, name, Token(name)) for name in ("A", "B")]
    new = [KeptRow(KeptKind.STAGED, name, StagedToken(name, "fleet")) for name in ("B", "C")]
    assert len(await kept_after(path, *old, *new)) == 4
    assert await kept_after(path, KeptRow(KeptKind.ENTRY, SWAP)) == (Token("B", "fleet"), Token("C", "fleet"))


async def test_a_batch_of_kept_rows_alone_is_written(tmp_path: Path) -> None:
    """Ruling 17: such a batch is not empty, though nothing of it is urgent."""
    only = batch(kept=(KeptRow(KeptKind.LATCHED, "hall", Latched("hall", AT)),))
    assert not only.empty
    assert not only.urgent


async def test_a_salvage_takes_them_over_and_a_newer_kind_is_left_alone(tmp_path: Path) -> None:
    """Fault 55: a damaged file loses no blocked card that can still be read; fault 73: a rolled-back program starts."""
    path = tmp_path / "s.db"
    await kept_after(path, KeptRow(KeptKind.ENTRY, "A", Token("A", blocked=True)))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO kept VALUES ('from_the_future', 'x', '{}')")
    assert await kept_after(path) == (Token("A", blocked=True),)
    rows = salvage(path, "test").rows["kept"]
    assert [(kind, key) for kind, key, _ in rows] == [("entry", "A"), ("from_the_future", "x")]
