"""Real sessions in one journal: to each Wh of the meters one session, over deaths of the controller too (S-30, B23)."""

from dataclasses import replace
from pathlib import Path

from siteward.store.open import open_store
from tests.months.books import Books
from tests.months.depot import DAY_S, depot, other_load, stays
from tests.months.ledger import Closed, closed, differences_wh, faulty_bills


async def test_a_morning_of_real_sessions_reconciles_to_0_wh(tmp_path: Path) -> None:
    """S-30, S-15, B23: a morning with a kill in it; registers and journal agree to the Wh, bills to the cent."""
    one = depot()
    real = stays(one, 0, DAY_S)[:10]
    begin = real[0].arrival
    here = [replace(s, arrival=begin + 40 * n, departure=begin + 1200 + 20 * n) for n, s in enumerate(real)]
    books = Books(one, here, other_load(one), tmp_path)
    books.dies_at = begin + 700
    await books.live(begin, begin + 1500)
    told = closed(books.path)
    store = await open_store(books.path, books.clock)
    assert await faulty_bills(store, told) == {}
    await store.close()
    assert sum(session.total for session in told) > 500
    assert books.deaths == 1
    assert books.refused == []
    assert len(told) == len(here)
    assert any(session.gap for session in told)
    assert sum(session.energy_wh for session in told) > 10_000
    assert differences_wh(told, books.first_wh, books.wh) == {}
    assert books.fuses.broken == 0


async def test_a_car_that_comes_before_its_place_is_free_waits(tmp_path: Path) -> None:
    """S-30: the next car of an outlet may come within seconds, while nobody else is there."""
    one = depot()
    first = stays(one, 0, DAY_S)[0]
    leaves = first.arrival + 240
    here = [replace(first, departure=leaves), replace(first, arrival=leaves + 5, departure=leaves + 300)]
    books = Books(one, here, other_load(one), tmp_path)
    await books.live(first.arrival, leaves + 300)
    assert len(closed(books.path)) == 2
    assert books.refused == []


def test_a_wh_too_many_or_too_few_is_told() -> None:
    """S-30: lost and doubled energy both show, at the connector where they are."""
    told = [Closed("a", 500, 60, False, False), Closed("b", 700, 60, False, False)]
    assert differences_wh(told, {"a": 100, "b": 100}, {"a": 600.9, "b": 800.2}) == {}
    assert differences_wh(told, {"a": 100, "b": 100}, {"a": 601.0, "b": 799.9}) == {"a": 1, "b": -1}
    assert differences_wh([*told, told[0]], {"a": 100, "b": 100}, {"a": 600.0, "b": 800.0}) == {"a": -500}
