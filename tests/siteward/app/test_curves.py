"""What the trace keeps of a session's power against what the simulated world really did (law 5, law 9, S-42)."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.app.curves import STEP_W, CurveSampler, _state
from siteward.app.trace import TraceWriter
from siteward.model.curve import Curve, CurveState, Drawn
from siteward.model.ids import SessionId
from siteward.model.requests import CommandName
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy
from siteward.runtime.turn import TurnDone
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.signing import CONNECTOR, SignedStation, signed_site
from tests.fixtures.station import demo_site

BOX = "A01"


class Watched:
    """A station whose turns go through the sampler; `truth_w` is what the car drew at each second."""

    def __init__(self, signed: SignedStation) -> None:
        self.signed = signed
        self.station = signed.station
        self.sampler = CurveSampler(signed.site)
        self.rows: list[Drawn] = []
        self.truth_w: dict[int, list[float]] = {}
        self.station.watchers.append(self._take)

    def _take(self, done: TurnDone) -> None:
        self.rows.extend(self.sampler.take(done))
        self.station.sim.settle()
        amps = self.station.sim.world.outlets[CONNECTOR].draw_a
        self.truth_w.setdefault(int(done.snapshot.wall.timestamp()), []).append(sum(amps) * 230.0)

    def states(self) -> list[CurveState]:
        """States one after the other."""
        found: list[CurveState] = []
        for row in self.rows:
            if not found or found[-1] is not row.stretch.state:
                found.append(row.stretch.state)
        return found


def play(folder: Path, story: Callable[[Watched], Awaitable[None]]) -> None:
    async def whole(clock: VirtualClock) -> None:
        watched = Watched(SignedStation(clock, folder, signed_site(folder)))
        await watched.station.start()
        await watched.station.run_for(20.0)
        await story(watched)
        await watched.station.stop()

    run_virtual(whole)


def test_power_and_offer_are_those_of_the_world_and_pauses_have_their_cause(tmp_path: Path) -> None:
    """B07, S-42: each stretch lies within what flowed around it; a pause of ours offers nothing."""

    async def story(w: Watched) -> None:
        w.signed.plug()
        await w.station.run_for(120.0)
        await w.station.ask(CommandName.LIMIT_POWER, CONNECTOR, limit_a=0)
        await w.station.run_for(90.0)
        await w.station.ask(CommandName.LIMIT_POWER, CONNECTOR, limit_a=16)
        await w.station.run_for(200.0)
        w.signed.unplug()
        await w.station.run_for(60.0)
        sessions = {row.session for row in w.rows}
        assert len(sessions) == 1
        assert {row.w_per_a for row in w.rows} == {690.0}
        said = w.states()
        assert said[0] is CurveState.STARTING
        charged = said.index(CurveState.CHARGING)
        paused = said.index(CurveState.STATION, charged)
        assert CurveState.CHARGING in said[paused:]
        held = [row.stretch for row in w.rows if row.stretch.state is CurveState.STATION]
        assert {s.high_limit_w for s in held[2:12]} == {0}
        assert {s.high_w for s in held[2:12]} == {0}
        full = [row.stretch for row in w.rows if row.stretch.state is CurveState.CHARGING]
        assert max(s.high_limit_w for s in full) == 16 * 690
        assert max(s.high_w or 0 for s in full) == pytest.approx(16 * 690, rel=0.02)
        for row in w.rows:
            s = row.stretch
            near = [v for t in range(s.begin - 16, s.end + 1) for v in w.truth_w.get(t, [])]
            if s.low_w is not None and s.high_w is not None:
                assert min(near) - 150 <= s.low_w <= s.high_w <= max(near) + 150, s
        ordered = [row.stretch for row in w.rows]
        assert all(a.end - 1 <= b.begin <= a.end + 2 for a, b in itertools.pairwise(ordered))
        assert all((s.high_w or 0) - (s.low_w or 0) <= STEP_W for s in ordered), "a step is drawn as one"
        assert all(1 <= s.end - s.begin <= 6 for s in ordered)

    play(tmp_path, story)


def test_a_silent_charger_has_no_power_rather_than_an_old_one(tmp_path: Path) -> None:
    """Law 5: while nobody answers nothing is measured; it is marked, not drawn on."""

    async def story(w: Watched) -> None:
        w.signed.plug()
        await w.station.run_for(90.0)
        w.station.sim.device(BOX).faults.silent = True
        w.station.sim.device("m-A01-1").faults.silent = True
        await w.station.run_for(60.0)
        w.station.sim.device(BOX).faults.silent = False
        w.station.sim.device("m-A01-1").faults.silent = False
        await w.station.run_for(120.0)
        w.rows.extend(w.sampler.rest())
        dark = [row.stretch for row in w.rows if row.stretch.state is CurveState.UNREAD]
        assert 40 <= dark[-1].end - dark[0].begin <= 90
        assert all(s.low_w is None and s.high_w is None for s in dark)
        assert w.states()[-1] is not CurveState.UNREAD
        assert not list(w.sampler.rest())

    play(tmp_path, story)


def test_a_session_that_only_waits_for_its_car_to_leave_is_not_charging() -> None:
    """0051: under an idle fee it stays open, and its picture says that it is over."""
    row = SessionRecord(SessionId("S1"), CONNECTOR, OrderState.CHARGING, datetime(2026, 1, 5, tzinfo=UTC), "cloud")
    over = replace(row, stop_reason=StopReason.USER)
    assert _state(row, None, 0) is CurveState.CHARGING
    assert _state(over, None, 0) is _state(over, SuspendedBy.CAR, None) is CurveState.ENDED
    assert _state(over, None, 7000) is CurveState.CHARGING, "an end is decided before its current stops"


async def test_without_a_disk_there_is_no_curve_and_no_error() -> None:
    """Law 9: the trace opens beside everything else, and may never open."""
    assert await TraceWriter(demo_site(), hours=1).curve(SessionId("S1"), 700) == Curve()
