"""B14: until the one write of a switch is made, each step at its very bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.phases import switch_phases
from siteward.control.phasing import ONE, THREE, Phasing, Stage
from siteward.model.wire import Write, WriteKind
from tests.siteward.control.bench import AT, TURN, alarms, demand, flight, lay
from tests.siteward.control.phase_bench import ON, READ_AT, SWITCHES, car, moved, step, turn, went
from tests.siteward.control.sites import Box


@pytest.mark.parametrize(
    ("goal", "wished_s", "begins"), [(ONE, 60.0, True), (ONE, 59.9, False), (THREE, 600.0, True), (THREE, 599.9, False)]
)
def test_down_after_a_minute_up_after_ten(goal: int, wished_s: float, begins: bool) -> None:
    """B14: of steady want; it begins with a pause, and is told with what it leads to."""
    seen = car(goal=goal, wished_since=AT - wished_s, conf_a=16.0, quiet_since=3.0)
    found = step(turn(seen))
    assert found == ({"step": "pause", "phases": goal, "switches": 0} if begins else None)
    assert moved(seen) == ((Stage.PAUSE, True, AT) if begins else (Stage.IDLE, False, AT - 5.0))
    if begins:
        assert (seen.phasing.wished_since, seen.phasing.quiet_since) == (None, None)


@pytest.mark.parametrize(
    ("phasing", "said", "begins"),
    [
        ({"last": AT - 600.0}, {}, True),
        ({"last": AT - 599.9}, {}, False),
        ({"switches": 3}, {}, True),
        ({"switches": 4}, {}, False),
        ({"locked": True}, {}, False),
        ({"took": 1}, {}, False),
        ({"took": 2}, {}, True),
        ({}, {"may_switch": False}, False),
        ({"wished_since": None}, {}, False),
    ],
)
def test_what_forbids_a_switch(phasing: dict[str, object], said: dict[str, object], begins: bool) -> None:
    """B14: ten minutes between two, four a session, a car of one phase, a lock, a session that said no."""
    seen = car(conf_a=16.0, **({"wished_since": AT - 900.0} | phasing))
    assert went(seen, said) == ("pause" if begins else None)


def test_who_may_be_given_nothing_is_not_switched() -> None:
    """R8: nor does its box begin anything."""
    seen = car(conf_a=16.0, wished_since=AT - 900.0)
    work = lay([seen], [SWITCHES], demands=[demand(may_switch=True)])
    work.allocatable = [False]
    assert step(turn(seen, work=work)) is None


@pytest.mark.parametrize(
    ("seen", "said", "back"),
    [
        ({}, {}, True),
        ({"plugged": True}, {}, False),
        ({}, {"wants": True}, False),
        ({"set_a": 6.0}, {}, False),
        ({"read_at": AT - 5.1}, {}, False),
    ],
)
def test_a_box_that_nobody_uses_goes_back_to_three(
    seen: dict[str, object], said: dict[str, object], back: bool
) -> None:
    """B14: the next car finds it as it was built."""
    rest = {"plugged": False} | {name: value for name, value in seen.items() if name != "set_a"}
    found = car(closed=ONE, conf_a=float(str(seen.get("set_a", 0.0))), seen=rest, quiet_since=3.0)
    assert went(found, {"wants": False} | said) == ("pause" if back else None)
    if back:
        assert (found.phasing.goal, found.phasing.quiet_since, found.phasing.stage) == (THREE, None, Stage.PAUSE)


@pytest.mark.parametrize(("closed", "last_s", "back"), [(THREE, 900.0, False), (ONE, 600.0, True), (ONE, 599.9, False)])
def test_it_goes_back_from_one_only_and_not_at_once(closed: int, last_s: float, back: bool) -> None:
    """B14: ten minutes after its last switch."""
    found = car(closed=closed, seen={"plugged": False}, last=AT - last_s)
    assert went(found, {"wants": False}) == ("pause" if back else None)


def test_a_box_that_cannot_be_reached_is_left() -> None:
    """R16: it hears nothing."""
    found = car(closed=ONE, seen={"plugged": False})
    work = lay([found], [SWITCHES], demands=[replace(demand(), wants=False)])
    work.reachable = [False]
    assert step(turn(found, work=work)) is None


def test_a_lock_is_told_while_its_car_is_there() -> None:
    """B14: and nobody else is bothered by it."""
    assert alarms(turn(car(locked=True))) == {("PHASE_SWITCH_LOCKED", "c00")}
    assert alarms(turn(car(locked=True, seen={"plugged": False}))) == set()
    assert alarms(turn(car())) == set()


def test_a_box_that_cannot_switch_is_passed_over_and_the_next_is_not() -> None:
    """B14: not every box of a site can."""
    plain, able = car(conf_a=16.0, wished_since=AT - 900.0), car(conf_a=16.0, wished_since=AT - 900.0)
    work = lay([plain, able], [Box(), SWITCHES], demands=[demand(may_switch=True)] * 2)
    switch_phases(work)
    assert [w.phasing.stage for w in work.watches] == [Stage.IDLE, Stage.PAUSE]
    assert [fact.connector for fact in work.facts] == ["c01"]


def test_ten_quiet_seconds_by_the_reads_end_the_pause() -> None:
    """B14: counted from the first read without current."""
    first = car(Stage.PAUSE)
    assert went(first) is None
    assert first.phasing.quiet_since == READ_AT
    assert went(car(Stage.PAUSE, quiet_since=AT - 9.9)) is None
    over = car(Stage.PAUSE, quiet_since=AT - 10.0)
    assert went(over) == "dead"
    assert moved(over) == (Stage.DEAD, True, AT)
    assert over.phasing.quiet_since == AT - 10.0


@pytest.mark.parametrize(
    "loud",
    [
        {"measured": (0.0, 0.0, 0.5)},
        {"measured": None},
        {"conf_a": 6.0},
        {"seen": {"flights": (flight(0.0),)}},
        {"seen": {"read_at": AT - 5.1}},
    ],
)
def test_half_an_ampere_or_a_doubt_is_not_quiet(loud: dict[str, object]) -> None:
    """B14: on any phase, by a fresh read of a confirmed pause."""
    for stage, after in ((Stage.PAUSE, None), (Stage.DEAD, "pause")):
        seen = car(stage, quiet_since=AT - 30.0, **loud)  # type: ignore[arg-type]
        assert went(seen) == after
        assert seen.phasing.quiet_since is None
        assert seen.phasing.stage is Stage.PAUSE


@pytest.mark.parametrize("still", [{"measured": (0.0, 0.49, 0.0)}, {"seen": {"read_at": AT - 5.0}}])
def test_a_little_less_is(still: dict[str, object]) -> None:
    """B14: and a read of five seconds ago still counts."""
    assert went(car(Stage.PAUSE, quiet_since=AT - 30.0, **still)) == "dead"  # type: ignore[arg-type]


@pytest.mark.parametrize(("for_s", "fails"), [(59.9, False), (60.0, True)])
def test_a_pause_that_does_not_work_fails_after_a_minute(for_s: float, fails: bool) -> None:
    """B14: told with the reason and the count; the next try is ten minutes later."""
    seen = car(Stage.PAUSE, measured=(0.7, 0.7, 0.7), since=AT - for_s, wished_since=4.0)
    found = step(turn(seen))
    failed = {"step": "failed", "phases": ONE, "switches": 0, "reason": "still_draws", "failures": 1}
    assert found == (failed if fails else None)
    if fails:
        assert seen.phasing == Phasing(Stage.IDLE, since=AT, goal=ONE, failures=1, last=AT)


def test_the_second_failure_locks() -> None:
    """B14: for the rest of the session, and told."""
    seen = car(Stage.PAUSE, measured=ON, since=AT - 60.0, failures=1)
    work = turn(seen)
    found = step(work)
    assert found == {"step": "locked", "phases": ONE, "switches": 0, "reason": "still_draws", "failures": 2}
    assert seen.phasing.locked
    assert alarms(work) == {("PHASE_SWITCH_LOCKED", "c00")}


def test_a_lock_is_never_opened_by_a_failure() -> None:
    """B14: what locked it before still does."""
    seen = car(Stage.PAUSE, measured=ON, since=AT - 60.0, locked=True)
    turn(seen)
    assert seen.phasing.locked


BROKEN: list[tuple[dict[str, object], dict[str, object]]] = [
    ({"conf_a": None}, {}),
    ({"seen": {"unread": True}}, {}),
    ({"known_at": AT + 0.1}, {}),
    ({}, {"stop": True}),
    ({}, {"may_switch": False}),
    ({"seen": {"disobeyed_at": AT - 9.0}}, {}),
    ({"seen": {"plugged": False}}, {"wants": False}),
]


@pytest.mark.parametrize("stage", [Stage.PAUSE, Stage.DEAD])
@pytest.mark.parametrize(("more", "said"), BROKEN)
def test_what_was_not_written_yet_is_abandoned_without_its_reason(
    stage: Stage, more: dict[str, object], said: dict[str, object]
) -> None:
    """B14: a restart, a stop, a session that forbids it, a car that left; it is no failure."""
    seen = car(stage, since=AT - 60.0, quiet_since=AT - 60.0, **more)  # type: ignore[arg-type]
    work = turn(seen, said)
    assert step(work) == {"step": "abandoned", "phases": ONE, "switches": 0}
    assert moved(seen) == (Stage.IDLE, False, AT)
    assert (seen.phasing.failures, seen.phasing.quiet_since) == (0, None)
    assert work.failsafes == []


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"known_at": AT}, {}),
        ({"goal": THREE, "seen": {"plugged": False}}, {"wants": False}),
        ({"goal": THREE, "seen": {"plugged": False}}, {}),
    ],
)
def test_what_has_its_reason_goes_on(more: dict[str, object], said: dict[str, object]) -> None:
    """B14: back to three phases needs nobody; a wish needs a car to come."""
    assert went(car(Stage.PAUSE, quiet_since=AT - 60.0, **more), said) == "dead"  # type: ignore[arg-type]


def test_a_box_out_of_reach_is_abandoned() -> None:
    """B14: on what it does next nobody has a say."""
    seen = car(Stage.DEAD, since=AT - 60.0)
    work = lay([seen], [SWITCHES], demands=[demand(may_switch=True)])
    work.reachable = [False]
    found = step(turn(seen, work=work))
    assert found is not None
    assert found["step"] == "abandoned"


@pytest.mark.parametrize(("for_s", "gap", "writes"), [(29.9, None, False), (30.0, None, True), (60.0, AT, False)])
def test_thirty_dead_seconds_then_one_write(for_s: float, gap: float | None, writes: bool) -> None:
    """B14, R17: never in a gap."""
    seen = car(Stage.DEAD, since=AT - for_s, quiet_since=AT - 60.0, switches=1)
    work = lay([seen], [SWITCHES], demands=[demand(may_switch=True)])
    work.gap_at = gap
    found = step(turn(seen, work=work))
    if not writes:
        assert (found, work.failsafes, seen.phasing.stage) == (None, [], Stage.DEAD)
        return
    write = Write(work.tree.outlets[0].id, WriteKind.PHASES, 1.0, False, TURN, AT + 2.0)
    assert work.failsafes == [write]
    assert work.written == {(write.connector, WriteKind.PHASES): write}
    assert found == {"step": "switch", "phases": ONE, "switches": 2}
    assert (seen.phasing.last, moved(seen)) == (AT, (Stage.SWITCH, True, AT))
