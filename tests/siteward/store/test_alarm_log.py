"""S-54: the handling record of alarms on the disk, in step with the journal, over restarts and older databases."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

from siteward.model.batch import Batch
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.store.migrate import migrate
from siteward.store.open import open_store
from siteward.store.store import Store
from tests.fixtures.clock import RealClock

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NAME: dict[str, object] = {"code": "CHARGER_FAULT", "subject": "A01-1"}


async def tell(store: Store, kind: EventType, minutes: float, **data: object) -> None:
    """Journal one fact about the alarm."""
    fact = Fact(kind, {**NAME, **data}, occurred_at=AT + timedelta(minutes=minutes))
    await store.commit(Batch(clock=ClockQuality.NTP, facts=(fact,)))


async def story(store: Store) -> None:
    """Rises, is taken on, gets a second note, ends by hand; then rises again."""
    text = {"textEn": "It is broken.", "textZh": "坏了。", "severity": "medium"}
    who = {"source": "panel", "actor": {"user": "ann", "role": "technician"}}
    await tell(store, EventType.ALARM_RAISED, 0, **text, followers=["A02-1"], rule="r", value=81.0, bound=80.0)
    await tell(store, EventType.ALARM_ACKNOWLEDGED, 2, **who, note="on my way")
    await tell(store, EventType.ALARM_ACKNOWLEDGED, 9, source="cloud")
    await tell(store, EventType.ALARM_CLEARED, 30, **who, note="replaced", count=4)
    await tell(store, EventType.ALARM_RAISED, 60, **text)


async def test_the_record_says_who_did_what_and_when(tmp_path: Path) -> None:
    """S-54: newest first, with durations to be told from it; it outlives a restart."""
    store = await open_store(tmp_path / "a.db", RealClock())
    await story(store)
    await store.close()
    store = await open_store(tmp_path / "a.db", RealClock())
    newest, oldest = await store.alarm_log(10, None)
    assert (newest.raised_at, newest.cleared_at, newest.notes) == (AT + timedelta(hours=1), None, ())
    assert (oldest.raised_at, oldest.cleared_at) == (AT, AT + timedelta(minutes=30))
    assert [(n.at, n.source, n.user, n.role, n.note) for n in oldest.notes] == [
        (AT + timedelta(minutes=2), "panel", "ann", "technician", "on my way"),
        (AT + timedelta(minutes=9), "cloud", None, None, ""),
    ]
    assert oldest.cleared_by is not None
    assert (oldest.cleared_by.user, oldest.cleared_by.note, oldest.count) == ("ann", "replaced", 4)
    assert (oldest.severity, oldest.text_zh, oldest.followers) == ("medium", "坏了。", ("A02-1",))
    assert (oldest.rule, oldest.value, oldest.bound) == ("r", 81.0, 80.0)
    assert await store.alarm_log(10, newest.number) == (oldest,)
    assert await store.alarm_log(1, None) == (newest,)
    assert [row.number for row in (await store.recover()).alarms] == [newest.number]
    await store.close()


async def test_an_alarm_stands_once_however_often_it_is_told(tmp_path: Path) -> None:
    """I16: what comes twice after a crash writes one record."""
    store = await open_store(tmp_path / "a.db", RealClock())
    for _ in range(2):
        await tell(store, EventType.ALARM_RAISED, 0)
    await tell(store, EventType.ALARM_CLEARED, 1)
    await tell(store, EventType.ALARM_CLEARED, 2)
    (row,) = await store.alarm_log(10, None)
    assert row.cleared_at == AT + timedelta(minutes=1)
    await store.close()


def test_alarms_of_an_older_database_go_on_standing() -> None:
    """Schema 1 knew only what stands; its time is not known."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    folder = Path(__file__).parents[3] / "edge" / "siteward" / "store" / "schema"
    connection.executescript((folder / "001.sql").read_text("utf-8"))
    connection.execute("INSERT INTO alarms VALUES ('CLOCK_UNTRUSTED', 'station')")
    connection.execute("PRAGMA user_version = 1")
    migrate(connection)
    rows = connection.execute("SELECT code, subject, raised_at, cleared_ms FROM alarm_log").fetchall()
    assert rows == [("CLOCK_UNTRUSTED", "station", "", None)]
    connection.close()


async def test_old_records_are_dropped_and_standing_ones_never(tmp_path: Path) -> None:
    """S-54: after 400 days."""
    clock = RealClock()
    store = await open_store(tmp_path / "a.db", clock)
    await story(store)
    clock.shift_s = (AT - clock.wall()).total_seconds() + 400 * 86400.0
    assert len(await store.alarm_log(10, None)) == 2
    await store.tidy()
    assert len(await store.alarm_log(10, None)) == 2
    clock.shift_s += 3600.0
    await store.tidy()
    assert [row.cleared_at for row in await store.alarm_log(10, None)] == [None]
    await store.close()
