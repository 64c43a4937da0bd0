"""A meter that has no registers (DL/T), read once from the wire by its own driver: what `probe` shows of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.probe_live import numbers, phases, show_rows
from siteward.model.errors import DeviceError
from siteward.model.ids import ConnectorId, LineId
from siteward.model.ports import Clock
from siteward.model.site import Line, Meter, Site
from siteward.model.wire import Write
from siteward_drivers.catalogue import Profiles
from siteward_drivers.link import Link
from siteward_drivers.registry import build_lines


@dataclass(frozen=True, slots=True)
class DataMeter:
    """A meter of the site that is called by its own address, and its wire."""

    meter: Meter
    line: Line


class _Alone:
    """The gate of a wire on which only a meter is spoken to; implements Gate."""

    def may_send(self, write: Write, at: float) -> bool:
        """Nothing is ever written here."""
        return False

    def may_speak(self, connector: ConnectorId, at: float) -> bool:
        """The caller has judged who listens."""
        return True


def data_meter(site: Site | None, name: str) -> DataMeter | None:
    """The meter of that name if it has an address of its own, else None."""
    if site is None:
        return None
    lines = {line.id: line for line in site.lines}
    found = (meter for meter in site.meters if meter.id == name and meter.address is not None)
    return next((DataMeter(meter, lines[meter.line]) for meter in found), None)


async def show_meter(
    screen: Screen,
    site: Site,
    profiles: Profiles,
    found: DataMeter,
    clock: Clock,
    links: Mapping[LineId, Link] | None = None,
) -> int:
    """Read it once and show what it said. Raises CommandFailed when it does not answer."""
    alone = replace(site, lines=(found.line,), meters=(found.meter,), chargers=())
    lines = build_lines(alone, profiles, clock, _Alone(), lambda _: None, links)
    await lines.open()
    try:
        reading = await lines.meters[0].read()
    except DeviceError as error:
        advice = (
            f"is its address {found.meter.address} right, has it power? `siteward scan {found.line.id}` looks for it"
        )
        raise CommandFailed(f"{found.meter.id}: {error}", advice, "NO_ANSWER") from error
    finally:
        await lines.close()
    rows = phases("current", reading.current_a, "A") + phases("voltage", reading.voltage_v, "V")
    rows += numbers(
        (
            ("active power", reading.power_w, "W"),
            ("energy", reading.energy_wh, "Wh"),
            ("frequency", reading.frequency_hz, "Hz"),
        )
    )
    rows += [("rejected", name, "") for name in reading.rejected]
    show_rows(screen, found.meter.id, rows, "wire")
    return 0
