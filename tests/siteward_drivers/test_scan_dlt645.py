"""DL/T 645 meters in the bus tools: S-20, faults 3 and 9, and a reading of one meter straight from the wire."""

import json

import pytest

from siteward.cli.paint import Screen
from siteward.cli.probe_meter import data_meter, show_meter
from siteward_drivers.protocol_probes import PROTOCOL_PROBES
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import ScanPlan, Setting
from siteward_drivers.scan_run import ScanRunner
from siteward_drivers.scan_site import site_tables
from siteward_drivers.scan_words import findings
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.mixed_line import mixed_links
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.siteward_drivers.mixed import ADDRESSES, SLOW, WIRE, Rig, mixed_site
from tests.siteward_drivers.scan_rig import PLAIN, PROFILES, bank

HOME = Setting(SLOW.baud, SLOW.parity, SLOW.stop_bits)


async def scan(clock: VirtualClock, *names: str) -> tuple[Book, ScanPlan]:
    """A scan of one Modbus meter and these meters of the standard."""
    made = Rig(clock, mixed_site(names=names)).bank
    slow = Bank({}, made.settle, made.random, made.meters)
    plan, book = ScanPlan((PLAIN,), (1, 2), (1, 2), protocols=PROTOCOL_PROBES), Book()
    links = mixed_links({PLAIN: bank(clock.now, meters=(2,)), HOME: slow})
    await ScanRunner(links).run(Scan(plan, book, PROFILES.by_id.values()))
    return book, plan


def test_a_meter_is_found_by_its_address_beside_modbus() -> None:
    """S-20: one wildcard call names the meter; its own speed beside Modbus is no fault of the wire."""

    async def main(clock: VirtualClock) -> None:
        book, plan = await scan(clock, "m3")
        assert book.proven() == (PLAIN, HOME)
        assert [stranger.address for _, stranger in book.strangers] == [ADDRESSES["m3"]]
        assert findings(book, plan) == ()
        tables = site_tables(book, "/dev/x", "row", PROFILES)
        assert "baud = 9600\n" in tables
        assert f'address = "{ADDRESSES["m3"]}"\nprofile = "dlt645_2007"\nbaud = 2400\nparity = "even"' in tables

    run_virtual(main)


def test_several_meters_at_once_are_told_as_such() -> None:
    """Fault 9: what all answer to makes no frame, and no meter is made up of it."""

    async def main(clock: VirtualClock) -> None:
        book, _ = await scan(clock, "m3", "m4")
        assert [stranger.profile for _, stranger in book.strangers] == [None]
        assert "address =" not in site_tables(book, "/dev/x", "row", PROFILES)

    run_virtual(main)


def test_a_meter_without_registers_is_read_by_its_own_driver(capsys: pytest.CaptureFixture[str]) -> None:
    """S-20: a probe gives words and units for it too."""

    async def main(clock: VirtualClock) -> None:
        rig = Rig(clock)
        found = data_meter(rig.sim.site, "m3")
        assert found is not None
        assert data_meter(rig.sim.site, "m1") is None
        assert data_meter(None, "m3") is None
        status = await show_meter(Screen(as_json=True), rig.sim.site, PROFILES, found, clock, {WIRE: rig.link})
        told = json.loads(capsys.readouterr().out)
        assert status == 0
        values = {value["quantity"]: value for value in told["values"]}
        assert values["voltage L1"]["unit"] == "V"
        assert 210 < float(values["voltage L1"]["value"]) < 250
        assert values["energy"]["unit"] == "Wh"

    run_virtual(main)
