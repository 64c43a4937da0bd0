"""Fault 9: which patterns of answers mean two devices with one number, and which mean the wire or nothing."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.errors import DeviceUnreachable
from siteward_drivers.clash import CLEAR_READS, CLEAR_S, Clash
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .rig import honest
from .test_devices import METER, put, put_floats, running

SLOW_S = 61.0
"""The meter's serial number is among what it is asked for once a minute."""


def reads(clash: Clash, pattern: str, others: tuple[Clash, ...] = (), at: float = 0.0) -> float:
    """One read a second: `.` clear, `x` damaged, `2` a second answer behind; returns the time after."""
    for kind in pattern:
        if kind == "x":
            clash.damaged(at)
        else:
            clash.clear(at)
        if kind == "2":
            clash.second(at)
        for other in others:
            other.clear(at)
        if kind != ".":
            clash.judge(others, at)
        at += 1.0
    return at


@pytest.mark.parametrize(
    ("pattern", "alone", "beside"),
    [
        ("..........", False, False),
        ("xxxxxxxxxx", False, True),
        ("x.x.x.x.x.x.x.x.x.x.", False, False),
        ("xxx.xxxx.xxxx", False, True),
        ("22.......2", True, True),
        ("2...........2...........2...........", False, False),
    ],
)
def test_each_pattern_is_judged_alone_and_beside_a_clear_neighbour(pattern: str, alone: bool, beside: bool) -> None:
    """Damage of a device that has the wire for itself may be the wire's; a second answer cannot."""
    one, two = Clash(), Clash()
    reads(one, pattern)
    reads(two, pattern, (Clash(),))
    assert (one.standing, two.standing) == (alone, beside)


def test_what_spoils_everybody_is_no_second_device() -> None:
    """Fault 1: noise."""
    one, other = Clash(), Clash()
    for second in range(40):
        for clash, rest in ((one, other), (other, one)):
            clash.damaged(float(second))
            clash.judge((rest,), float(second))
    assert [one.standing, other.standing] == [False, False]


def test_it_is_believed_until_reads_were_clear_for_a_minute() -> None:
    """The alarm goes by itself once one of the two is gone."""
    clash, neighbour = Clash(), Clash()
    at = reads(clash, "xxxxxxxxxx", (neighbour,))
    assert clash.standing
    at = reads(clash, "." * (CLEAR_READS + 5), (neighbour,), at)
    assert clash.standing
    reads(clash, ".", (neighbour,), at + CLEAR_S)
    assert not clash.standing


def test_two_serial_numbers_in_turn_are_two_meters() -> None:
    """Fault 9: the one whose answer is heard changes; a meter that was replaced never comes back by itself."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            serials: Iterator[int] = iter([4711, 4712, 4711])
            meter = site.lines.meters[0]
            told = []
            for _ in range(3):
                put(site.rtu, 1, 3, {64512: 0, 64513: next(serials)})
                await clock.sleep(SLOW_S)
                try:
                    await meter.read()
                except DeviceUnreachable as error:
                    told.append(str(error))
            assert told[-1] == "grid-meter: two devices seem to answer at its address"
            assert site.lines.alarms() == {Alarm(AlarmCode.DUPLICATE_ADDRESS, "grid-meter")}

    run_virtual(main)


def test_a_second_answer_behind_each_first_is_found_by_the_line() -> None:
    """Fault 9: the slower of two speaks when the faster has ended; the values of neither are taken."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock) as site:
            put_floats(site.rtu, 1, METER)
            meter = site.lines.meters[0]
            await meter.read()
            site.rtu.lie = lambda request, reply: [(0.01, reply), (0.03, reply)]
            refused = 0
            for _ in range(10):
                try:
                    await meter.read()
                except DeviceUnreachable:
                    refused += 1
                await clock.sleep(1.0)
            assert refused >= 6
            assert site.lines.alarms() == {Alarm(AlarmCode.DUPLICATE_ADDRESS, "grid-meter")}
            assert site.lines.views()[0].slaves[0].clash
            site.rtu.lie = honest
            for _ in range(int(CLEAR_S)):
                await clock.sleep(1.0)
                with suppress(DeviceUnreachable):
                    await meter.read()
            assert (await meter.read()).current_a is not None
            assert site.lines.alarms() == frozenset()

    run_virtual(main)
