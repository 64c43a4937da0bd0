"""S-15, S-16, S-17: what a bill is made from comes out of the journal alone, and makes the same bill again."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from siteward.client.bills import recompute, recomputed_data
from siteward.client.tariff_form import read_tariff
from siteward.control.tariff_data import tariff_data
from siteward.model.batch import Batch
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import SessionId
from siteward.model.requests import CommandName, Stage
from siteward.model.tariff import Pricing, Tariff
from siteward.store.open import open_store
from siteward.store.store import Store
from tests.fixtures.banked import evidence, restart, turn, turns
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, status
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import depot, tariff, two

NIGHT_TO_DAY = two(begin="08:03", end="17:00", validFrom="2026-01-01T00:00:00Z")


def rig() -> Rig:
    return Rig(replace(story_site(), timezone="UTC", pricing=Pricing(default="SZ-TOU")))


async def charged(rig: Rig, store: Store, path: Path) -> tuple[Store, SessionId]:
    """A session over a boundary and a restart."""
    set_tariff = replace(rig.request(CommandName.SET_TARIFF, "t1"), tariff=read_tariff(NIGHT_TO_DAY))
    await turn(rig, store, set_tariff)
    rig["A1"].plugged = True
    await turn(rig, store)
    await turn(rig, store, rig.start(order="O-1"))
    await turns(rig, store, 60)
    store = await restart(rig, store, path)
    await turns(rig, store, 60)
    await turn(rig, store, rig.stop(order="O-1"))
    await turns(rig, store, 15)
    row = (await store.sessions())[0]
    return store, row.id


def install(read: Tariff) -> Fact:
    return Fact(EventType.TARIFF_INSTALLED, {**tariff_data(read), "source": "cli", "commandId": "c"})


async def test_the_journal_alone_makes_the_same_bill(tmp_path: Path) -> None:
    """S-15: to the cent, over a boundary and a restart, and every segment stands in the chain."""
    path = tmp_path / "siteward.db"
    store, name = await charged(rig(), await open_store(path, RealClock()), path)
    found = recompute(await evidence(store, name))
    assert found.faults == ()
    assert found.holds
    row = await store.session(name)
    assert row is not None
    assert found.bill is not None
    assert (found.bill.total, found.bill.energy_wh) == (row.total, row.energy_wh)
    assert found.segments == tuple(
        replace(s, begin=ours.begin, end=ours.end) for s, ours in zip(row.segments, found.segments, strict=True)
    )
    assert json.loads(json.dumps(recomputed_data(found)))["holds"]
    reply = await store.request(rig().request(CommandName.SET_TARIFF, "t1").id)
    assert reply is not None
    assert reply.stage is Stage.DONE
    assert (await store.verify()).ok
    await store.close()


@pytest.mark.parametrize(
    ("event", "key", "value", "told"),
    [
        ("session.segment", "end_register_wh", 5, "Segments hold"),
        ("session.segment", "period", "day", "is priced as day"),
        ("session.segment", "number", 9, "Segments are missing or doubled"),
        ("session.finished", "total", 1, "The total is"),
        ("session.finished", "lines", [], "The lines differ"),
        ("session.finished", "stop_register_wh", 9, "the register went on by"),
    ],
)
async def test_what_does_not_fit_is_told(tmp_path: Path, event: str, key: str, value: object, told: str) -> None:
    """S-15, S-16: each kind of contradiction has its sentence, in both languages."""
    path = tmp_path / "siteward.db"
    store, name = await charged(rig(), await open_store(path, RealClock()), path)
    whole = await evidence(store, name)
    await store.close()
    first = next(one for one in whole.events if one["type"] == event)
    first["data"][key] = value
    found = recompute(whole)
    assert not found.holds
    assert any(told in fault.en for fault in found.faults), found.faults
    assert all(fault.zh for fault in found.faults)


async def test_a_tariff_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "siteward.db"
    store, name = await charged(rig(), await open_store(path, RealClock()), path)
    whole = await evidence(store, name)
    await store.close()
    found = recompute(whole.model_copy(update={"tariffs": ()}))
    assert [fault.en for fault in found.faults] == ["Tariff SZ-TOU 1 is not in the journal."]


async def test_a_restart_finds_the_versions_that_it_needs(tmp_path: Path) -> None:
    """S-17, B24: what is in force, what comes, and what a session is pinned to; what was replaced is left."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, RealClock())
    past = [depot(version=n, validFrom=f"202{n}-01-01T00:00:00Z") for n in (1, 2, 3)]
    coming = depot(version=4, validFrom="2999-01-01T00:00:00Z")
    for document in (*past, coming, depot(tariffId="OTHER")):
        await store.commit(batch(install(read_tariff(document))))
    kept = {(t.id, t.version) for t in (await store.recover()).tariffs}
    assert kept == {("OTHER", 1), ("SZ-TOU", 3), ("SZ-TOU", 4)}
    assert [json.loads(text)["version"] for text in await store.tariffs()] == [1, 4, 3, 2, 1]
    await store.close()


@pytest.mark.parametrize("ahead_s", [40 * 86_400.0, -20_000 * 86_400.0])
async def test_a_clock_that_is_wrong_at_the_start_leaves_no_version_behind(tmp_path: Path, ahead_s: float) -> None:
    """B21: by a clock that nobody trusts the coming version is in force and today's is not needed; NTP comes later."""
    path = tmp_path / "siteward.db"
    store, now = await open_store(path, RealClock()), RealClock().wall()
    for version, days in ((1, -60), (2, -30), (3, 30)):
        document = depot(version=version, validFrom=(now + timedelta(days=days)).isoformat())
        await store.commit(batch(install(read_tariff(document))))
    await store.close()
    wrong = RealClock(ClockQuality.UNSYNCED)
    wrong.shift_s = ahead_s
    store = await open_store(path, wrong)
    await store.commit(Batch(ClockQuality.UNSYNCED, (status(1),)))
    assert [t.version for t in (await store.recover()).tariffs] == [2, 3]
    await store.close()


async def test_a_version_keeps_its_first_content(tmp_path: Path) -> None:
    """S-15, S-17: a second one under its number would change every bill that was made with it."""
    store = await open_store(tmp_path / "siteward.db", RealClock())
    for changes in ({}, {"flatFee": 1}):
        await store.commit(batch(install(read_tariff(depot(**changes)))))
    first = await store.tariff("SZ-TOU", 1)
    assert first is not None
    assert "flatFee" not in json.loads(first)
    assert await store.tariff("SZ-TOU", 2) is None
    assert await store.tariffs() == (first,)
    await store.close()


async def test_a_tariff_that_cannot_be_read_stops_the_store(tmp_path: Path) -> None:
    """Never silent: without its prices a session would be given away."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, RealClock())
    await store.commit(batch(install(tariff())))
    await store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE tariffs SET record = '{}'")
    with pytest.raises(StoreError, match="tariff SZ-TOU version 1 cannot be read"):
        await open_store(path, RealClock())


async def test_a_session_without_a_tariff_has_no_bill(tmp_path: Path) -> None:
    path = tmp_path / "siteward.db"
    store = await open_store(path, RealClock())
    plain = Rig()
    plain["A1"].plugged = True
    await turn(plain, store)
    await turn(plain, store, plain.start(order="O-1"))
    await turns(plain, store, 20)
    row = (await store.sessions())[0]
    found = recompute(await evidence(store, row.id))
    assert (found.bill, found.faults, found.told) == (None, (), None)
    await store.close()
