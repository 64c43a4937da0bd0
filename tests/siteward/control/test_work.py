"""R4: a decision is booked as it is made, and none is made twice while it is under way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.demand import IDLE
from siteward.control.memory import Flight, Watch
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.wire import Write, WriteKind
from tests.siteward.control.bench import AT, TURN, demand, flight, lay, watch


def test_an_order_is_in_flight_from_now_on() -> None:
    """R13: for two seconds to be sent; the newest of an outlet replaces the one before."""
    seen = watch(16.0, flights=(flight(20.0),))
    work = lay([seen])
    outlet = work.tree.outlets[0]
    write = work.order(outlet, 12.0, raises=True)
    assert write == Write(outlet.id, WriteKind.LIMIT, 12.0, True, TURN, AT + 2.0)
    assert seen.flights == (flight(20.0), Flight(12.0, TURN, AT + 2.0, True))
    assert seen.limit_a == 12.0
    assert work.written == {(outlet.id, WriteKind.LIMIT): write}
    assert (work.cuts, work.raises, work.failsafes) == ([], [], [])


@pytest.mark.parametrize(
    ("seen", "value_a", "more_a"),
    [
        (watch(16.0), 10.0, 6.0),
        (watch(16.0), 15.98, 0.02),
        (watch(16.0), 16.0, None),
        (watch(16.0), 17.0, None),
        (watch(6.0, flights=(flight(20.0),)), 10.0, 10.0),
        (watch(16.0, flights=(flight(10.0, deadline=AT + 1.5),)), 10.0, None),
        (watch(16.0, flights=(flight(10.0, deadline=AT + 0.5),)), 10.0, 6.0),
    ],
)
def test_a_cut_lowers_what_may_be_in_force(seen: Watch, value_a: float, more_a: float | None) -> None:
    """R12: by how much is its place in the line."""
    work = lay([seen])
    assert work.cut(work.tree.outlets[0], value_a) is (more_a is not None)
    found = [(pytest.approx(amps), write.value_a) for amps, write in work.cuts]
    assert found == ([] if more_a is None else [(more_a, value_a)])


@pytest.mark.parametrize(
    ("newest", "under_way"),
    [
        (None, False),
        (flight(10.0, deadline=AT + 1.1), True),
        (flight(10.0, deadline=AT + 1.0), False),
        (flight(9.0, deadline=AT + 2.0), True),
        (flight(10.01, deadline=AT + 2.0), True),
        (flight(10.02, deadline=AT + 2.0), False),
        (flight(10.0, sent_at=AT - 1.9), True),
        (flight(10.0, sent_at=AT - 2.0), False),
        (flight(10.0, sent_at=AT - 0.5, late=True), False),
        (flight(10.0, sent_at=AT - 9.0, answered_at=AT - 3.1), True),
        (flight(10.0, sent_at=AT - 9.0, answered_at=AT - 3.25), False),
    ],
)
def test_a_decision_has_its_time_to_be_sent_answered_and_read(newest: Flight | None, under_way: bool) -> None:
    """R4: a second for the line, two for the answer, its own time and three for the read."""
    seen = watch(16.0, flights=() if newest is None else (flight(3.0), newest))
    work = lay([seen])
    assert work.under_way(work.tree.outlets[0], 10.0) is under_way


def test_who_said_nothing_wants_nothing() -> None:
    """I13."""
    work = lay([watch()])
    outlet = work.tree.outlets[0]
    assert work.wants(outlet)
    for said in (replace(demand(), wants=False), replace(demand(), stop=True)):
        work.demands = {outlet.id: said}
        assert not work.wants(outlet)
    work.demands = {}
    assert work.demand(outlet) is IDLE
    assert not work.wants(outlet)
    work.demands = {outlet.id: demand()}
    work.watches[0].disobeyed_at = AT
    assert not work.wants(outlet)


def test_an_alarm_stands_once() -> None:
    """S-20."""
    work = lay()
    work.alarm(AlarmCode.TURN_GAP, "station")
    work.alarm(AlarmCode.TURN_GAP, "station")
    assert work.alarms == {Alarm(AlarmCode.TURN_GAP, "station")}
