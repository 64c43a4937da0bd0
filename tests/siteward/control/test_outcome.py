"""Steps 12 to 14 (I4, R14, ruling 17): order of writes, leases, books, the ledger and what it costs a commit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.ledger import Ledger
from siteward.control.memory import Watch
from siteward.control.outcome import FeederBook, LoadOutcome, close
from siteward.control.work import Work
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.recovered import LedgerEntry
from siteward.model.wire import Write, WriteKind
from tests.siteward.control.bench import AT, TURN, alarms, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

C0, C1, C2 = (ConnectorId(f"c0{i}") for i in range(3))
LIMIT = WriteKind.LIMIT


def closed(work: Work) -> LoadOutcome:
    """The outcome of a turn."""
    return close(work, {})


def write(name: ConnectorId, value_a: float, raises: bool = False, deadline: float = AT + 2.0) -> Write:
    """A limit of this turn."""
    return Write(name, LIMIT, value_a, raises, TURN, deadline)


def test_the_biggest_change_goes_first_and_only_the_newest_of_a_connector() -> None:
    """Step 12: by name among equals."""
    work = lay([watch(), watch(), watch()])
    old, new = write(C0, 9.0), write(C0, 8.0)
    for found in (work.cuts, work.raises):
        found += [(9.0, old), (2.0, write(C2, 7.0)), (2.0, write(C1, 7.0)), (1.0, new)]
    out = closed(work)
    assert [(w.connector, w.value_a) for w in out.cuts] == [("c01", 7.0), ("c02", 7.0), ("c00", 8.0)]
    assert out.raises == out.cuts


def test_everything_that_was_found_is_handed_out() -> None:
    """Step 12."""
    work = lay([watch(), watch()])
    work.failsafes, work.stops, work.trips = [write(C0, 6.0)], {C1}, [FeederId("grid")]
    work.probes = {}
    out = closed(work)
    assert (out.failsafes, out.stops, out.trips) == ((write(C0, 6.0),), {C1}, ("grid",))
    assert (out.grants, out.alarms, out.facts) == ({}, frozenset(), ())
    assert out.leases == {C0, C1}
    memory = out.memory
    assert (memory.at, memory.wall, memory.started_at) == (AT, work.snapshot.wall, work.memory.started_at)
    assert (memory.watches, memory.nodes) == (tuple(work.watches), tuple(work.nodes))
    assert (memory.gap_at, memory.gap_alarm_at, memory.ledger) == (None, work.memory.gap_alarm_at, out.ledger)
    assert memory.probes is work.probes


def test_in_a_gap_no_lease_is_renewed() -> None:
    """R17: those that run go on to their end; the gap is remembered, and when it was."""
    work = lay([watch()])
    work.memory = replace(work.memory, ledger=Ledger(AT - 1.0, TURN - 1, lease_until={C0: AT + 3.0}))
    work.gap, work.gap_at = True, AT
    out = closed(work)
    assert out.leases == frozenset()
    assert out.ledger.lease_until == {C0: AT + 3.0}
    assert (out.memory.gap_at, out.memory.gap_alarm_at) == (AT, AT)
    calm = closed(lay([watch()]))
    assert calm.ledger.lease_until == {C0: AT + 5.0}
    assert calm.ledger.lease_s == {C0: 5.0}
    assert (calm.ledger.at, calm.ledger.turn) == (AT, TURN)


@pytest.mark.parametrize(
    ("old", "gap", "kept"),
    [
        (write(C0, 8.0, deadline=AT), False, True),
        (write(C0, 8.0, deadline=AT - 0.1), False, False),
        (write(C0, 8.0, raises=True), False, True),
        (write(C0, 8.0, raises=True), True, False),
        (write(C0, 8.0), True, True),
    ],
)
def test_a_write_may_be_sent_until_its_deadline_and_no_raise_over_a_gap(old: Write, gap: bool, kept: bool) -> None:
    """R4, R17: the newest of a connector takes its place."""
    work = lay([watch(), watch()])
    work.memory = replace(work.memory, ledger=Ledger(AT - 1.0, TURN - 1, newest={(C0, LIMIT): old}))
    work.gap = gap
    mine = write(C1, 7.0)
    work.written = {(C1, LIMIT): mine}
    assert closed(work).ledger.newest == ({(C0, LIMIT): old} if kept else {}) | {(C1, LIMIT): mine}
    newer = write(C0, 6.0)
    work.written = {(C0, LIMIT): newer}
    assert closed(work).ledger.newest == {(C0, LIMIT): newer}


@pytest.mark.parametrize(
    ("raises", "reachable", "room_a", "roomy"),
    [(True, True, 0.0, True), (False, True, 0.0, False), (True, False, 0.0, False), (True, True, -0.1, False)],
)
def test_a_raise_may_be_sent_while_it_has_room(raises: bool, reachable: bool, room_a: float, roomy: bool) -> None:
    """R14: and its charger answers."""
    work = lay([watch()])
    work.written = {(C0, LIMIT): write(C0, 16.0, raises)}
    work.reachable = [reachable]
    work.raiseline = [total + room_a for total in work.total_a]
    assert closed(work).ledger.roomy == ({C0} if roomy else frozenset())


@pytest.mark.parametrize(
    ("seen", "entry"),
    [
        (watch(16.0), (16.0, None)),
        (watch(16.0, flights=(flight(20.0),)), (16.0, 20.0)),
        (watch(16.0, flights=(flight(16.0),)), (16.0, None)),
        (watch(None, booked_a=9.0), (9.0, None)),
        (watch(None, booked_a=9.0, flights=(flight(12.0),)), (9.0, 12.0)),
        (watch(None), (None, None)),
        (watch(None, flights=(flight(12.0),)), (None, None)),
    ],
)
def test_the_journal_keeps_what_may_be_in_force(seen: Watch, entry: tuple[float | None, float | None]) -> None:
    """Ruling 17: and only what changed costs a commit."""
    work = lay([seen])
    row = LedgerEntry(C0, *entry)
    out = closed(work)
    assert out.ledger_rows == (row,)
    assert out.memory.rows == {C0: row}
    work.memory = replace(work.memory, rows=out.memory.rows)
    again = closed(work)
    assert again.ledger_rows == ()
    assert again.memory.rows == {C0: row}
    for other in (LedgerEntry(C0, 1.0, entry[1]), LedgerEntry(C0, entry[0], 31.0)):
        work.memory = replace(work.memory, rows={C0: other})
        assert closed(work).ledger_rows == (row,)


@pytest.mark.parametrize(
    ("worst", "verified", "since_s", "since", "told"),
    [
        (57.0, True, 60.0, None, False),
        (57.1, True, None, AT, False),
        (57.1, True, 5.9, AT - 5.9, False),
        (57.1, True, 6.0, AT - 6.0, True),
        (40.0, False, 6.0, AT - 6.0, True),
    ],
)
def test_a_fuse_that_would_not_hold_for_ever_without_us_is_told(
    worst: float, verified: bool, since_s: float | None, since: float | None, told: bool
) -> None:
    """I4: with the values that are verified now, for six seconds."""
    work = lay([watch(verified=verified)], feeders=[feeder("grid", 63.0, worst=worst)])
    work.nodes[0].unproven_since = None if since_s is None else AT - since_s
    closed(work)
    assert work.nodes[0].unproven_since == since
    assert alarms(work) == ({("FEEDER_UNPROVEN", "grid")} if told else set())


def test_each_fuse_is_judged_by_its_own_phases() -> None:
    """I4: one that holds does not hide the next; a phase without chargers is none of ours."""
    feeders = [feeder("grid", 100.0), feeder("row", 10.0, "grid", worst=(0.0, 99.0, 0.0)), feeder("x", 5.0, "grid")]
    work = lay([watch(), watch()], [Box(feeder="row", wiring="1"), Box(feeder="x", wiring="1")], feeders)
    for n in work.nodes:
        n.unproven_since = AT - 60.0
    closed(work)
    assert alarms(work) == {("FEEDER_UNPROVEN", "x")}


def test_a_fuse_is_booked_to_the_milliampere() -> None:
    """I4: its meter only while it is believed."""
    work = lay([watch()], feeders=[feeder("grid", 63.0, neutral=30.0)])
    work.total_a[:3], work.base_cut[:3] = [1.00049, 2.0, 3.0], [4.0, 5.00051, 6.0]
    n = work.nodes[0]
    assert closed(work).feeders == {"grid": FeederBook((1.0, 2.0, 3.0), (4.0, 5.001, 6.0), None, None)}
    n.load_a, n.meter_at = (7.0, 8.0, 9.0), AT - 2.0
    assert closed(work).feeders[FeederId("grid")].load_a == (7.0, 8.0, 9.0)
    assert closed(work).feeders[FeederId("grid")].meter_age_s == 2.0
    n.substituted = True
    assert closed(work).feeders[FeederId("grid")].load_a is None
    assert closed(work).feeders[FeederId("grid")].meter_age_s == 2.0
