"""What nobody can read of a charger is not what was read or written last: judged by what it allows (R3, R5, R8)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from siteward.control.demand import Demand
from siteward.model.facts import Readback, ResetBy
from siteward.model.ids import ConnectorId
from siteward.model.site import Priority, Site
from siteward.model.wire import FrameKind
from tests.siteward.control.sites import Box, feeder, site
from tests.siteward.control.truth import Truth

C0 = ConnectorId("c00")


def _applying(built: Site, apply_s: float) -> Site:
    """The same site with chargers whose profile gives a written limit that long to act."""
    chargers = []
    for charger in built.chargers:
        (c,) = charger.connectors
        facts = replace(c.facts, limit=replace(c.facts.limit, apply_s=apply_s))
        chargers.append(replace(charger, connectors=(replace(c, facts=facts),)))
    return replace(built, chargers=tuple(chargers))


class Blank(Truth):
    """Chargers of some of which polls show no set point: somebody lifted their limit."""

    def __init__(self, built: Site) -> None:
        super().__init__(built, Random(1))
        self.lifted: set[ConnectorId] = set()
        self.writes: list[tuple[float, float]] = []
        for box in self.boxes.values():
            box.wants = 32.0
            self.demands[box.connector.id] = Demand(True, 32.0, Priority.NORMAL, self.at)

    def lift(self, cid: ConnectorId) -> None:
        """From now on it allows all that it can, and says of its limit nothing."""
        self.lifted.add(cid)
        self.boxes[cid].set_point = self.boxes[cid].connector.hardware_max_a

    def poll(self) -> None:
        """A register whose content is no current is known for nothing."""
        super().poll()
        for cid in self.lifted & set(self.readings):
            if self.readings[cid].sent_at == self.at:
                self.readings[cid] = replace(self.readings[cid], set_point_a=None)

    def exchange(self, cid: ConnectorId, kind: FrameKind, value: float | None, turn: int | None) -> bool:
        """A limit that is written ends that, where the box obeys."""
        if cid == C0 and kind is FrameKind.LIMIT and value is not None:
            self.writes.append((self.at, value))
            if self.boxes[cid].obeys:
                self.lifted.discard(cid)
        return super().exchange(cid, kind, value, turn)

    def booked(self, cid: ConnectorId = C0) -> float:
        """U of the last turn."""
        assert self.outcome is not None
        return self.outcome.grants[cid].reserved_a


def _two(**more: object) -> Site:
    return site([feeder("grid", 60.0, worst=10.0, metered=True)], [Box(**more)] * 2)  # type: ignore[arg-type]


@pytest.mark.parametrize("measures", [True, False])
def test_one_read_without_a_set_point_is_a_slip_two_are_a_limit_that_nobody_knows(measures: bool) -> None:
    """R5, R8: it is booked at all it can, the others pay at once, and it is given a limit again."""
    truth = Blank(_two(measures=measures))
    truth.run(120)
    before = truth.booked()
    assert 15.0 < before < 30.0
    truth.lifted.add(C0)
    truth.second()
    truth.lifted.clear()
    assert truth.booked() == before
    truth.run(20)
    truth.writes.clear()
    truth.lift(C0)
    for _ in range(3):
        truth.second()
    assert truth.booked() == 32.0
    truth.run(3)
    assert truth.writes[0][1] == 6.0
    assert truth.boxes[C0].limit(truth.at) == 6.0
    truth.run(60)
    assert truth.boxes[C0].limit(truth.at) > 12.0
    assert truth.verdict.longest_over_s < 10.0
    assert not truth.verdict.tripped


def test_where_nothing_wants_current_it_is_paused() -> None:
    """R5, R19: nobody charges there, so nothing may flow."""
    truth = Blank(_two())
    truth.demands[C0] = Demand(False, 0.0, Priority.NORMAL, truth.at)
    truth.boxes[C0].wants = 0.0
    truth.run(60)
    assert truth.booked() == 0.0
    truth.lift(C0)
    truth.run(6)
    assert truth.boxes[C0].limit(truth.at) == 0.0


def test_what_takes_no_limit_is_written_ever_more_slowly_and_never_believed() -> None:
    """R2, R8: neither is its old limit taken for gone when its watchdog should have fired; a register may be flash."""
    truth = Blank(_two(reset_by=ResetBy.LIMIT_WRITE))
    truth.run(60)
    truth.boxes[C0].obeys, truth.boxes[C0].tw = False, 0.0
    truth.lift(C0)
    truth.run(5)
    truth.writes.clear()
    for _ in range(600):
        truth.second()
        assert truth.booked() == 32.0
    assert 8 <= len(truth.writes) <= 18
    late = [b[0] - a[0] for a, b in zip(truth.writes[-4:-1], truth.writes[-3:], strict=True)]
    assert min(late) >= 55.0


def test_a_charger_that_fell_back_is_booked_there_until_its_next_limit_was_read() -> None:
    """R3, R5: paused, silent for long, back: it holds its fail-safe current until the pause that was written acts."""
    truth = Truth(_applying(_two(measures=False, boot_a=0.0), 2.0), Random(1))
    box = truth.boxes[C0]
    box.applies_s = 1.95
    truth.run(30)
    assert box.limit(truth.at) == 0.0
    box.hears = False
    truth.run(60)
    assert box.limit(truth.at) == 6.0
    box.hears = True
    for _ in range(30):
        truth.second()
    assert box.limit(truth.at) == 0.0
    assert truth.verdict.low_u == []


class Idle(Truth):
    """Chargers whose register shows what is in effect: nothing while their car takes nothing; some frames get lost."""

    def __init__(self, built: Site) -> None:
        super().__init__(built, Random(1))
        self.loses = 0
        for box in self.boxes.values():
            box.wants = 32.0
            self.demands[box.connector.id] = Demand(True, 32.0, Priority.NORMAL, self.at)

    def poll(self) -> None:
        """What is signalled while a car charges, else 0."""
        super().poll()
        for cid, box in self.boxes.items():
            if box.wants == 0.0 and cid in self.readings and self.readings[cid].sent_at == self.at:
                self.readings[cid] = replace(self.readings[cid], set_point_a=0.0)

    def exchange(self, cid: ConnectorId, kind: FrameKind, value: float | None, turn: int | None) -> bool:
        """The next limit frames to the first charger never arrive."""
        lost = cid == C0 and kind is FrameKind.LIMIT and self.loses > 0
        self.loses -= lost
        self.boxes[cid].hears = not lost
        return super().exchange(cid, kind, value, turn)


def test_a_controller_that_comes_back_believes_no_write_that_was_lost() -> None:
    """R5, R14: the ledger's limit may still be in force where the charger answers only after it was written to."""
    truth = Idle(_two(readback=Readback.EFFECTIVE, tw_s=None, measures=False))
    truth.run(120)
    box = truth.boxes[C0]
    box.wants, told = 0.0, box.limit(truth.at)
    assert told > 15.0
    truth.run(3)
    truth.kill()
    truth.alive, truth.loses = True, 2
    box.answers = False
    truth.run(8)
    box.answers = True
    truth.run(20)
    assert truth.verdict.low_u == []
