"""Small losses cost nothing: one lost answer, whatever it was, books no restart and cuts nobody (R3b, section 3.11)."""

from pathlib import Path

import pytest

from siteward.model.ids import ConnectorId
from siteward.model.wire import FrameStage, WireEvent
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation


def _car() -> Car:
    return Car(name="car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3, react_s=2.0)


async def _settled(clock: VirtualClock, folder: Path, frames: bool) -> VirtualStation:
    station = VirtualStation(clock, folder, frames=frames)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, _car())
    await station.start()
    await station.run_for(240)
    return station


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("name", ["A02-1"])
def test_r3b_one_lost_answer_books_no_restart_and_cuts_nobody(tmp_path, frames, name):
    async def story(clock: VirtualClock) -> None:
        station = await _settled(clock, tmp_path, frames)
        connector = ConnectorId(name)
        booked: list[float] = []
        cuts: list[object] = []
        lost: list[WireEvent] = []

        def look(done):
            lost.extend(e for e in done.snapshot.wire if e.connector == connector and e.stage is FrameStage.FAILED)
            booked.append(done.decision.grants[connector].reserved_a)
            cuts.extend(done.decision.cuts)

        await station.run_for(1.0)
        station.watchers.append(look)
        for _ in range(8):
            await station.run_for(6.37)
            before = max(booked[-3:])
            booked.clear()
            lost.clear()
            station.sim.device(name).faults.mute = True
            for _ in range(80):
                await station.run_for(0.05)
                # What is read now and then counts as no missed poll, and is a lost answer all the same.
                if station.misses(connector) or lost:
                    break
            station.sim.device(name).faults.mute = False
            await station.run_for(5.0)
            assert len(lost) == 1, "exactly one answer was lost"
            assert max(booked) <= before + 0.01, "no restart may be booked for one lost answer"
            assert station.misses(connector) == 0
        assert cuts == []
        await station.stop()

    run_virtual(story)
