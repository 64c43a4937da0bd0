"""Whole devices that none of us wrote, each in its own process: an Elli charger and a DL/T 645 meter (S-34)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.errors import DeviceRefused
from siteward.model.readings import Pilot
from siteward.model.serial import Parity, SerialSettings

from .mixed import ADDRESSES, WIRE, mixed_site
from .peering import command, lines_of, process
from .plant import TCP, charger, plant
from .test_devices import failsafe, limit
from .wiring import free_port, joined_ptys

pytestmark = pytest.mark.station

DATA = {
    "02010100": 230.1,
    "02010200": 231.2,
    "02010300": 232.3,
    "02020100": 10.5,
    "02020200": 0.0,
    "02020300": -3.25,
    "02030000": 1.65,
    "02030100": 2.4161,
    "02030200": 0.0,
    "02030300": -0.7549,
    "00010000": 1234.56,
    "02800002": 50.01,
}
"""Truth of the meter by data id: V, A, kW, kWh and Hz."""


async def test_a_charger_by_its_own_makers_simulator_is_read_limited_paused_and_guarded() -> None:
    """S-34: elli-2-modbus refuses whatever its register list does not name, and 0.1 to 5.9 A."""
    port = free_port()
    site = plant(charger("E01", TCP, 1, "elli_charger_2"))
    async with (
        process(command("elli", "tcp", str(port), 1, Path("none"))),
        lines_of(site, {TCP: f"tcp://127.0.0.1:{port}"}) as lines,
    ):
        box = lines.chargers[0]
        # What moves slowly is read one block a poll.
        before = [await box.read() for _ in range(3)][-1]
        assert (before.pilot, before.charging, before.set_point_a) == (Pilot.B, False, 0.0)
        assert (before.failsafe_a, before.failsafe_timeout_s, before.hardware_max_a) == (0.0, 15.0, 16.0)
        await box.write(limit("E01-1", 10.97))
        await box.write(failsafe("E01-1", 6.0))
        after = await box.read()
        assert (after.pilot, after.charging, after.set_point_a) == (Pilot.C, True, 10.9)
        assert after.measured_a == (10.9, 10.9, 10.9)
        assert after.voltage_v == (231.0, 229.0, 232.0)
        assert (after.failsafe_a, after.temperature_c) == (6.0, 32.5)
        assert after.energy_vah is not None
        assert 1_234_567 <= after.energy_vah < 1_235_000
        assert after.rejected == ()
        await box.write(limit("E01-1", 0.0))
        paused = await box.read()
        assert (paused.pilot, paused.measured_a, paused.set_point_a) == (Pilot.B, (0.0, 0.0, 0.0), 0.0)


async def test_a_register_that_the_makers_list_does_not_name_is_refused() -> None:
    """S-34: the layout's neighbour has register 258; this one says illegal address, and that is what is told."""
    port = free_port()
    site = plant(charger("E01", TCP, 1, "amperfied_connect"))
    async with (
        process(command("elli", "tcp", str(port), 1, Path("none"))),
        lines_of(site, {TCP: f"tcp://127.0.0.1:{port}"}) as lines,
    ):
        with pytest.raises(DeviceRefused) as refused:
            await lines.chargers[0].read()
        assert refused.value.code == 2


async def test_a_meter_of_the_chinese_standard_on_a_real_serial_wire(tmp_path: Path) -> None:
    """S-34: the peer refuses blocks of several quantities, so that they are asked for one by one from then on."""
    file = tmp_path / "meter.json"
    file.write_text(json.dumps(DATA))
    site = mixed_site(names=("m3", "m4"))
    # A pseudo-terminal has no parity: the meters are set to what both its ends can do.
    plain = SerialSettings(19200, Parity.NONE, 1)
    site = replace(site, meters=tuple(replace(meter, serial=plain) for meter in site.meters))
    with joined_ptys() as (ours, theirs):
        async with (
            process(command("dlt645", "rtu", theirs, ADDRESSES["m3"], file)),
            lines_of(site, {WIRE: ours}) as lines,
        ):
            meter, absent = lines.meters
            for _ in range(2):
                reading = await meter.read()
                assert reading.voltage_v == (230.1, 231.2, 232.3)
                assert reading.current_a == (10.5, 0.0, -3.25)
                assert (reading.power_w, reading.frequency_hz) == (1650.0, 50.01)
                assert reading.energy_wh == 1_234_560
                assert set(reading.rejected) <= {"serial_number"}
            # It speaks for meters that are not there, and refuses in their name.
            with pytest.raises(DeviceRefused):
                await absent.read()
            assert (await meter.read()).energy_wh == 1_234_560
