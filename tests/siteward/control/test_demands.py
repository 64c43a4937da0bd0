"""I13, R20, B12, B14, B21: what an open session asks of the fuses, and from when on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.connector import ConnectorState
from siteward.control.demand import IDLE, Demand
from siteward.control.demands import demands, need
from siteward.control.draft import Draft, Post, StoryMemory
from siteward.control.session import Ending, OpenSession
from siteward.model.events import ClockQuality
from siteward.model.facts import PowerFacts
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.sessions import OrderState, StopReason
from siteward.model.site import Priority, Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from tests.fixtures.story_rig import START
from tests.siteward.control.course_bench import A1, AT, SITE, opened

POWER = PowerFacts(3, 5000.0, 0.93, 0.98, 200.0, True)


def asked(
    session: OpenSession | None,
    plugged: bool | None = True,
    amps: PerPhase | None = (16.0, 0.0, 0.0),
    power: PowerFacts | None = None,
    clock: ClockQuality = ClockQuality.NTP,
    commit_age_s: float = 0.0,
    fresh: bool = False,
) -> tuple[Demand, bool | None]:
    """What is wanted at A1, and whether its session counts as durable afterwards."""
    site: Site = SITE
    if power is not None:
        first, *rest = SITE.chargers
        c = first.connectors[0]
        changed = replace(c, facts=replace(c.facts, power=power))
        site = replace(SITE, chargers=(replace(first, connectors=(changed,)), *rest))
    read = ChargerReading(A1, AT - 0.4, pilot=Pilot.C, measured_a=amps)
    snapshot = Snapshot(AT, START, clock, 9, {}, {A1: read}, {}, commit_age_s=commit_age_s)
    post = Post(ConnectorState.CHARGING, plugged, session=session)
    draft = Draft(site, snapshot, StoryMemory(posts={A1: post}))
    if fresh and session is not None:
        draft.opened.add(session.record.id)
    found = demands(draft)
    assert list(found) == [c.id for c in site.connectors]
    after = draft.posts[A1].session
    return found[A1], None if after is None else after.durable


def test_a_session_that_charges_wants_all_that_it_may_have() -> None:
    """I13: its place in line is from its opening."""
    assert asked(opened())[0] == Demand(True, 16.0, Priority.NORMAL, AT - 700.0)


@pytest.mark.parametrize(("amps", "stop"), [((16.0, 0.0, 0.0), True), ((0.4, 0.0, 0.0), False), (None, False)])
def test_without_a_session_nothing_is_wanted_and_what_flows_is_stopped(amps: PerPhase | None, stop: bool) -> None:
    """I13: nobody charges without an order."""
    assert asked(None, amps=amps)[0] == replace(IDLE, stop=stop)


@pytest.mark.parametrize(
    ("more", "plugged", "wants", "stop"),
    [
        ({}, None, True, False),
        ({}, False, False, False),
        ({"ending": Ending(StopReason.USER, AT)}, True, False, True),
        ({"durable": False, "opened_at": AT}, True, False, False),
    ],
)
def test_who_wants_current(more: dict[str, object], plugged: bool | None, wants: bool, stop: bool) -> None:
    """I13: with a car, on disk, and not being ended."""
    found, _ = asked(opened(**more), plugged, fresh=more.get("durable") is False)
    assert (found.wants, found.max_a, found.stop) == (wants, 16.0 if wants else 0.0, stop)


@pytest.mark.parametrize(
    ("commit_s", "opened_s", "fresh", "durable"),
    [
        (0.0, 0.0, False, True),
        (0.0, 0.0, True, False),
        (1.5, 2.0, False, False),
        (1.4, 2.0, False, True),
        (0.1, 0.4, False, False),
        (9.0, 60.0, False, True),
    ],
)
def test_a_session_is_on_disk_once_nothing_older_is_outstanding(
    commit_s: float, opened_s: float, fresh: bool, durable: bool
) -> None:
    """I8: half a second may lie between a turn and its batch."""
    session = opened(durable=False, opened_at=AT - opened_s)
    assert asked(session, commit_age_s=commit_s, fresh=fresh)[1] is durable


@pytest.mark.parametrize(("max_a", "most"), [(None, 16.0), (10.0, 10.0), (20.0, 16.0)])
def test_an_order_may_ask_for_less(max_a: float | None, most: float) -> None:
    """S-31: never for more than the connector bears."""
    assert asked(opened(record={"max_current_a": max_a}))[0].max_a == most


@pytest.mark.parametrize(("switching", "gap", "may"), [(True, False, True), (True, True, False), (False, False, False)])
def test_who_stands_a_switch_of_phases(switching: bool, gap: bool, may: bool) -> None:
    """B14: not over a gap, in which another car may have come."""
    assert asked(opened(record={"phase_switching": switching, "gap": gap}))[0].may_switch is may


@pytest.mark.parametrize(
    ("power", "state", "plugged", "wants", "most", "must_run"),
    [
        (POWER, OrderState.STARTING, False, True, "least", False),
        (POWER, OrderState.STARTING, True, True, "cap", False),
        (POWER, OrderState.CHARGING, True, True, "cap", True),
        (replace(POWER, pause_ends_session=False), OrderState.STARTING, False, False, None, False),
        (replace(POWER, pause_ends_session=False), OrderState.CHARGING, True, True, "cap", False),
        (None, OrderState.CHARGING, True, True, "cap", False),
    ],
)
def test_a_rectifier_that_no_pause_may_end(
    power: PowerFacts | None, state: OrderState, plugged: bool, wants: bool, most: str | None, must_run: bool
) -> None:
    """R20: while its car is awaited it is given its least; what has begun goes on as long as others can be paused."""
    found, _ = asked(opened(state), plugged, power=power)
    assert (found.wants, found.must_run) == (wants, must_run)
    assert (found.max_a == 16.0) is (most == "cap")
    assert (0.0 < found.max_a < 16.0) is (most == "least")


def leaving(hours: float, wanted_wh: int, **record: object) -> OpenSession:
    """A session whose car leaves in so many hours; 4000 Wh are in it."""
    departs = START + timedelta(hours=hours)
    return opened(record={"departs_at": departs, "wanted_wh": wanted_wh} | record)


@pytest.mark.parametrize(
    ("session", "amps", "need_a"),
    [
        (leaving(2.0, 8600), (16.0, 0.0, 0.0), 4600.0 / (2.0 * 230.0)),
        (leaving(2.0, 8600), (16.0, 1.1, 1.0), 4600.0 / (2.0 * 2 * 230.0)),
        (leaving(2.0, 8600), (0.0, 0.0, 0.0), 4600.0 / (2.0 * 3 * 230.0)),
        (leaving(2.0, 8600), None, 4600.0 / (2.0 * 3 * 230.0)),
        (leaving(0.001, 8600), (16.0, 0.0, 0.0), 4600.0 * 60.0 / 230.0),
        (leaving(0.0, 8600), (16.0, 0.0, 0.0), 0.0),
        (leaving(2.0, 4000), (16.0, 0.0, 0.0), 0.0),
        (leaving(2.0, 4600, start_register_wh=None), (16.0, 0.0, 0.0), 4600.0 / (2.0 * 230.0)),
        (opened(record={"wanted_wh": 9000}), (16.0, 0.0, 0.0), 0.0),
        (opened(record={"departs_at": START + timedelta(hours=2)}), (16.0, 0.0, 0.0), 0.0),
    ],
)
def test_what_brings_the_wanted_energy_in_time(session: OpenSession, amps: PerPhase | None, need_a: float) -> None:
    """B12: mean amperes on each phase that the car takes; 0 once it is late or has it."""
    assert asked(session, amps=amps)[0].need_a == pytest.approx(need_a)


def test_a_clock_that_cannot_be_trusted_says_nothing_of_a_departure() -> None:
    """B21: and who wants nothing needs nothing."""
    assert asked(leaving(2.0, 9000), clock=ClockQuality.UNSYNCED)[0].need_a == 0.0
    assert asked(leaving(2.0, 9000), plugged=False)[0].need_a == 0.0


@pytest.mark.parametrize(
    ("hours", "wanted_wh", "watts"),
    [(2.0, 24000, 10_000.0), (0.001, 4100, 6000.0), (0.0, 24000, None), (2.0, 4000, None)],
)
def test_a_rectifier_needs_power(hours: float, wanted_wh: int, watts: float | None) -> None:
    """R20: as amperes by its own losses; late or full it needs none."""
    found, _ = asked(leaving(hours, wanted_wh), power=POWER)
    assert found.need_a == pytest.approx(0.0 if watts is None else POWER.amps(watts, 230.0))


@pytest.mark.parametrize(
    ("rest_wh", "left_h", "amps"), [(690.0, 1.0, 1.0), (690.0, 0.0, 0.0), (0.0, 1.0, 0.0), (1.0, 1.0, 1 / 690)]
)
def test_the_need_of_a_car(rest_wh: float, left_h: float, amps: float) -> None:
    """B12."""
    assert need(rest_wh, left_h, 3, 230.0) == pytest.approx(amps)
