"""Registers that hold anything under right checksums: no turn raises, nothing is written beyond its device."""

import random
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import pytest

from siteward.client.messages import LiveMessage
from siteward.control.record import record
from siteward.model.ids import LineId, MeterId
from siteward.model.site import Line, Meter, Site
from siteward.runtime.turn import TurnDone
from siteward.store.canonical import event
from siteward.store.trace_rows import decode, encode
from siteward_drivers.profile_points import Table
from siteward_drivers.profile_schema import Transport
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_sync.heartbeat import heartbeat
from tests.fixtures.bounds import BoundWatch
from tests.fixtures.fleet import fleet
from tests.fixtures.station import PROFILES, VirtualStation

WORDS = (0, 1, 2, 3, 0xFFFF, 0x7FFF, 0x8000, 0x7FC0, 0x7F80, 0xFF80, 0x7F7F, 0xFF7F, 0x7FF0, 0x7FEF, 0x4E8F, 0x00FF)
"""Words that make NaN, infinity, the largest and the most negative numbers, and "not known"."""

SHARES = 4
SETTLE_S, JUNK_S, STEP_S, HEAL_S = 40, 60, 3, 20


def some_of_all(share: int) -> Site:
    """Every fourth profile: chargers on wires of their own, meters too; every second charger is billed by a meter."""
    chargers = PROFILES.names("charger")[share::SHARES]
    meters = [name for name in PROFILES.names("meter") if PROFILES[name].file.points][share::SHARES]
    site = fleet(chargers, 40.0)
    lines, found, billed = list(site.lines), list(site.meters), list(site.chargers)
    for number, name in enumerate(meters):
        wire, facts, line = PROFILES[name].file.wire, PROFILES.meter(name), LineId(f"m-{name}")
        assert facts is not None
        serial = wire.serial if wire.transports[0] is Transport.RTU else None
        port = f"tcp://m-{name.replace('_', '-')}:502" if serial is None else f"/dev/m-{name}"
        lines.append(Line(line, port, serial.baud if serial is not None else 9600))
        found.append(Meter(MeterId(f"m-{name}"), line, wire.unit, name, facts))
        if 2 * number < len(billed):
            box = billed[2 * number]
            outlets = tuple(replace(outlet, meter=found[-1].id) for outlet in box.connectors)
            billed[2 * number] = replace(box, connectors=outlets)
    return replace(site, lines=tuple(lines), meters=tuple(found), chargers=tuple(billed))


class Junk:
    """A simulated device whose registers hold anything while `kind` is set: all of them, or two of its points."""

    def __init__(self, device: Any, dice: random.Random) -> None:
        self.kind: int | None = None
        self._device = device
        self._dice = dice

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def read(self, table: Table, address: int, count: int) -> list[int]:
        words = list(self._device.read(table, address, count))
        if self.kind == 0:
            return [self._dice.choice(WORDS)] * count
        if self.kind == 1:
            return [self._dice.choice(WORDS) for _ in words]
        if self.kind == 2:
            return [self._dice.getrandbits(16) for _ in words]
        if self.kind is not None:
            self._bend(table, address, words)
        return words

    def _bend(self, table: Table, address: int, words: list[int]) -> None:
        inside = [
            point
            for point in self._device.profile.file.points.values()
            if point.table is table and address <= point.address and point.address + point.width <= address + len(words)
        ]
        for point in self._dice.sample(inside, min(2, len(inside))):
            at = point.address - address
            words[at : at + point.width] = [self._dice.choice(WORDS) for _ in range(point.width)]


class Judge:
    """Looks at every turn: only numbers, only limits that the outlet may have, and all of it can be written down."""

    def __init__(self, station: VirtualStation) -> None:
        self._station = station
        self._caps = {connector.id: connector.cap_a for connector in station.site.connectors}

    def __call__(self, done: TurnDone) -> None:
        snapshot, decision = done.snapshot, done.decision
        for write in (*decision.cuts, *decision.raises, *decision.failsafes):
            assert 0.0 <= write.value_a <= max(self._caps[write.connector], 3.0), write
        for reading in (*snapshot.meters.values(), *snapshot.chargers.values()):
            for name in reading.__slots__:
                value = getattr(reading, name)
                for one in value if isinstance(value, tuple) else (value,):
                    assert not isinstance(one, float) or isfinite(one), (reading, name)
        for fact in decision.batch.facts:
            event(1, fact, snapshot.clock, snapshot.wall, "0" * 64)
        if snapshot.turn % 3 == 0:
            decode(encode(record(self._station.site, snapshot, decision, {})))
            live = self._station.station.live
            if live is not None:
                heartbeat(LiveMessage.model_validate_json(LiveMessage.model_validate(live).to_json())).to_json()


@pytest.mark.station
@pytest.mark.parametrize("share", range(SHARES))
def test_registers_that_hold_anything_end_no_turn_and_raise_no_limit_too_far(share: int, tmp_path: Path) -> None:
    """Law 2, goal 5, fault 29, R1, R13: whatever every shipped profile reads, while sessions run."""

    async def story(clock: VirtualClock) -> None:
        dice = random.Random(share)
        station = VirtualStation(clock, tmp_path, site=some_of_all(share), seed=share, frames=True)
        liars: list[Junk] = []
        for bank in station.sim.banks.values():
            for unit, device in list(bank.devices.items()):
                liars.append(Junk(device, dice))
                bank.devices[unit] = liars[-1]  # type: ignore[assignment]
        bounds = BoundWatch(station.site)
        station.watchers += [bounds, Judge(station)]
        for connector in station.site.connectors:
            station.sim.world.plug(connector.id, Car(name=connector.id, capacity_wh=60_000.0, soc=0.2, max_a=16.0))
        await station.start()
        await station.run_for(SETTLE_S)
        assert bounds.raises > 5, "nobody charged: nothing was shown"
        for _ in range(JUNK_S // STEP_S):
            for liar in liars:
                liar.kind = dice.choice((None, 0, 1, 2, 3, 3, 3))
            await station.run_for(STEP_S)
        for liar in liars:
            liar.kind = None
        await station.run_for(HEAL_S)
        await station.stop()
        assert bounds.broken == []

    run_virtual(story)
