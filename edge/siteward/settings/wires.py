"""Whether a device fits its wire: framing, serial settings, and how a meter is called on it."""

from siteward.model.facts import WireFacts
from siteward.settings.document import Draft
from siteward.settings.faults import Faults
from siteward.settings.positions import Path
from siteward.settings.schema import LineTable, MeterTable

_BROADCAST = "9" * 12


def check_meter(path: Path, meter: MeterTable, line: LineTable | None, wire: WireFacts | None, faults: Faults) -> None:
    """Add every fault between a meter, its wire and what its profile allows."""
    if wire is None:
        return
    if wire.protocol != "modbus":
        _data_meter(path, meter, line, wire, faults)
        return
    if meter.unit is None:
        faults.add((*path, "unit"), "is missing; it says: Modbus unit id (slave address).")
    for key in ("address", "baud", "parity"):
        if getattr(meter, key) is not None:
            faults.add((*path, key), f"is for DL/T meters, but {meter.profile} speaks Modbus; take it out")
    check_wire(path, meter.profile, line, wire, faults)


def _data_meter(path: Path, meter: MeterTable, line: LineTable | None, wire: WireFacts, faults: Faults) -> None:
    """A DL/T meter brings its own serial settings, so those of its line are no matter."""
    if meter.unit is not None:
        faults.add((*path, "unit"), f"is for Modbus, but {meter.profile} is called by its address; take it out")
    address = meter.address
    if address is None:
        faults.add((*path, "address"), "is missing; write the 12 digits on the meter's plate")
    elif not (address.isascii() and address.isdecimal()):
        faults.add((*path, "address"), f"is '{address}'; write the 12 digits on the meter's plate")
    elif address == _BROADCAST:
        faults.add((*path, "address"), "calls all meters at once, and none answers; write the one on the plate")
    if line is None:
        return
    if line.port.startswith("tcp://"):
        faults.add((*path, "line"), f"line '{line.id}' is tcp, but {meter.profile} speaks rtu")
    for key, allowed in (("baud", wire.bauds), ("parity", wire.parities)):
        value = getattr(meter, key)
        if value is not None and "://" in line.port:
            faults.add((*path, key), f"line '{line.id}' is a gateway, which keeps its own settings; take it out")
        elif value is not None and allowed and value not in allowed:
            options = ", ".join(str(option) for option in allowed)
            faults.add((*path, key), f"is {value}, but {meter.profile} can only do {options}")


def unique_addresses(draft: Draft) -> None:
    """Add a fault for every address that two meters of a wire share."""
    seen: dict[tuple[str, str], str] = {}
    for path, meter in draft.of("meter", MeterTable):
        if meter.address is None:
            continue
        first = seen.setdefault((meter.line, meter.address), meter.id)
        if first != meter.id:
            draft.faults.add((*path, "address"), f"{meter.address} on line '{meter.line}' is already '{first}'")


def check_wire(path: Path, profile: str, line: LineTable | None, wire: WireFacts | None, faults: Faults) -> None:
    """Add every fault between a Modbus device, its wire and what its profile allows."""
    if line is None or wire is None:
        return
    transport = "tcp" if line.port.startswith("tcp://") else "rtu"
    if transport not in wire.transports:
        speaks = " and ".join(wire.transports)
        faults.add((*path, "line"), f"line '{line.id}' is {transport}, but {profile} speaks {speaks}")
    elif "://" not in line.port and not line.simulated:
        _serial(path, profile, line, wire, faults)


def _serial(path: Path, profile: str, line: LineTable, wire: WireFacts, faults: Faults) -> None:
    settings: tuple[tuple[str, object, tuple[object, ...]], ...] = (
        ("baud", line.baud, wire.bauds),
        ("parity", line.parity, wire.parities),
        ("stop_bits", line.stop_bits, wire.stop_bits),
    )
    for key, value, allowed in settings:
        if allowed and value not in allowed:
            options = ", ".join(str(option) for option in allowed)
            faults.add((*path, "line"), f"line '{line.id}' has {key} {value}, but {profile} can only do {options}")
