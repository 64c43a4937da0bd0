"""Wires at fault under the whole station, by the simulator's truth: what flows, what was written, what is told."""

from pathlib import Path

import pytest

from siteward.cli.line_health import Trouble, judge
from siteward.client.messages import LineMessage
from siteward.model.alarms import AlarmCode
from siteward.model.ids import LineId
from siteward.model.serial import Parity, SerialSettings
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation

ROW_A = ("A01-1", "A02-1", "A03-1", "A04-1")
ROW_B = ("B01-1", "B02-1", "B03-1", "B04-1")
LINE_A, LINE_B = LineId("rs485-1"), LineId("rs485-2")


async def busy(clock: VirtualClock, folder: Path) -> VirtualStation:
    """Every outlet charges and the station has settled."""
    station = VirtualStation(clock, folder, frames=True)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, Car("car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3))
    station.sim.base_step("grid", 20.0)
    await station.start()
    await station.run_for(60)
    assert all(drawn(station, name) >= 5.9 for name in (*ROW_A, *ROW_B))
    return station


def drawn(station: VirtualStation, name: str) -> float:
    return max(station.sim.truth().connector(name).draw_a)


def alarms(station: VirtualStation) -> set[tuple[str, str]]:
    live = station.station.live
    assert live is not None
    return {(a.code, a.subject) for a in live.alarms}


def link(station: VirtualStation, line: LineId) -> SimLink:
    assert station.links is not None
    return station.links[line]


async def swap(station: VirtualStation) -> None:
    """Pull both adapters and put each into the other's place."""
    one, two = link(station, LINE_A), link(station, LINE_B)
    one.plug(False)
    two.plug(False)
    one.bank, two.bank = two.bank, one.bank
    await station.run_for(1)
    one.plug(True)
    two.plug(True)


def test_two_adapters_that_changed_places_control_nothing(tmp_path: Path) -> None:
    """Fault 7: boxes of one kind at the same numbers look alike; a meter's serial number beside them tells of both."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        await swap(station)
        await station.run_for(20)
        wrong = {subject for code, subject in alarms(station) if code == AlarmCode.WRONG_DEVICE}
        assert {*ROW_A, *ROW_B, "grid-meter", "row-b-meter"} <= wrong
        await station.run_for(40)
        # Nobody speaks to them any more, so that their own watchdogs end (R2); nobody's limit is another's.
        assert all(drawn(station, name) <= 6.0 for name in (*ROW_A, *ROW_B))
        await swap(station)
        await station.run_for(90)
        assert not [subject for code, subject in alarms(station) if code == AlarmCode.WRONG_DEVICE]
        assert all(drawn(station, name) >= 5.9 for name in (*ROW_A, *ROW_B))
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


class Misheard(SimLink):
    """An adapter set wrongly, or its pair turned round: bytes go out, what comes is no frame to anybody."""

    wrong: SerialSettings | None = None
    turned = False

    def write(self, data: bytes) -> None:
        if self.turned:
            # The slaves see each bit upside down and answer nothing; the line at rest is heard as breaks.
            assert self._inbox is not None
            self._inbox.data_received(b"\x00" * 3)
            return
        if self.wrong is not None:
            self.tune(self.wrong)
        super().write(data)


@pytest.mark.parametrize("fault", ["baud", "turned"])
def test_a_wrong_speed_or_a_turned_pair_is_told_and_the_other_bus_is_untouched(tmp_path: Path, fault: str) -> None:
    """Fault 3: one bus hears nobody; the doctor says which and why, the other one does not miss a poll."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        bad = link(station, LINE_B)
        bad.__class__ = Misheard
        assert isinstance(bad, Misheard)
        bad.turned = fault == "turned"
        bad.wrong = SerialSettings(9600, Parity.EVEN, 1)
        before = {s.device: s.timeouts + s.garbled for v in station.station.lines.views() for s in v.slaves}
        await station.run_for(60)
        views = {view.id: view for view in station.station.lines.views()}
        assert all(s.timeouts + s.garbled == before[s.device] for s in views[LINE_A].slaves)
        assert all(drawn(station, name) >= 5.9 for name in ROW_A)
        assert [drawn(station, name) for name in ROW_B] == [6.0] * 4
        assert {(AlarmCode.CHARGER_UNREACHABLE, name) for name in ROW_B} <= alarms(station)
        assert (AlarmCode.METER_LOST, "row-b-meter") in alarms(station)
        fresh = [view for view in since_fault(station, before) if view.id == LINE_B]
        found = [d.trouble for d in judge(fresh)]
        assert found == [Trouble.NO_VALID_FRAME if fault == "turned" else Trouble.ALL_SILENT]
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


def since_fault(station: VirtualStation, before: dict[str, int]) -> list[LineMessage]:
    """The statistics as `doctor --seconds` sees them: only what came after."""
    made = []
    for view in station.station.lines.views():
        slaves = []
        for slave in view.slaves:
            lost = slave.timeouts + slave.garbled - before[slave.device]
            garbled = min(slave.garbled, lost)
            changes = {"sent": lost, "answered": 0, "timeouts": lost - garbled, "garbled": garbled}
            slaves.append({**{n: getattr(slave, n) for n in ("device", "unit")}, "refused": 0, **changes})
        rest = {"latency_ms": None, "latency_p99_ms": None}
        whole = {n: getattr(view, n) for n in ("id", "port", "open", "load", "early_frames")}
        made.append(LineMessage.model_validate({**whole, "slaves": [{**s, **rest} for s in slaves]}))
    return made
