"""B14: which layout would serve better, and since when."""

from __future__ import annotations

import pytest

from siteward.control.memory import NEVER
from siteward.control.phases import weigh
from siteward.control.phasing import ONE, THREE, Phasing, Stage
from siteward.model.limits import Limit, LimitSource
from tests.siteward.control.bench import AT, demand, lay
from tests.siteward.control.phase_bench import SWITCHES, car, went
from tests.siteward.control.sites import feeder


def weighed(
    room: tuple[float, float, float],
    closed: int | None = THREE,
    need_a: float = 6.0,
    high_a: float = 32.0,
    limits: tuple[Limit | None, Limit | None, Limit | None] = (None, None, None),
    lost: bool = False,
    fixed_a: float = 0.0,
    **phasing: object,
) -> Phasing:
    """The wish of a car after weighing, with so much room on the phases of its one fuse."""
    seen = car(closed=closed, conf_a=16.0, goal=phasing.pop("goal", THREE), **phasing)
    work = lay([seen], [SWITCHES], [feeder("grid", 63.0)], [demand(may_switch=True)])
    work.line_limit, work.fixed_a = list(limits), [fixed_a]
    work.nodes[0].substituted = lost
    weigh(work, work.tree.outlets[0], list(room), need_a, high_a)
    return seen.phasing


def goal(found: Phasing) -> int | None:
    """What is wished for."""
    return found.goal if found.wished_since is not None else None


@pytest.mark.parametrize(
    ("room", "wish"),
    [
        ((8.0, 5.9, 30.0), ONE),
        ((8.0, 30.0, 5.9), ONE),
        ((8.0, 6.0, 6.0), None),
        ((7.9, 5.9, 30.0), None),
        ((5.9, 30.0, 30.0), None),
        ((30.0, 30.0, 30.0), None),
    ],
)
def test_one_phase_serves_where_three_have_no_room(room: tuple[float, float, float], wish: int | None) -> None:
    """B14: its floor and 2 A on the first; never where three are enough."""
    assert goal(weighed(room)) == wish


CLOUD = Limit("x", LimitSource.CLOUD, (9.0, 9.0, 9.0))
STATIC = Limit("y", LimitSource.STATIC, (9.0, 9.0, 9.0))


@pytest.mark.parametrize(
    ("limits", "lost", "wish"),
    [
        ((None, CLOUD, None), False, None),
        ((CLOUD, None, CLOUD), False, ONE),
        ((None, STATIC, None), False, ONE),
        ((None, None, None), True, None),
    ],
)
def test_nobody_switches_because_of_a_limit_or_a_lost_meter(
    limits: tuple[Limit | None, Limit | None, Limit | None], lost: bool, wish: int | None
) -> None:
    """B14: he waits until it is gone; the installer's is as lasting as a fuse."""
    assert goal(weighed((20.0, 1.0, 20.0), limits=limits, lost=lost)) == wish


@pytest.mark.parametrize(
    ("room", "high_a", "fixed_a", "wish"),
    [
        ((9.0, 9.0, 9.0), 32.0, 0.0, THREE),
        ((8.0, 8.0, 8.0), 32.0, 0.0, THREE),
        ((9.0, 7.9, 9.0), 32.0, 0.0, None),
        ((20.1, 8.0, 8.0), 32.0, 0.0, None),
        ((19.9, 8.0, 8.0), 32.0, 0.0, THREE),
        ((32.0, 8.0, 8.0), 19.9, 0.0, THREE),
        ((32.0, 8.0, 8.0), 20.1, 0.0, None),
        ((22.0, 8.0, 8.0), 32.0, 2.0, THREE),
        ((24.0, 8.0, 8.0), 32.0, 2.0, None),
    ],
)
def test_three_phases_must_bring_a_fifth_more(
    room: tuple[float, float, float], high_a: float, fixed_a: float, wish: int | None
) -> None:
    """B14: three times what is left on each against what one could have; what is booked already counts in both."""
    found = weighed(room, ONE, high_a=high_a, fixed_a=fixed_a, goal=ONE)
    assert goal(found) == wish


@pytest.mark.parametrize(
    ("more", "wish"),
    [
        ({}, ONE),
        ({"high_a": 6.0}, ONE),
        ({"high_a": 5.9}, None),
        ({"closed": None}, None),
        ({"took": 1}, None),
        ({"locked": True}, None),
        ({"switches": 4}, None),
        ({"stage": Stage.VERIFY}, None),
    ],
)
def test_who_may_wish_for_it(more: dict[str, object], wish: int | None) -> None:
    """B14: whoever knows his layout and could be given a floor at all."""
    assert goal(weighed((20.0, 1.0, 20.0), **more)) == wish  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("room", "before", "goal_before", "since"),
    [
        ((20.0, 1.0, 20.0), AT - 30.0, ONE, AT - 30.0),
        ((20.0, 1.0, 20.0), AT - 30.0, THREE, AT),
        ((20.0, 20.0, 20.0), AT - 30.0, ONE, None),
        ((20.0, 20.0, 20.0), None, ONE, None),
    ],
)
def test_a_wish_counts_from_its_first_turn(
    room: tuple[float, float, float], before: float | None, goal_before: int, since: float | None
) -> None:
    """B14: another goal begins anew, a turn without it ends it."""
    assert weighed(room, wished_since=before, goal=goal_before).wished_since == since


def test_never_is_never() -> None:
    """B14: what never switched may, and what was never read shows nothing."""
    assert went(car(conf_a=16.0, wished_since=AT - 60.0, last=NEVER)) == "pause"
    assert goal(weighed((20.0, 1.0, 20.0), seen={"read_at": NEVER})) is None
