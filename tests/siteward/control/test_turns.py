"""B08, B12: the order in which floors are given, how long a turn is, and who is favoured."""

from __future__ import annotations

import pytest

from siteward.control.memory import NEVER, Slot, Waking, Watch
from siteward.control.rotation import note_pause, places, worn_out
from siteward.control.work import Work
from siteward.model.site import Priority
from tests.siteward.control.bench import AT, demand, lay, watch
from tests.siteward.control.sites import Box, feeder


def order(*takers: tuple[Watch, dict[str, object]], allocatable: list[bool] | None = None) -> list[str]:
    """The names of these outlets, in their order; what each session says beside its watch."""
    work = lay([w for w, _ in takers], demands=[demand(**said) for _, said in takers])  # type: ignore[arg-type]
    if allocatable is not None:
        work.allocatable = allocatable
    return [o.id for o, _, _ in places(work)]


def runs(since_s: float | None = 60.0, **slot: object) -> Watch:
    """A car that charges in its turn, which began so long ago."""
    known: dict[str, object] = {"turn_since": None if since_s is None else AT - since_s, "node": 0}
    return watch(6.0, slot=Slot(**(known | slot)))  # type: ignore[arg-type]


def waits(paused: bool = True, conf_a: float | None = 0.0, **slot: object) -> Watch:
    """A car that was refused at the grid."""
    return watch(conf_a, room_paused=paused, on_since=NEVER, slot=Slot(**({"node": 0} | slot)))  # type: ignore[arg-type]


def test_equals_stand_in_line_by_time_and_then_by_name() -> None:
    """B08: those who hold their floor, as those who wait."""
    for make in (runs, waits):
        assert order((make(), {"since": 9.0}), (make(), {"since": 5.0}), (make(), {"since": 5.0})) == [
            "c01",
            "c02",
            "c00",
        ]


def test_a_pause_sends_to_the_end_of_the_line() -> None:
    """B12: whoever was off later waits behind."""
    assert order((waits(off_since=AT - 60.0), {"since": 5.0}), (waits(), {"since": 9.0})) == ["c01", "c00"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((watch(6.0), {"must_run": True, "priority": Priority.GUEST}), (runs(), {"priority": Priority.FLEET})),
        ((watch(6.0, waking=Waking(keeps=True)), {}), (runs(), {"priority": Priority.FLEET})),
        ((waits(), {"priority": Priority.EMERGENCY}), (runs(), {"priority": Priority.FLEET})),
        ((waits(), {"priority": Priority.FLEET}), (runs(), {"priority": Priority.NORMAL})),
        ((waits(), {"priority": Priority.NORMAL}), (runs(), {"priority": Priority.GUEST})),
        ((waits(favoured_since=AT - 5.0), {"priority": Priority.GUEST}), (runs(), {"priority": Priority.FLEET})),
        ((waits(), {"priority": Priority.EMERGENCY}), (waits(favoured_since=AT - 5.0), {"priority": Priority.FLEET})),
        ((watch(6.0), {"must_run": True}), (waits(), {"priority": Priority.EMERGENCY})),
        ((runs(), {"since": 9.0}), (waits(), {"since": 5.0})),
        ((waits(), {"since": 9.0}), (runs(3600.0), {"since": 5.0})),
        ((runs(1900.0), {"since": 9.0}), (runs(3600.0), {"since": 5.0})),
        ((runs(None), {"since": 9.0}), (waits(), {"since": 5.0})),
        ((waits(), {"since": 9.0}), (waits(conf_a=6.0), {"since": 5.0})),
    ],
)
def test_who_goes_before_whom(first: tuple[Watch, dict[str, object]], second: tuple[Watch, dict[str, object]]) -> None:
    """B12: must-run, class but for one favoured, turn, waiting time; whoever is refused and not off yet is last."""
    hungry = (waits(off_since=AT - 1.0), {"since": AT, "priority": Priority.GUEST})
    assert order(second, first, hungry)[:2] == ["c01", "c00"]
    assert order(first, second, hungry)[:2] == ["c00", "c01"]


def test_who_may_be_given_nothing_has_no_place() -> None:
    """R8."""
    assert order((runs(), {}), (runs(), {}), allocatable=[False, True]) == ["c01"]


@pytest.mark.parametrize(
    ("running", "waiting", "period_s"), [(1, 1, 1800.0), (2, 1, 1800.0), (1, 2, 1200.0), (2, 2, 1800.0), (1, 20, 300.0)]
)
def test_a_turn_is_an_hour_shared_by_all_but_five_minutes_at_least(running: int, waiting: int, period_s: float) -> None:
    """B12: by rounds that everybody of that feeder needs."""
    for since_s, holds in ((period_s, False), (period_s - 0.1, True)):
        takers = [(runs(since_s), {"since": 1.0})] + [(runs(1.0), {"since": 2.0})] * (running - 1)
        found = order(*takers, *[(waits(), {"since": 3.0})] * waiting)
        assert (found[0] == "c00") is holds
        assert (found[-1] == "c00") is not holds


def test_without_anybody_waiting_a_turn_has_no_end() -> None:
    """B12: nobody is paused for nobody."""
    assert order((runs(99_999.0), {"since": 1.0}), (runs(1.0), {"since": 2.0})) == ["c00", "c01"]


def test_a_turn_ends_for_the_feeder_that_had_no_room_only() -> None:
    """B12: who loads another one has no part in it."""
    feeders = [feeder("grid", 100.0), feeder("a", 63.0, "grid"), feeder("b", 63.0, "grid")]
    watches = [runs(3600.0), runs(3600.0), waits(node=2)]
    boxes = [Box(feeder="a"), Box(feeder="b"), Box(feeder="b")]
    work = lay(watches, boxes, feeders, [demand(since=1.0), demand(since=2.0), demand(since=3.0)])
    assert [o.id for o, _, _ in places(work)] == ["c00", "c02", "c01"]


def test_who_was_paused_too_often_keeps_his_turn() -> None:
    """B12: six times in an hour are enough."""
    pauses = tuple(AT - 600.0 * n for n in range(6, 0, -1))
    assert pauses[0] == AT - 3600.0
    worn = runs(3600.0, pauses=tuple(p + 1.0 for p in pauses))
    assert order((worn, {"since": 1.0}), (waits(), {"since": 2.0})) == ["c00", "c01"]
    assert worn_out(worn, AT)
    assert not worn_out(watch(slot=Slot(pauses=pauses)), AT)
    assert not worn_out(watch(slot=Slot(pauses=pauses[1:])), AT - 3000.0)


@pytest.mark.parametrize(("wanted", "kept"), [(True, (AT - 3599.9, AT)), (False, (AT - 3599.9,))])
def test_pauses_of_the_last_hour_are_remembered(wanted: bool, kept: tuple[float, ...]) -> None:
    """B12: those that nobody wished for."""
    seen = watch(slot=Slot(turn_since=3.0, pauses=(AT - 3600.0, AT - 3599.9), node=4))
    note_pause(seen, AT, wanted)
    assert seen.slot == Slot(turn_since=3.0, off_since=AT, pauses=kept, node=4)


def favoured(*watches: Watch, since: list[float] | None = None) -> tuple[list[float | None], Work]:
    """Since when each is favoured after one turn."""
    waited = since or [AT - 4000.0] * len(watches)
    work = lay(watches, demands=[demand(since=at) for at in waited])
    places(work)
    return [w.slot.favoured_since for w in work.watches], work


@pytest.mark.parametrize(("waited_s", "now"), [(3600.0, AT), (3599.9, None)])
def test_an_hour_of_waiting_is_enough(waited_s: float, now: float | None) -> None:
    """B12: counted from his last pause."""
    assert favoured(waits(), since=[AT - waited_s])[0] == [now]
    assert favoured(waits(off_since=AT - waited_s))[0] == [now]
    assert favoured(waits(paused=False), since=[AT - waited_s])[0] == [None]


def test_the_longest_waiting_is_favoured_and_one_at_a_time() -> None:
    """B12: by name among equals; nobody while another is."""
    since = [AT - 3700.0, AT - 3900.0, AT - 3900.0]
    assert favoured(waits(), waits(), waits(), since=since)[0] == [None, AT, None]
    held = waits(favoured_since=AT - 10.0)
    assert favoured(held, waits(), waits(), since=since)[0] == [AT - 10.0, None, None]


@pytest.mark.parametrize(
    ("on_s", "favoured_s", "over"),
    [(300.0, 900.0, True), (299.9, 900.0, False), (900.0, 299.9, False), (900.0, 300.0, True)],
)
def test_favour_ends_with_the_shortest_turn(on_s: float, favoured_s: float, over: bool) -> None:
    """B12: five minutes of current since it was given; then the next may have it."""
    runner = watch(6.0, on_since=AT - on_s, slot=Slot(turn_since=AT - 60.0, favoured_since=AT - favoured_s))
    found, _ = favoured(runner, waits())
    assert found == ([None, AT] if over else [AT - favoured_s, None])


def test_favour_is_kept_while_it_waits() -> None:
    """B12: however long that takes."""
    assert favoured(waits(favoured_since=AT - 900.0))[0] == [AT - 900.0]
