"""The computer's own lines: gpiozero on its mock pins, gpiod behind a stand-in for its module (fault 79)."""

import asyncio
import os
import sys
from collections.abc import Iterator
from enum import Enum
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory
from pytest_mock import MockerFixture

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.points import Drive, PointName, PointPlan
from siteward_drivers.gpio import GpioDevice, gpio_device
from siteward_drivers.sim.virtual import VirtualClock

from .inout import DriveAsked

PLAN = PointPlan(
    inputs=(PointName("gpio:pi/5"), PointName("gpio:pi/6")),
    outputs={PointName("gpio:pi/17"): 0.05, PointName("gpio:pi/27"): None},
)


@pytest.fixture
def pins() -> Iterator[MockFactory]:
    """Mock pins instead of a Raspberry's."""
    factory = MockFactory()
    Device.pin_factory = factory
    yield factory
    factory.reset()
    Device.pin_factory = None


def pi(gate: DriveAsked | None = None) -> GpioDevice:
    return gpio_device("gpio:pi", VirtualClock(asyncio.get_running_loop()), gate or DriveAsked())


async def test_outputs_are_low_from_the_first_instant(pins: MockFactory) -> None:
    """Fault 79: claimed means off."""
    device = pi()
    await device.prepare(PLAN)
    assert [pins.pin(17).states[-1].state, pins.pin(27).states[-1].state] == [False, False]
    assert not any(state.state for number in (17, 27) for state in pins.pin(number).states if state.state is not None)
    await device.close()


async def test_a_contact_to_ground_is_closed_and_a_cut_cable_is_open(pins: MockFactory) -> None:
    """Fault 76: the pull-up decides what a broken wire says."""
    device = pi()
    await device.prepare(PLAN)
    pins.pin(5).drive_low()
    found = await device.read(urgent=True)
    assert found[PointName("gpio:pi/5")].on is True
    assert found[PointName("gpio:pi/6")].on is False
    await device.close()


async def test_edges_between_two_polls_are_counted_and_dated(pins: MockFactory) -> None:
    """Fault 76, chatter: a change that no poll sees is seen all the same."""
    device = pi()
    await device.prepare(PLAN)
    await device.read(urgent=True)
    pins.pin(5).drive_low()
    pins.pin(5).drive_high()
    await asyncio.sleep(0)
    found = (await device.read(urgent=True))[PointName("gpio:pi/5")]
    assert (found.on, found.edges) == (False, 2)
    assert found.edge_at is not None
    await device.close()


async def test_a_pulse_ends_by_itself_and_a_level_stays(pins: MockFactory) -> None:
    """Fault 77: the drive hears one pulse of the set length."""
    device = pi()
    await device.prepare(PLAN)
    await device.drive(Drive(PointName("gpio:pi/17"), on=True, pulse_s=0.05))
    await device.drive(Drive(PointName("gpio:pi/27"), on=True))
    assert (pins.pin(17).state, pins.pin(27).state) == (True, True)
    await asyncio.sleep(0.1)
    assert (pins.pin(17).state, pins.pin(27).state) == (False, True)
    await device.drive(Drive(PointName("gpio:pi/27"), on=False))
    assert pins.pin(27).state is False
    await device.close()


async def test_leaving_switches_everything_off(pins: MockFactory) -> None:
    """Fault 79: nothing of ours stays on behind us."""
    device = pi()
    await device.prepare(PLAN)
    await device.drive(Drive(PointName("gpio:pi/27"), on=True))
    await device.close()
    assert [state.state for state in pins.pin(27).states][-2:] != [True, True]
    with pytest.raises(DeviceUnreachable, match="not prepared"):
        await device.read(urgent=True)


async def test_the_gate_is_asked_for_what_is_risky(pins: MockFactory) -> None:
    """Law 1, I11: the same discipline as on a wire."""
    gate = DriveAsked()
    gate.open = False
    device = pi(gate)
    await device.prepare(PLAN)
    with pytest.raises(Withdrawn):
        await device.drive(Drive(PointName("gpio:pi/17"), on=True, pulse_s=0.05, risky=True))
    assert not pins.pin(17).state
    await device.close()


async def test_a_line_that_the_chip_has_not_is_told(pins: MockFactory) -> None:
    """Law 5: a wrong number is an unreachable device, not a crash of core."""
    with pytest.raises(DeviceUnreachable, match="gpio:pi"):
        await pi().prepare(PointPlan(inputs=(PointName("gpio:pi/999"),)))


class Level(Enum):
    INACTIVE = 0
    ACTIVE = 1


class FakeRequest:
    """Granted lines of a chip; edges come through a real pipe, as the kernel's do."""

    def __init__(self, config: dict[int, Any]) -> None:
        self.config = config
        self.levels = {n: settings.output_value or Level.INACTIVE for n, settings in config.items()}
        self.fd, self._tell = os.pipe()
        self.events: list[Any] = []
        self.released = False

    def edge(self, line: int, kind: object) -> None:
        self.events.append(SimpleNamespace(line_offset=line, event_type=kind))
        os.write(self._tell, b"!")

    def read_edge_events(self) -> list[Any]:
        os.read(self.fd, 64)
        events, self.events = self.events, []
        return events

    def get_value(self, line: int) -> Level:
        return self.levels[line]

    def set_value(self, line: int, value: Level) -> None:
        self.levels[line] = value

    def release(self) -> None:
        self.released = True
        os.close(self.fd)
        os.close(self._tell)


@pytest.fixture
def chip(mocker: MockerFixture) -> ModuleType:
    """The module gpiod as its documentation describes version 2, as far as we use it."""
    fake: Any = ModuleType("gpiod")
    line: Any = ModuleType("gpiod.line")
    line.Direction = Enum("Direction", ["INPUT", "OUTPUT"])
    line.Edge = Enum("Edge", ["NONE", "BOTH"])
    line.Value = Level
    fake.line = line
    fake.EdgeEvent = SimpleNamespace(Type=Enum("Type", ["RISING_EDGE", "FALLING_EDGE"]))
    fake.asked = []

    def settings(direction: object, output_value: object = None, edge_detection: object = None) -> SimpleNamespace:
        return SimpleNamespace(direction=direction, output_value=output_value, edge_detection=edge_detection)

    def request_lines(path: str, consumer: str, config: dict[int, Any]) -> FakeRequest:
        if path != "/dev/gpiochip0":
            raise FileNotFoundError(path)
        fake.asked.append(FakeRequest(config))
        granted: FakeRequest = fake.asked[-1]
        return granted

    fake.LineSettings, fake.request_lines = settings, request_lines
    mocker.patch.dict(sys.modules, {"gpiod": fake, "gpiod.line": line})
    module: ModuleType = fake
    return module


CHIP_PLAN = PointPlan(inputs=(PointName("gpio:gpiochip0/3"),), outputs={PointName("gpio:gpiochip0/8"): 0.02})


def industrial(name: str = "gpio:gpiochip0") -> GpioDevice:
    return gpio_device(name, VirtualClock(asyncio.get_running_loop()), DriveAsked())


async def test_a_chip_grants_outputs_low_and_tells_edges(chip: Any) -> None:
    """Faults 76, 79: one request, outputs inactive in it, both edges asked for."""
    device = industrial()
    await device.prepare(CHIP_PLAN)
    (request,) = chip.asked
    assert request.config[8].output_value is Level.INACTIVE
    assert request.config[3].edge_detection is chip.line.Edge.BOTH
    await device.read(urgent=True)
    request.edge(3, chip.EdgeEvent.Type.RISING_EDGE)
    request.edge(3, chip.EdgeEvent.Type.FALLING_EDGE)
    await asyncio.sleep(0.02)
    found = (await device.read(urgent=True))[PointName("gpio:gpiochip0/3")]
    assert (found.on, found.edges) == (False, 2)
    await device.drive(Drive(PointName("gpio:gpiochip0/8"), on=True, pulse_s=0.02))
    assert request.levels[8] is Level.ACTIVE
    await asyncio.sleep(0.05)
    assert request.levels[8] is Level.INACTIVE
    await device.close()
    assert request.released


async def test_a_missing_chip_or_package_is_unreachable(chip: Any, mocker: MockerFixture) -> None:
    """Law 5: the alarm says what is missing; core goes on."""
    with pytest.raises(DeviceUnreachable, match="gpiochip7"):
        await industrial("gpio:gpiochip7").prepare(PointPlan(inputs=(PointName("gpio:gpiochip7/1"),)))
    mocker.patch.dict(sys.modules, {"gpiod": None})
    with pytest.raises(DeviceUnreachable, match="not installed"):
        await industrial().prepare(CHIP_PLAN)
