"""The modelled plant of a replay: a charger that is told to close one phase does, and its car draws on that one."""

from dataclasses import replace

from siteward.model.ids import ConnectorId
from siteward.model.wire import FrameKind, Write, WriteKind
from siteward.replay.plant import Plant
from tests.siteward.replay.test_moments import CAR, SITE, ready, turn


def test_phases_are_switched_as_told_and_shown_by_the_next_poll() -> None:
    """B14: what a site file would switch is carried out in the model, frame and contactor state included."""
    first, second, third = ready([replace(turn(s, 16.0, (16.0, 16.0, 16.0)), demands=None) for s in range(3)])
    plant = Plant(SITE)
    plant.begin(first)
    assert plant.flow(first, ()).drawn_a[CAR] == (16.0, 16.0, 16.0)
    write = Write(CAR, WriteKind.PHASES, 1.0, False, 1, 0.0)
    assert plant.flow(second, (write,)).drawn_a[CAR] == (16.0, 0.0, 0.0)
    seen = plant.snapshot(second, (write,))
    assert [e.kind for e in seen.wire if e.value_a == 1.0] == [FrameKind.PHASES] * 2
    assert plant.flow(third, ()).drawn_a[CAR] == (16.0, 0.0, 0.0)
    shown = plant.snapshot(third, ()).chargers
    assert shown[CAR].phases_closed == 1
    assert shown[ConnectorId("c01")].phases_closed is None
