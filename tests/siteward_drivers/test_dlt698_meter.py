"""A DL/T 698.45 meter as the port of the model, on the wire that Modbus and DL/T 645 meters share."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.errors import ConfigError, DeviceRefused, DeviceUnreachable
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.dlt698 import Item
from siteward_drivers.dlt698_blocks import decode, object_blocks
from siteward_drivers.plan import plan_lines
from siteward_drivers.profile_data import ObjectType
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.object_slave import ObjectMeter
from siteward_drivers.sim.port_site import PortLines
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .mixed import ADDRESSES, mixed_site, poll_all, running
from .plant import PROFILES
from .rig import OpenGate

NAMES = ("m1", "m3", "m5")
SITE = mixed_site(names=NAMES)
VOLTS, AMPS = (Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3), (10.0, 11.0, 12.0)
TOLD = {name: ({(a,) * 3}, 0) for name, a in zip(NAMES, AMPS, strict=True)}


def test_a_reading_tells_all_that_the_simulated_meter_shows() -> None:
    """Conformance of the profile (S-69): the package's driver and the simulated meter are made of the same file."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            meter = rig.any_meter("m5")
            shown = rig.sim.meter("m5").values()
            for _ in range(3):
                await meter.read()
            reading = await meter.read()
            assert reading.rejected == ()
            assert reading.current_a == (12.0, 12.0, 12.0)
            assert reading.voltage_v == pytest.approx([shown[q] for q in VOLTS], abs=10)
            assert reading.power_w == pytest.approx(3 * 12 * 230, rel=0.02)
            assert reading.frequency_hz == pytest.approx(50.0, abs=0.1)
            assert reading.energy_wh == pytest.approx(shown[Quantity.ENERGY_IMPORT_TOTAL], abs=50)
            assert reading.serial == shown[Quantity.SERIAL_NUMBER]

    run_virtual(main)


def test_three_languages_share_a_wire_and_no_slave_hears_an_early_or_garbled_frame() -> None:
    """S-34, law 7: 9600 8N1, 2400 8E1 and 9600 8E1 in turn, judged by what the slaves counted themselves."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            assert await poll_all(rig.lines, 60.0) == TOLD
            count = rig.bank.count
            assert (count.early, count.garbled) == (0, 0)
            assert count.answers == count.requests > 150
            assert all(s.garbled == s.timeouts == 0 for s in rig.lines.views()[0].slaves)

    run_virtual(main)


def test_a_meter_that_answers_too_late_disturbs_nobody() -> None:
    """Faults 11, 12, 82: late answers are noise, never a value of the next poll; the others go on."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            rig.sim.device("m5").faults.latency_s = 1.9
            found = await poll_all(rig.lines, 60.0)
            for name in ("m1", "m3"):
                assert found[name][0] == TOLD[name][0]
            assert found["m5"][1] > 5
            assert found["m5"][0] <= TOLD["m5"][0]
            assert rig.bank.count.early == 0

    run_virtual(main)


def test_noise_is_never_taken_for_a_value() -> None:
    """Fault 1: one byte in a hundred is wrong; what is told is true all the same."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, mixed_site(names=("m5",))) as rig:
            rig.bank.faults.noise = 0.01
            told, missed = (await poll_all(rig.lines, 120.0))["m5"]
            assert told == {(10.0,) * 3}
            assert missed > 5

    run_virtual(main)


def test_an_object_that_a_meter_has_not_costs_no_other_value() -> None:
    """S-34: it is named among the rejected; a meter that has none of them refuses."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            sim = next(m for m in rig.bank.meters if isinstance(m, ObjectMeter))
            sim.lacks = {"20040200"}
            reading = await rig.any_meter("m5").read()
            assert reading.current_a == (12.0,) * 3
            assert reading.power_w is None
            assert "active_power_l2" in reading.rejected
            sim.lacks = {"20000200", "20010200", "20040200", "00100201"}
            with pytest.raises(DeviceRefused, match="access result 4"):
                await rig.any_meter("m5").read()

    run_virtual(main)


def test_values_that_are_not_known_are_none() -> None:
    """Law 5, fault 82: the meter's own "no value", with and without frames."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            rig.sim.device("m5").faults.shows = Shows.ONES
            reading = await rig.any_meter("m5").read()
            assert (reading.current_a, reading.power_w, reading.energy_wh) == (None, None, None)
            assert {"current_l1", "voltage_l3", "energy_import_total"} <= set(reading.rejected)

    run_virtual(main)


def test_a_site_without_frames_tells_the_same() -> None:
    """S-34: the ports of the simulator, which spare the frames, round and reject as the driver does."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            ports = PortLines(rig.sim, clock, OpenGate(), lambda _: None)
            for _ in range(3):
                await rig.any_meter("m5").read()
            framed = await rig.any_meter("m5").read()
            spared = await next(m for m in ports.meters if m.id == "m5").read()
            assert (spared.current_a, spared.serial) == (framed.current_a, framed.serial)
            assert spared.energy_wh == pytest.approx(framed.energy_wh, abs=20)
            assert spared.rejected == framed.rejected == ()

    run_virtual(main)


def test_a_silent_meter_is_waited_for_no_longer_than_the_standard_allows() -> None:
    """S-34, R2: and its next question has a number of its own."""

    async def main(clock: VirtualClock) -> None:
        async with running(clock, SITE) as rig:
            rig.sim.device("m5").faults.silent = True
            began = asyncio.get_running_loop().time()
            with pytest.raises(DeviceUnreachable, match="no answer"):
                await rig.any_meter("m5").read()
            assert 1.5 < asyncio.get_running_loop().time() - began < 2.0

    run_virtual(main)


def test_a_value_of_another_type_is_no_value() -> None:
    """Faults 30 and 82: type, number of values, digits and range must be the profile's."""
    profile = PROFILES["dlt698_45"]
    blocks = {block.id: block for block in object_blocks(profile, profile.file.objects)}
    amps, serial = blocks["20010200"], blocks["40020200"]
    good, other = Item(ObjectType.DOUBLE_LONG, -1250), Item(ObjectType.DOUBLE_LONG_UNSIGNED, 1250)
    told = decode(amps, (good, other))
    assert told.values == {Quantity.CURRENT_L1: -1.25}
    assert told.rejected == (Quantity.CURRENT_L2, Quantity.CURRENT_L3)
    far = decode(amps, (Item(ObjectType.DOUBLE_LONG, 7_000_000), good, good, good))
    assert far.rejected == (Quantity.CURRENT_L1,)
    plates = (bytes.fromhex("000000069845"), bytes.fromhex("00000006984A"))
    texts = [decode(serial, (Item(ObjectType.OCTET_STRING, plate),)).values for plate in plates]
    assert texts == [{Quantity.SERIAL_NUMBER: "000000069845"}, {}]


def test_the_poll_plan_asks_for_everything_at_once() -> None:
    """Goal 4: one request a poll, a fraction of what the same meter costs under DL/T 645."""
    planned = {d.device: d for d in plan_lines(SITE, PROFILES)[0].devices}
    assert (planned["m5"].requests, planned["m5"].address) == (1, ADDRESSES["m5"])
    assert 0.1 < planned["m5"].wire_s < 0.4
    assert planned["m5"].wire_s < planned["m3"].wire_s / 3
    alone = plan_lines(replace(SITE, meters=SITE.meters[2:], feeders=SITE.feeders[:1]), PROFILES)[0]
    assert alone.load < 0.1


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('protocol = "dlt698"', 'protocol = "dlt645"', "protocol dlt645 has no such points; write [data]"),
        ('protocol = "dlt698"', 'protocol = "modbus"', "[objects] to dlt698"),
        ('transports = ["rtu"]', 'transports = ["rtu", "tcp"]', "meters on a serial wire"),
        ('type = "octet-string"', 'type = "visible-string"', "objects.serial_number.type"),
        ('scale = 10.0, unit = "Wh"', 'scale = 0.01, unit = "W"', "energy_import_total: unit must be Wh"),
    ],
)
def test_a_wrong_profile_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """S-32: file and key, and which protocol the keys belong to."""
    text = _profile().read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "meter").mkdir()
    (tmp_path / "meter" / "x.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"x\.toml") as caught:
        load_profiles(tmp_path)
    assert told in str(caught.value)


def _profile() -> Path:
    return Path(__file__).parents[2] / "drivers" / "siteward_drivers" / "profiles" / "meter" / "dlt698_45.toml"
