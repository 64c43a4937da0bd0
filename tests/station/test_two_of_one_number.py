"""Fault 9 in service: two devices with one number are told, and neither is controlled, by the simulator's truth."""

from pathlib import Path

import pytest

from siteward.cli.line_health import Trouble, judge
from siteward.client.messages import LineMessage
from siteward.model.alarms import AlarmCode
from siteward.model.ids import LineId
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.mixed_line import TwinBank
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.siteward_drivers.scan_rig import simulated

LINE = LineId("rs485-1")
OTHERS = ("A01-1", "A03-1", "A04-1")


async def busy(clock: VirtualClock, folder: Path) -> VirtualStation:
    """Four boxes charge, the station has settled."""
    station = VirtualStation(clock, folder, frames=True)
    for connector in ("A01-1", "A02-1", "A03-1", "A04-1"):
        station.sim.world.plug(
            connector, Car(name="car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3, react_s=2.0)
        )
    station.sim.base_step("grid", 20.0)
    await station.start()
    await station.run_for(60)
    return station


def alarms(station: VirtualStation) -> set[tuple[str, str]]:
    live = station.station.live
    assert live is not None
    return {(a.code, a.subject) for a in live.alarms}


def doctor(station: VirtualStation) -> list[tuple[str, str | None]]:
    views = station.station.lines.views()
    found = judge(LineMessage.model_validate(view) for view in views)
    return [(d.trouble, d.device) for d in found if d.line == LINE]


@pytest.mark.parametrize("behind", [False, True])
def test_a_second_box_with_a_taken_number_is_told_and_control_of_both_is_refused(tmp_path: Path, behind: bool) -> None:
    """Fault 9: whether they speak at once or in turn; the alarm comes in a minute and goes when one is taken away."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        before = max(station.sim.truth().connector("A02-1").draw_a)
        assert before > 6.0
        assert station.links is not None
        other = simulated(clock.now, boxes=2)
        (twin,) = [box for box in other.chargers.values() if box.charger.unit == 2]
        twins = TwinBank(station.sim.bank(LINE), {12: twin}, behind)
        link = station.links[LINE]
        link.put(twins)
        raised: list[float] = []
        station.watchers.append(
            lambda done: raised.extend(w.value_a for w in done.decision.raises if w.connector == "A02-1")
        )
        await station.run_for(60)
        assert (AlarmCode.DUPLICATE_ADDRESS, "A02") in alarms(station)
        assert (Trouble.DUPLICATE, "A02") in doctor(station)
        raised.clear()
        await station.run_for(60)
        truth = station.sim.truth()
        assert raised == []
        assert max(truth.connector("A02-1").draw_a) <= 6.0
        assert all(max(truth.connector(name).draw_a) > 6.0 for name in OTHERS)
        assert [code for code, subject in alarms(station) if subject in OTHERS] == []
        link.put(station.sim.bank(LINE))
        await station.run_for(170)
        assert (AlarmCode.DUPLICATE_ADDRESS, "A02") not in alarms(station)
        assert max(station.sim.truth().connector("A02-1").draw_a) > 6.0
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


def test_noise_on_the_whole_wire_is_no_second_device(tmp_path: Path) -> None:
    """Faults 1 and 9: an alarm that names an innocent device sends the installer the wrong way."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        station.sim.bank(LINE).faults.noise = 0.01
        for _ in range(6):
            await station.run_for(15)
            assert AlarmCode.DUPLICATE_ADDRESS not in {code for code, _ in alarms(station)}
        assert (Trouble.NOISE, None) in doctor(station)
        await station.stop()

    run_virtual(story)
