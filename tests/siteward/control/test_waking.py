"""B10: which sleep is ours to end, and by what; step by step."""

from dataclasses import replace

import pytest

from siteward.control.memory import NEVER, Waking, Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.waking import dark, note_sleep, note_slept
from tests.siteward.control.bench import AT, alarms, demand, lay, watch
from tests.siteward.control.sites import Box

SLEEPS = Waking(slept=True)


def after(seen: Watch, box: Box | None = None, **more: object) -> Waking:
    """What is remembered of a car after one turn."""
    work = lay([seen], [box or Box()], demands=[replace(demand(), **more)])  # type: ignore[arg-type]
    note_sleep(work)
    return seen.waking


@pytest.mark.parametrize(("drew_s", "slept"), [(15.0, True), (15.1, False), (0.0, True)])
def test_only_a_car_that_drew_until_its_pause_is_waited_for(drew_s: float, slept: bool) -> None:
    """B10: one that had finished is let sleep."""
    seen = watch(0.0, drew_at=AT - drew_s)
    note_slept(seen, AT)
    assert seen.waking == Waking(slept=slept)


@pytest.mark.parametrize(("waking", "left"), [(SLEEPS, Waking()), (Waking(toggles=2), Waking()), (Waking(), Waking())])
def test_a_car_that_draws_is_awake(waking: Waking, left: Waking) -> None:
    """B10: what it slept is forgotten, and so is every interruption."""
    assert after(watch(6.0, drawing=True, waking=waking)) == left


def test_a_car_that_draws_keeps_what_is_known_of_it() -> None:
    """B10: a car that did not wake is spared for its whole session, also once it draws."""
    seen = watch(6.0, drawing=True, waking=Waking(True, 2, AT - 300.0, keeps=True))
    assert after(seen) == Waking(False, 0, AT - 300.0, keeps=True)


def test_what_flows_without_an_offer_wakes_nobody() -> None:
    """B10: the rest of a current that is being switched off is no answer to an offer."""
    assert after(watch(0.0, drawing=True, waking=SLEEPS)).slept


@pytest.mark.parametrize(("offered_s", "toggles"), [(59.9, 0), (60.0, 1)])
def test_an_offer_stands_a_minute_before_it_is_interrupted(offered_s: float, toggles: int) -> None:
    """B10: for 5 s."""
    waking = after(watch(6.0, on_since=AT - offered_s, waking=SLEEPS))
    assert waking.toggles == toggles
    assert waking.dark_until == (AT + 5.0 if toggles else NEVER)
    assert waking.slept
    assert not waking.keeps


@pytest.mark.parametrize(("since_s", "toggles"), [(59.9, 1), (60.0, 2)])
def test_the_next_minute_counts_from_the_end_of_the_interruption(since_s: float, toggles: int) -> None:
    """B10: the offer began anew there."""
    seen = watch(6.0, on_since=AT - 900.0, waking=Waking(True, 1, AT - since_s))
    assert after(seen).toggles == toggles


def test_after_two_interruptions_it_keeps_its_current() -> None:
    """B10: it is paused for fairness no more, and told of while it does not draw."""
    seen = watch(6.0, waking=Waking(True, 2, AT - 60.0))
    work = lay([seen])
    note_sleep(work)
    assert seen.waking == Waking(False, 2, AT - 60.0, keeps=True)
    assert alarms(work) == {("VEHICLE_ASLEEP", "c00")}
    seen.drawing = True
    work.alarms.clear()
    note_sleep(work)
    assert alarms(work) == set()


@pytest.mark.parametrize("conf_a", [None, 0.0, 5.9])
def test_less_than_a_floor_is_no_offer(conf_a: float | None) -> None:
    """B10: who is offered nothing cannot wake."""
    assert after(watch(conf_a, waking=SLEEPS)) == SLEEPS


def test_an_offer_that_was_never_switched_on_is_none() -> None:
    """B10: its set point was read, but since when it stands is not known."""
    assert after(watch(6.0, on_since=NEVER, waking=SLEEPS)) == SLEEPS


def test_a_rectifier_is_never_interrupted() -> None:
    """R20: a pause may end its session, and it has no pilot."""
    box = Box(dc_min_w=5000.0, max_a=100.0, hw_a=100.0, measures=False)
    assert after(watch(60.0, waking=SLEEPS), box) == SLEEPS


@pytest.mark.parametrize("said", [{"wants": False}, {"stop": True}])
def test_nobody_who_wants_nothing_is_woken(said: dict[str, bool]) -> None:
    """B10: his car is to sleep."""
    seen = watch(6.0, waking=Waking(True, 2, keeps=True))
    assert after(seen, **said) == Waking(True, 2, keeps=True)


def test_who_may_be_given_nothing_is_not_woken() -> None:
    """R8: unverified values."""
    seen = watch(6.0, waking=SLEEPS)
    work = lay([seen])
    work.allocatable = [False]
    note_sleep(work)
    assert seen.waking == SLEEPS


@pytest.mark.parametrize(("left_s", "held", "off"), [(0.1, False, True), (0.0, False, False), (0.0, True, True)])
def test_dark_until_its_very_end_and_while_phases_change(left_s: float, held: bool, off: bool) -> None:
    """B10, B14: two reasons, one meaning."""
    seen = watch(waking=Waking(dark_until=AT + left_s), phasing=AS_BUILT._replace(held=held))
    assert dark(seen, AT) is off
