"""Captures and direct looks: a record of a real device replays; S-20, faults 4 and 7, contract of probe."""

from pathlib import Path

import pytest

from siteward.model.errors import ConfigError, DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.readings import MeterReading
from siteward.model.site import Line
from siteward_drivers import profile_schema
from siteward_drivers.capture import REDACTED, Capture, chunks, load_capture, record, write_capture
from siteward_drivers.decode import decode
from siteward_drivers.probe import Prober
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.replay import ReplayDevice
from siteward_drivers.sim.scenario import QUIET
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.siteward_drivers.scan_rig import PROFILES, bank, simulated
from tests.siteward_drivers.sim.sites import CHARX, HEIDELBERG, SDM630, demo_site

CAPTURES = Path(__file__).parents[1] / "fixtures" / "captures"
LINE = Line(LineId("rs485-1"), "rs485-1")


class Free:
    """A gate that lets everything pass."""

    def may_send(self, *_: object) -> bool:
        return True

    def may_speak(self, *_: object) -> bool:
        return True


async def recorded(clock: VirtualClock, profile: str, unit: int, made: Bank, line: Line = LINE) -> Capture:
    """A capture of a simulated device."""
    async with Prober(line, unit, PROFILES[profile], clock, SimLink(line, made)) as prober:
        return await record(prober, 1, "siteward 0", "2026-01-05", lambda done, all_: None)


async def metered(clock: VirtualClock, made: Bank) -> MeterReading:
    """What the driver reads of the meter m5 on a bank."""
    sim = simulated(clock.now, meters=(5,))
    links = {LineId("rs485-1"): SimLink(LINE, made)}
    lines = build_lines(sim.site, PROFILES, clock, Free(), lambda _: None, links)
    await lines.open()
    try:
        return await lines.meters[0].read()
    finally:
        await lines.close()


def test_a_recorded_meter_reads_like_the_device_it_was_taken_from(tmp_path: Path) -> None:
    """The whole road: device, capture, file, replay slave, driver; only the serial number is another."""

    async def main(clock: VirtualClock) -> None:
        sim = simulated(lambda: 1000.0, meters=(5,))
        made = sim.banks[LineId("rs485-1")]
        truth = await metered(clock, made)
        write_capture(await recorded(clock, SDM630, 5, made), tmp_path / "sdm630.json")
        replay = ReplayDevice(load_capture(tmp_path / "sdm630.json"), PROFILES[SDM630])
        again = await metered(clock, Bank({5: replay}, lambda: None, made.random))
        assert again.current_a is not None
        assert again.serial != truth.serial
        names = ("current_a", "voltage_v", "power_w", "frequency_hz", "energy_wh", "rejected")
        assert [getattr(again, n) for n in names] == [getattr(truth, n) for n in names]

    run_virtual(main)


def test_serial_numbers_never_reach_the_file(tmp_path: Path) -> None:
    """Redaction: neither in their own registers nor where a device repeats them."""

    async def main(clock: VirtualClock) -> None:
        sim = simulated(clock.now, meters=(5,))
        device = sim.device("m5")
        point = PROFILES[SDM630].point(Quantity.SERIAL_NUMBER)
        secret = device.read(point.table, point.address, point.width)
        write_capture(await recorded(clock, SDM630, 5, sim.banks[LineId("rs485-1")]), tmp_path / "c.json")
        text = (tmp_path / "c.json").read_text(encoding="utf-8")
        assert f"{secret[0]}, {secret[1]}" not in text
        assert str(REDACTED) in text

    run_virtual(main)


@pytest.mark.parametrize("profile", sorted(p.id for p in PROFILES.by_id.values() if p.file.points))
def test_every_documented_register_is_recorded_and_no_point_is_cut(profile: str) -> None:
    """Only documented registers are read, each once, in requests that the device takes."""
    file = PROFILES[profile].file
    found = list(chunks(PROFILES[profile], file.channels.count))
    registers = [(chunk.table, chunk.first + n) for chunk in found for n in range(chunk.count)]
    spans = {
        (span.table, span.first + n)
        for channel in range(1, file.channels.count + 1)
        for span in PROFILES[profile].spans(channel)
        for n in range(span.count)
    }
    assert set(registers) == spans
    assert max(chunk.count for chunk in found) <= file.timing.max_registers
    for point in file.points.values():
        if point.width <= file.timing.max_registers:
            assert any(
                c.table is point.table and c.first <= point.address and point.address + point.width <= c.first + c.count
                for c in found
            )


def test_a_charger_is_recorded_by_reads_alone(tmp_path: Path) -> None:
    """A refused block is recorded as refused and is refused again; no write is ever sent."""

    async def main(clock: VirtualClock) -> None:
        made = bank(clock.now, boxes=(1,))
        writes: list[bytes] = []
        answer = made.answer
        made.answer = lambda unit, pdu: (writes.append(pdu) if pdu[0] > 4 else None, answer(unit, pdu))[1]  # type: ignore[method-assign]
        capture = await recorded(clock, HEIDELBERG, 1, made)
        assert not writes
        assert any(block.words for block in capture.blocks)
        replay = ReplayDevice(capture, PROFILES[HEIDELBERG])
        async with Prober(
            LINE, 1, PROFILES[HEIDELBERG], clock, SimLink(LINE, Bank({1: replay}, lambda: None, made.random))
        ) as again:
            look = await again.look()
        assert look.strange == []

    run_virtual(main)


def test_a_look_gives_words_units_and_identity() -> None:
    """S-20: one live reading in words and units; a device that is another one is told (fault 7)."""

    async def main(clock: VirtualClock) -> None:
        made = bank(clock.now, meters=(5,))
        async with Prober(LINE, 5, PROFILES[SDM630], clock, SimLink(LINE, made)) as prober:
            assert not await prober.hears_itself()
            look = await prober.look()
        voltage = next(item for item in look.items if item.quantity is Quantity.VOLTAGE_L1)
        assert voltage.unit == "V"
        assert isinstance(voltage.value, float)
        assert 220 < voltage.value < 240
        assert len(voltage.words) == 2
        assert look.strange == []
        async with Prober(LINE, 5, PROFILES[HEIDELBERG], clock, SimLink(LINE, made)) as wrong:
            assert Quantity.CURRENT_MAX_HW in (await wrong.look()).strange

    run_virtual(main)


def test_an_echoing_adapter_is_told_before_anything_is_read() -> None:
    """Fault 4: detected at provisioning."""

    async def main(clock: VirtualClock) -> None:
        made = bank(clock.now, meters=(5,))
        made.faults.echo = True
        async with Prober(LINE, 5, PROFILES[SDM630], clock, SimLink(LINE, made)) as prober:
            assert await prober.hears_itself()

    run_virtual(main)


def test_a_silent_device_gives_no_capture() -> None:
    """Nothing is written of a device that said nothing."""

    async def main(clock: VirtualClock) -> None:
        with pytest.raises(DeviceUnreachable, match="unit 9"):
            await recorded(clock, SDM630, 9, bank(clock.now, meters=(5,)))

    run_virtual(main)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 2, "profile": "x", "blocks": []}', '{"schema": 1'])
def test_a_broken_capture_is_refused_with_its_name(text: str, tmp_path: Path) -> None:
    """Contract: every file of a person is judged with its name."""
    (tmp_path / "c.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"c\.json"):
        load_capture(tmp_path / "c.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_capture(tmp_path / "none.json")


def test_a_profile_that_says_capture_has_one_that_replays() -> None:
    """Rule 10 of style: `tested = "capture"` needs the record; each is decoded by its profile, every poll point."""
    for profile in PROFILES.by_id.values():
        path = CAPTURES / f"{profile.id}.json"
        assert path.exists() or profile.file.tested is not profile_schema.Tested.CAPTURE, profile.id
        if not path.exists():
            continue
        device = ReplayDevice(load_capture(path), profile)
        for quantity in profile.file.poll.always:
            point = profile.point(quantity)
            words = device.read(point.table, point.address, point.width)
            assert quantity in decode({quantity: point}, point.address, words, profile.file.word_order).values


def test_a_controller_of_several_outlets_is_recorded_over_tcp() -> None:
    """Channels: each outlet's registers are in the capture."""

    async def main(clock: VirtualClock) -> None:

        sim = SimSite(demo_site(), PROFILES, QUIET, 1, clock.now)
        line = next(line for line in sim.site.lines if line.id == "charx")
        async with Prober(line, 1, PROFILES[CHARX], clock, SimLink(line, sim.banks[line.id])) as prober:
            capture = await record(prober, 4, "siteward 0", "2026-01-05", lambda done, all_: None)
            look = await prober.look(4)
        assert sum(bool(block.words) for block in capture.blocks) > 4
        assert any(item.value is not None for item in look.items)

    run_virtual(main)
