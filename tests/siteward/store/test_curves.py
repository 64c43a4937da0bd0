"""The power of sessions in the trace: thinned with its peaks, gaps told, bounded, lost without harm (law 6, S-42)."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.model.curve import Curve, CurveState, Drawn, Gap, Stretch
from siteward.model.errors import StoreError
from siteward.model.ids import SessionId
from siteward.store import curves
from siteward.store.migrate import migrate
from siteward.store.trace import open_trace

S1, S2 = SessionId("S1"), SessionId("S2")
CHARGING, STATION = CurveState.CHARGING, CurveState.STATION


def stretch(begin: int, w: int | None = 7000, state: CurveState = CHARGING, limit: int = 11_040) -> Stretch:
    return Stretch(begin, begin + 5, state, w, w, limit, limit)


def drawn(session: SessionId, *stretches: Stretch) -> list[Drawn]:
    return [Drawn(session, 690.0, one) for one in stretches]


def memory() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "trace_schema")
    return connection


async def test_what_was_drawn_is_read_again_with_what_is_not_written_yet(tmp_path: Path) -> None:
    """S-42: the picture of a running session is as new as its last stretch; sessions do not mix."""
    trace = await open_trace(tmp_path / "trace.db")
    trace.draw(drawn(S1, stretch(1000), stretch(1005, 7100)))
    trace.draw(drawn(S2, stretch(1000, 3000)))
    found = await trace.curve(S1, 700)
    assert found.points == (stretch(1000), stretch(1005, 7100))
    assert found.runs == (Stretch(1000, 1010, CHARGING, 7000, 7100, 11_040, 11_040),)
    assert (found.gaps, found.more, found.w_per_a) == ((), False, 690.0)
    assert found.kept_since == datetime.fromtimestamp(1000, UTC)
    assert await trace.curve(SessionId("S3"), 700) == Curve(kept_since=found.kept_since)
    await trace.close()
    again = await open_trace(tmp_path / "trace.db")
    again.draw(drawn(S1, stretch(1010)))
    assert len((await again.curve(S1, 700)).points) == 3, "a session that goes on after a restart"
    await again.close()


async def test_a_trace_of_an_older_program_is_gone_on_with(tmp_path: Path) -> None:
    """Fault 55: what was kept before stays; the new tables are beside it."""
    path = tmp_path / "trace.db"
    trace = await open_trace(path)
    trace.append(1, 5.0, b"x")
    await trace.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE curve; DROP TABLE curve_of; PRAGMA user_version = 2")
    trace = await open_trace(path)
    trace.draw(drawn(S1, stretch(1000)))
    assert (await trace.curve(S1, 700)).points
    assert len(await trace.read()) == 1
    await trace.close()


def test_holes_and_states_are_told_and_never_filled() -> None:
    """Law 5: what nobody recorded is a gap; pauses begin and end where they did, in thinned points too."""
    with closing(memory()) as connection:
        rows = [stretch(t) for t in range(0, 100, 5)] + [stretch(t, 0, STATION, 0) for t in range(100, 130, 5)]
        rows += [stretch(t) for t in range(400, 500, 5)] + [stretch(500, None, CurveState.UNREAD)]
        curves.insert(connection, drawn(S1, *rows))
        found = curves.read(connection, S1, 700)
        assert found.gaps == (Gap(130, 400),)
        assert [(r.begin, r.end, r.state) for r in found.runs] == [
            (0, 100, CHARGING),
            (100, 130, STATION),
            (400, 500, CHARGING),
            (500, 505, CurveState.UNREAD),
        ]
        assert found.points[-1].low_w is None
        thin = curves.read(connection, S1, 5)
        assert thin.gaps == found.gaps
        assert thin.runs == found.runs
        assert len(thin.points) <= 8
        assert {p.state for p in thin.points} == {CHARGING, STATION, CurveState.UNREAD}


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 40), st.none() | st.integers(-50, 22_000)), min_size=1, max_size=200),
    st.integers(10, 50),
)
def test_thinning_keeps_every_peak(steps: list[tuple[int, int | None]], points: int) -> None:
    """Of any course, any number of points: lowest and highest stay, nothing outside of what was recorded appears."""
    rows, at = [], 0
    for step, power in steps:
        at += 5 * step
        rows.append(stretch(at, power))
    with closing(memory()) as connection:
        curves.insert(connection, drawn(S1, *rows))
        thin = curves.read(connection, S1, points).points
    known = [r.low_w for r in rows if r.low_w is not None]
    assert min((p.low_w for p in thin if p.low_w is not None), default=None) == min(known, default=None)
    assert max((p.high_w for p in thin if p.high_w is not None), default=None) == max(known, default=None)
    assert len(thin) <= points + 1
    begins, ends = {r.begin for r in rows}, {r.end for r in rows}
    assert all(p.begin in begins and p.end in ends for p in thin)
    for p in thin:
        inside = [r for r in rows if p.begin <= r.begin and r.end <= p.end and r.low_w is not None]
        assert (p.low_w is None) == (not inside)


def test_a_clock_that_goes_back_loses_nothing() -> None:
    """B21: the same second twice holds both."""
    with closing(memory()) as connection:
        curves.insert(connection, drawn(S1, stretch(1000, 7000), stretch(1000, None), stretch(1000, 9000)))
        assert curves.read(connection, S1, 700).points == (Stretch(1000, 1005, CHARGING, 7000, 9000, 11_040, 11_040),)


def test_the_oldest_go_first_and_their_sessions_with_them() -> None:
    """Wear and room: the number of stretches is bounded, whatever the clock says."""
    with closing(memory()) as connection:
        curves.insert(connection, drawn(S1, *(stretch(t) for t in range(0, 50, 5))))
        curves.insert(connection, drawn(S2, *(stretch(t) for t in range(1000, 1050, 5))))
        curves.prune(connection, 15)
        assert [p.begin for p in curves.read(connection, S1, 700).points] == [25, 30, 35, 40, 45]
        curves.prune(connection, 8)
        kept = curves.read(connection, S2, 700)
        assert next(p.begin for p in kept.points) == 1010
        assert kept.kept_since == datetime.fromtimestamp(1010, UTC)
        assert curves.read(connection, S1, 700) == Curve(kept_since=kept.kept_since)
        assert connection.execute("SELECT count(*) FROM curve_of").fetchone() == (1,)


def test_a_restless_session_is_told_up_to_a_bound() -> None:
    """A page of 60 runs is read by nobody; that there are more is said."""
    with closing(memory()) as connection:
        rows = [stretch(5 * i, 0, STATION if i % 2 else CHARGING) for i in range(500)]
        curves.insert(connection, drawn(S1, *rows))
        found = curves.read(connection, S1, 100)
        assert len(found.runs) == curves.MOST_RUNS
        assert found.more
        assert len(found.points) <= 2 * 101


def test_a_whole_day_costs_little() -> None:
    """Goal 15: SQLite thins 17,280 stretches by itself; Python sees a screen's worth."""
    with closing(memory()) as connection:
        curves.insert(connection, drawn(S1, *(stretch(5 * i, 7000 + i % 90) for i in range(17_280))))
        began = time.perf_counter()
        found = curves.read(connection, S1, 700)
        took_s = time.perf_counter() - began
        assert 600 <= len(found.points) <= 701
        assert took_s < 1.0


async def test_a_disk_that_refuses_keeps_the_newest(tmp_path: Path) -> None:
    """Fault 52: what cannot be written waits; the next flush takes it."""
    trace = await open_trace(tmp_path / "trace.db")
    write = trace._db.write

    async def full(*_: object) -> None:
        raise StoreError("full")

    trace._db.write = full  # type: ignore[method-assign, assignment]
    trace.draw(drawn(S1, stretch(1000)))
    with pytest.raises(StoreError):
        await trace.curve(S1, 700)
    trace._db.write = write  # type: ignore[method-assign]
    trace.draw(drawn(S1, stretch(1005)))
    assert [p.begin for p in (await trace.curve(S1, 700)).points] == [1000, 1005]
    await trace.close()
