"""Goal 5: no kind of lie that a wire can tell ever makes a wrong value; the truth is the simulator's registers."""

import asyncio
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import DeviceError, DeviceRefused
from siteward.model.ids import LineId, MeterId
from siteward.model.ports import Charger, Meter
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Line, Site
from siteward.model.site import Meter as MeterSpec
from siteward_drivers.charger_reading import charger_reading
from siteward_drivers.decode import decode
from siteward_drivers.modbus_device import Values
from siteward_drivers.modbus_meter import reading
from siteward_drivers.profile_points import Table
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .lies import LIES, LyingLink, Talk
from .plant import PROFILES, charger, plant
from .rig import OpenGate
from .test_devices import limit

TABLE: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "fixtures" / "lies.toml").read_text(encoding="utf-8")
)["lie"]
CASES = [(lie, wire) for lie in TABLE for wire in lie["wires"]]
WIRE = LineId("wire")
MOST_OF = 0.8
"""Share of the lying polls that end as the table says: the first lies may still be the truth."""

HONEST, LYING, CALM = 22, 12, 16
"""Rounds of a second. A connection that was given up often is tried again after up to ten of them (fault 18)."""


def _site(rtu: bool) -> Site:
    """Two meters and a charger on one wire."""
    facts = PROFILES.meter("eastron_sdm630")
    assert facts is not None
    base = plant(charger("A01", WIRE, 11, "heidelberg_energy_control"))
    meters = tuple(MeterSpec(MeterId(f"m{unit}"), WIRE, unit, "eastron_sdm630", facts) for unit in (1, 2))
    grid = replace(base.feeders[0], meter=MeterId("m1"))
    row = replace(grid, id=type(grid.id)("row"), parent=grid.id, meter=MeterId("m2"))
    port = "/dev/wire" if rtu else "tcp://plant:502"
    return replace(base, lines=(Line(WIRE, port, 19200),), meters=meters, feeders=(grid, row))


class Court:
    """A site behind a liar, and the judge of every value that comes out."""

    def __init__(self, clock: VirtualClock, rtu: bool) -> None:
        self.site = _site(rtu)
        self.sim = SimSite.from_site(self.site, PROFILES, clock=clock)
        line = self.site.lines[0]
        self.link = LyingLink(SimLink(line, self.sim.banks[WIRE]), rtu)
        self.lines = build_lines(self.site, PROFILES, clock, OpenGate(), lambda _: None, {WIRE: self.link})
        self.tally: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._round = 0

    async def rounds(self, count: int) -> Counter[str]:
        """Poll everybody once a second while every current moves; how the polls ended."""
        self.tally = Counter()
        for _ in range(count):
            self._round += 1
            self.sim.base_step("grid", 3.0 + self._round % 37)
            self.sim.base_step("row", 2.0 + self._round % 23)
            for device in (*self.lines.meters, *self.lines.chargers):
                await self._poll(device)
            await self._write()
            await asyncio.sleep(0.6)
        return self.tally

    async def _poll(self, device: Meter | Charger) -> None:
        self.link.truth.mark()
        try:
            found = await device.read()
        except DeviceRefused:
            self.tally["refused"] += 1
        except DeviceError:
            self.tally["unreachable"] += 1
        else:
            self.tally["right"] += 1
            self._judge(found)

    async def _write(self) -> None:
        """A new limit each round: what was acknowledged is in the box."""
        wanted_a = 6.0 + self._round % 100 / 10
        try:
            await self.lines.chargers[0].write(limit("A01-1", wanted_a))
        except DeviceError:
            return
        held = self.sim.banks[WIRE].devices[11].read(Table.HOLDING, 261, 1)[0]
        if abs(held / 10 - wanted_a) > 0.051:
            self.tally["false acknowledgements"] += 1

    def _judge(self, found: MeterReading | ChargerReading) -> None:
        """Every value is what the registers held at one of the times at which they were asked in this poll."""
        truths = [self._truth(found, words) for words in self.link.truth.since]
        for field in fields(found):
            said, held = getattr(found, field.name), [getattr(truth, field.name) for truth in truths]
            if field.name not in ("sent_at", "rejected") and said is not None and said not in held:
                self.wrong.append(f"round {self._round}: {field.name} is {said}, truly {held}")

    def _truth(
        self, found: MeterReading | ChargerReading, words: Mapping[tuple[int, int, int], int]
    ) -> MeterReading | ChargerReading:
        if isinstance(found, MeterReading):
            unit = next(m.unit for m in self.site.meters if m.id == found.meter)
            return reading(found.meter, _values("eastron_sdm630", unit, words))
        box = PROFILES["heidelberg_energy_control"]
        return charger_reading(found.connector, box, _values(box.id, 11, words))


def _values(name: str, unit: int, words: Mapping[tuple[int, int, int], int]) -> Values:
    """Everything that a profile polls, decoded out of true registers."""
    profile = PROFILES[name]
    values = Values()
    for quantity in (*profile.file.poll.always, *profile.file.poll.slow):
        point = profile.point(quantity)
        places = [(unit, point.table.read_function, point.address + n) for n in range(point.width)]
        if all(place in words for place in places):
            part = [words[place] for place in places]
            values.add(decode({quantity: point}, point.address, part, profile.file.word_order))
    return values


def test_at_least_33_kinds_are_listed_and_each_is_told_somewhere() -> None:
    """Goal 5: the table is the list; what it names exists, and nothing exists that it does not name."""
    names = [lie["kind"] for lie in TABLE]
    assert len(names) == len(set(names)) >= 33
    assert set(names) == set(LIES)
    assert len([lie for lie in TABLE if "tcp" in lie["wires"]]) >= 33
    assert len([lie for lie in TABLE if "rtu" in lie["wires"]]) >= 33


@pytest.mark.parametrize(("lie", "wire"), CASES, ids=lambda part: part if isinstance(part, str) else part["kind"])
def test_no_lie_of_a_wire_becomes_a_value(lie: dict[str, Any], wire: str) -> None:
    """Goal 5, law 5, faults 4, 5, 10 to 15: refused, unreachable or the truth, as the table says; then right again."""

    async def main(clock: VirtualClock) -> None:
        court = Court(clock, wire == "rtu")
        await court.lines.open()
        await clock.sleep(0.2)
        assert set(await court.rounds(HONEST)) == {"right"}
        court.link.kind = lie["kind"]
        told = await court.rounds(LYING)
        assert court.link.told > LYING / 2
        court.link.kind = None
        alarms = {str(alarm.code) for alarm in court.lines.alarms()}
        await court.rounds(CALM)
        after = await court.rounds(3)
        await court.lines.close()
        assert court.wrong == []
        assert told[lie["outcome"]] >= MOST_OF * 3 * LYING, told
        assert told["false acknowledgements"] == 0 or wire in lie.get("acknowledges", ())
        assert alarms == set(lie.get("alarms", ()))
        assert after["right"] == 9, after

    run_virtual(main)


@pytest.mark.parametrize("wire", ["rtu", "tcp"])
def test_the_judge_finds_a_wrong_value(wire: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 5: a register changed under a right checksum is what no wire can find, so that the judge must."""

    def changed(talk: Talk) -> list[tuple[float, bytes]]:
        return [(0.0, talk.words(talk.pdu[2:4] + b"\x41\x48" + talk.pdu[6:]) if len(talk.pdu) > 12 else talk.reply)]

    monkeypatch.setitem(LIES, "changed", changed)

    async def main(clock: VirtualClock) -> None:
        court = Court(clock, wire == "rtu")
        await court.lines.open()
        await court.rounds(3)
        assert court.wrong == []
        court.link.kind = "changed"
        await court.rounds(3)
        await court.lines.close()
        assert court.wrong

    run_virtual(main)
