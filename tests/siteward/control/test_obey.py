"""Step 9, fault 27: when a charger disobeys, what is done about it, and when it is forgiven."""

import pytest

from siteward.control.memory import NEVER, Watch
from siteward.control.obey import judge_obedience
from siteward.control.work import Work
from tests.siteward.control.bench import AT, alarms, flight, lay, watch
from tests.siteward.control.sites import Box, feeder

READ_AT = AT - 0.4
DISOBEYS, STILL, TRIPPED = "CHARGER_DISOBEYS", "CHARGER_STILL_DRAWS", "FEEDER_TRIPPED"


def draws(amps: float, conf_a: float | None = 10.0, **more: object) -> Watch:
    """A charger that draws so much, on its last phase."""
    return watch(conf_a, **({"measured_a": (0.0, 0.0, amps)} | more))


def judged(seen: Watch, trips: tuple[str | None, ...] = (None,), reachable: bool = True) -> Work:
    """One turn's judgement; feeders from the grid down, with the trips that are wired there."""
    nodes = [feeder(f"n{i}", 63.0, f"n{i - 1}" if i else None, trip=trip) for i, trip in enumerate(trips)]
    work = lay([seen], [Box(feeder=nodes[-1].id)], nodes)
    work.reachable = [reachable]
    judge_obedience(work)
    return work


def codes(work: Work) -> set[str]:
    """What stands, by code."""
    return {code for code, _ in alarms(work)}


@pytest.mark.parametrize(
    ("conf_a", "drawn_a", "over"),
    [
        (0.0, 1.0, False),
        (0.0, 1.1, True),
        (6.0, 7.0, False),
        (6.0, 7.01, True),
        (10.0, 11.0, False),
        (10.0, 11.1, True),
        (30.0, 33.0, False),
        (30.0, 33.1, True),
        (None, 30.0, False),
    ],
)
def test_an_ampere_or_a_tenth_above_its_limit_is_too_much(conf_a: float | None, drawn_a: float, over: bool) -> None:
    """Step 9: whichever is more; an unknown limit was not broken."""
    seen = draws(drawn_a, conf_a)
    work = judged(seen)
    assert seen.over_since == (READ_AT if over else None)
    assert not work.stops


@pytest.mark.parametrize(("since_s", "over"), [(5.2, True), (5.1, False)])
def test_after_a_new_limit_it_has_its_own_time_and_five_seconds(since_s: float, over: bool) -> None:
    """Step 9: counted to the read."""
    seen = draws(16.0, settled_at=READ_AT - since_s)
    judged(seen)
    assert (seen.over_since is not None) is over


def test_a_read_within_bounds_ends_it() -> None:
    """Step 9: seven seconds in a row."""
    seen = draws(10.0, over_since=AT - 6.0)
    judged(seen)
    assert seen.over_since is None


@pytest.mark.parametrize(("over_s", "caught"), [(6.9, False), (7.0, True)])
def test_seven_seconds_by_its_reads_stop_it(over_s: float, caught: bool) -> None:
    """Step 9: its limit is written down to a pause."""
    seen = draws(16.0, over_since=READ_AT - over_s, obeys_since=3.0)
    work = judged(seen)
    assert seen.over_since == READ_AT - over_s
    assert seen.disobeyed_at == (AT if caught else None)
    assert (work.stops == {"c00"}) is caught
    assert codes(work) == ({DISOBEYS} if caught else set())
    assert [(more, w.value_a, w.raises) for more, w in work.cuts] == ([(10.0, 0.0, False)] if caught else [])
    assert seen.obeys_since == (None if caught else 3.0)


@pytest.mark.parametrize(("refuted", "caught"), [(1, False), (2, True)])
def test_two_refused_writes_stop_it(refuted: int, caught: bool) -> None:
    """Step 9: it does not take what it is told, whatever it draws."""
    seen = draws(0.0, refuted=refuted)
    assert (judged(seen).stops == {"c00"}) is caught


def test_the_unreachable_are_stopped_in_the_books_only() -> None:
    """R16: a write to the silent is a probe, which has its own time."""
    seen = draws(16.0, over_since=AT - 60.0)
    work = judged(seen, reachable=False)
    assert work.stops == {"c00"}
    assert work.cuts == []


def bad(since_s: float = 30.0, amps: float = 0.0, conf_a: float | None = 0.0, **more: object) -> Watch:
    """A charger that was found to disobey so long ago."""
    return draws(amps, conf_a, disobeyed_at=AT - since_s, **more)


@pytest.mark.parametrize(
    ("since_s", "amps", "still"), [(10.0, 1.1, True), (9.9, 1.1, False), (10.0, 1.0, False), (10.0, 0.0, False)]
)
def test_who_draws_after_ten_seconds_is_told_loudly(since_s: float, amps: float, still: bool) -> None:
    """Fault 27: more than an ampere on any phase; the stop stands meanwhile."""
    work = judged(bad(since_s, amps))
    assert codes(work) == ({DISOBEYS, STILL} if still else {DISOBEYS})
    assert work.stops == {"c00"}
    assert work.trips == []
    assert work.cuts == []


@pytest.mark.parametrize(
    ("seen", "since"),
    [
        (bad(), READ_AT),
        (bad(amps=1.1), None),
        (bad(conf_a=None), None),
        (bad(conf_a=6.0), None),
        (bad(obeys_since=AT - 30.0), AT - 30.0),
        (bad(amps=1.1, obeys_since=AT - 90.0), None),
        (bad(conf_a=0.1, obeys_since=AT - 90.0), None),
    ],
)
def test_it_obeys_while_it_is_paused_and_draws_nothing(seen: Watch, since: float | None) -> None:
    """Step 9: by what is read, not by time alone."""
    judged(seen)
    assert seen.obeys_since == since
    assert seen.disobeyed_at is not None


@pytest.mark.parametrize(("for_s", "forgiven"), [(59.9, False), (60.0, True)])
def test_a_minute_of_obedience_by_its_reads_is_forgiven(for_s: float, forgiven: bool) -> None:
    """Step 9: with all that was held against it; one more turn tells of it."""
    seen = bad(obeys_since=READ_AT - for_s, over_since=READ_AT - 99.0, refuted=2)
    assert codes(judged(seen)) == {DISOBEYS}
    found = (seen.disobeyed_at, seen.over_since, seen.refuted, seen.obeys_since)
    assert (found == (None, None, 0, None)) is forgiven


@pytest.mark.parametrize(
    ("trips", "tripped"),
    [(("k1", None), ["n0"]), (("k1", "k2"), ["n1"]), (("k1", "k2", None), ["n1"]), ((None, "k2"), ["n1"])],
)
def test_the_nearest_feeder_with_a_trip_is_switched_off(trips: tuple[str | None, ...], tripped: list[str]) -> None:
    """Fault 27: and told, by its name."""
    work = judged(bad(amps=16.0), trips)
    assert work.trips == tripped
    assert (TRIPPED, tripped[0]) in alarms(work)
    assert [n.tripped_at == AT for n in work.nodes] == [node.id in tripped for node in work.tree.nodes]


@pytest.mark.parametrize(
    ("amps", "tripped_at", "again", "told"),
    [
        (16.0, READ_AT - 10.0, True, True),
        (16.0, READ_AT - 9.9, False, True),
        (0.0, AT - 20.0, False, True),
        (0.0, AT - 30.0, False, True),
        (0.0, AT - 30.1, False, False),
    ],
)
def test_a_trip_is_repeated_while_later_reads_show_current(
    amps: float, tripped_at: float, again: bool, told: bool
) -> None:
    """Fault 27: every 10 s by the reads; its alarm lasts as long as the disobedience that it answered."""
    nodes = [feeder("grid", 63.0, trip="k1")]
    work = lay([bad(amps=amps)], feeders=nodes)
    work.nodes[0].tripped_at = tripped_at
    judge_obedience(work)
    assert work.trips == (["grid"] if again else [])
    assert (TRIPPED in codes(work)) is told


def test_a_stop_that_is_under_way_is_not_written_twice() -> None:
    """R4: it still has its time."""
    seen = draws(16.0, over_since=AT - 60.0, flights=(flight(0.0, sent_at=AT - 1.0, sends=1),))
    work = judged(seen)
    assert work.stops
    assert work.cuts == []


def test_nobody_measured_is_nobody_over() -> None:
    """Step 9: where it has no meter only refused writes tell."""
    seen = watch(0.0, read_at=NEVER)
    judged(seen)
    assert seen.over_since is None
