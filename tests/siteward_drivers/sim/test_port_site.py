"""Port fidelity: the model's ports on a simulated site, with gate, wire log, losses, and their speed."""

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter

import pytest

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId
from siteward.model.ports import Charger, Lines
from siteward.model.readings import Pilot
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.port_site import PortLines
from siteward_drivers.sim.scenario import BUSY
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .sites import demo_site

PROFILES = load_profiles()
A1, C1 = ConnectorId("a1"), ConnectorId("c1")


class Gate:
    """Opens and closes by hand."""

    def __init__(self) -> None:
        self.send = self.speak = True

    def may_send(self, write: Write, at: float) -> bool:
        return self.send

    def may_speak(self, connector: ConnectorId, at: float) -> bool:
        return self.speak


class Rig:
    """A demo site at port fidelity."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.sim = SimSite.from_site(demo_site(), PROFILES, clock=clock)
        self.gate = Gate()
        self.events: list[WireEvent] = []
        self.lines: Lines = PortLines(self.sim, clock, self.gate, self.events.append)

    def charger(self, name: str) -> Charger:
        return next(c for c in self.lines.chargers if c.id == name)

    def limit(self, name: str, amps: float, *, raises: bool = False) -> Write:
        return Write(ConnectorId(name), WriteKind.LIMIT, amps, raises, 7, self.clock.now() + 2)

    def trail(self, name: str) -> list[tuple[FrameKind, FrameStage]]:
        return [(e.kind, e.stage) for e in self.events if e.connector == name]


def at_ports(body: Callable[[Rig], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        await body(Rig(clock))

    run_virtual(main)


def test_a_limit_is_written_logged_read_back_and_flows() -> None:
    async def body(rig: Rig) -> None:
        rig.sim.world.plug(A1, Car("car", react_s=1.0, soc=0.2))
        await rig.charger("a1").write(Write(A1, WriteKind.FAILSAFE, 6.0, False, 7, 2.0))
        await rig.charger("a1").write(rig.limit("a1", 10.07))
        await rig.clock.sleep(5)
        reading = await rig.charger("a1").read()
        assert reading.set_point_a == pytest.approx(10.0)
        assert reading.failsafe_a == pytest.approx(6.0)
        assert reading.failsafe_timeout_s == pytest.approx(15.0)
        assert reading.standby_off is True
        assert reading.measured_a == pytest.approx((10.0, 10.0, 10.0))
        assert (reading.pilot, reading.charging, reading.energy_wh) == (Pilot.C, True, None)
        assert reading.energy_vah is not None
        steps = (FrameStage.QUEUED, FrameStage.SENT, FrameStage.ANSWERED)
        # The watchdog takes two frames: current and time are no neighbours of the standby register's frame.
        frames = (FrameKind.FAILSAFE, FrameKind.FAILSAFE, FrameKind.LIMIT, FrameKind.READ)
        assert rig.trail("a1") == [(kind, stage) for kind in frames for stage in steps]
        sent, answered = rig.events[-2:]
        assert answered.sent_at == sent.at < answered.at

    at_ports(body)


def test_zero_pauses_by_the_verb_of_the_profile_and_a_limit_releases_again() -> None:
    """R19."""

    async def body(rig: Rig) -> None:
        rig.sim.world.plug(C1, Car("car", react_s=1.0, max_a=32.0))
        charger = rig.charger("c1")
        await charger.write(rig.limit("c1", 0.0))
        await rig.clock.sleep(5)
        reading = await charger.read()
        assert (reading.set_point_a, reading.charging) == (0.0, False)
        await charger.write(rig.limit("c1", 12.9, raises=True))
        await rig.clock.sleep(15)
        reading = await charger.read()
        assert reading.set_point_a == 12.0
        assert reading.measured_a == pytest.approx((12.0, 12.0, 12.0))
        assert reading.energy_wh is not None

    at_ports(body)


def test_a_closed_gate_withdraws_before_anything_is_sent() -> None:
    async def body(rig: Rig) -> None:
        rig.gate.send = rig.gate.speak = False
        with pytest.raises(Withdrawn):
            await rig.charger("a1").write(rig.limit("a1", 6.0))
        with pytest.raises(Withdrawn):
            await rig.charger("a1").read()
        assert rig.trail("a1") == [
            (FrameKind.LIMIT, FrameStage.QUEUED),
            (FrameKind.LIMIT, FrameStage.WITHDRAWN),
            (FrameKind.READ, FrameStage.QUEUED),
            (FrameKind.READ, FrameStage.WITHDRAWN),
        ]
        assert rig.sim.banks[rig.lines.line_of(A1)].count.requests == 0

    at_ports(body)


@pytest.mark.parametrize(("fault", "heard"), [("silent", False), ("mute", True)])
def test_no_answer_is_unreachable_but_a_mute_box_did_act(fault: str, heard: bool) -> None:
    """R2: a lost answer leaves the value in flight."""

    async def body(rig: Rig) -> None:
        setattr(rig.sim.device("a1").faults, fault, True)
        began = rig.clock.now()
        with pytest.raises(DeviceUnreachable):
            await rig.charger("a1").write(rig.limit("a1", 7.0))
        assert 0.5 <= rig.clock.now() - began < 0.6
        assert rig.trail("a1")[-1] == (FrameKind.LIMIT, FrameStage.FAILED)
        rig.sim.restore_device("a1")
        reading = await rig.charger("a1").read()
        assert reading.set_point_a == pytest.approx(7.0 if heard else 16.0)

    at_ports(body)


def test_a_lost_line_takes_its_devices_and_no_others() -> None:
    async def body(rig: Rig) -> None:
        rig.sim.bank("rs485-1").faults.cut = True
        with pytest.raises(DeviceUnreachable):
            await rig.lines.meters[0].read()
        with pytest.raises(DeviceUnreachable):
            await rig.charger("a1").read()
        assert (await rig.charger("b1").read()).connector == "b1"
        assert (await rig.lines.meters[2].read()).current_a == (0.0, 0.0, 0.0)

    at_ports(body)


def test_a_cut_overtakes_polls_that_wait_for_the_same_wire() -> None:
    """Ruling 3: cuts, limit meters, raises, the rest."""

    async def body(rig: Rig) -> None:
        order: list[str] = []

        async def note(name: str, act: Awaitable[object]) -> None:
            await act
            order.append(name)

        async with asyncio.TaskGroup() as group:
            group.create_task(note("poll a2", rig.charger("a2").read()))
            await asyncio.sleep(0)
            group.create_task(note("poll a3", rig.charger("a3").read()))
            group.create_task(note("raise a4", rig.charger("a4").write(rig.limit("a4", 9.0, raises=True))))
            group.create_task(note("meter", rig.lines.meters[0].read()))
            group.create_task(note("cut a1", rig.charger("a1").write(rig.limit("a1", 6.0))))
        assert order == ["poll a2", "cut a1", "meter", "raise a4", "poll a3"]

    at_ports(body)


def test_a_meter_that_lies_is_read_as_what_a_driver_could_know() -> None:
    """Fault 30: an impossible value is rejected by name, never a number."""

    async def body(rig: Rig) -> None:
        meter, faults = rig.lines.meters[0], rig.sim.meter("grid-meter").faults
        first = await meter.read()
        assert first.rejected == ()
        assert first.serial is not None
        faults.shows = Shows.NAN
        lying = await meter.read()
        assert lying.current_a is None
        assert "current_l1" in lying.rejected
        faults.shows = Shows.ONES
        assert (await meter.read()).voltage_v is None

    at_ports(body)


def test_late_answers_miss_their_time_out_and_a_lost_share_fails_by_seed() -> None:
    async def body(rig: Rig) -> None:
        rig.sim.device("a1").faults.latency_s = 0.6
        with pytest.raises(DeviceUnreachable):
            await rig.charger("a1").read()
        rig.sim.restore_device("a1")
        rig.sim.device("a1").faults.loss = 0.3
        answered = 0
        for _ in range(100):
            try:
                await rig.charger("a1").read()
                answered += 1
            except DeviceUnreachable:
                await rig.clock.sleep(0.1)
        assert 30 < answered < 70

    at_ports(body)


def _an_hour(seed: int) -> tuple[object, float, int]:
    async def main(clock: VirtualClock) -> tuple[object, float, int]:
        sim = SimSite.from_site(demo_site(), PROFILES, BUSY, seed, clock)
        reads = 0
        lines = PortLines(sim, clock, Gate(), lambda _: None)

        async def poll(read: Callable[[], Awaitable[object]]) -> None:
            nonlocal reads
            for _ in range(600):
                await read()
                reads += 1
                await clock.sleep(1.0)

        began = clock.now()
        real = perf_counter()
        async with asyncio.TaskGroup() as group:
            for device in (*lines.meters, *lines.chargers):
                group.create_task(poll(device.read))
        return sim.truth().as_json(), (clock.now() - began) / (perf_counter() - real), reads

    return run_virtual(main)


def test_a_station_polled_every_second_runs_hundreds_of_times_faster_than_life_and_repeats_by_seed() -> None:
    """Ruling 31, and every failing seed is reproducible."""
    truth, speed, reads = _an_hour(3)
    assert reads == 15 * 600
    assert _an_hour(3)[0] == truth
    assert _an_hour(4)[0] != truth
    assert speed > 100
