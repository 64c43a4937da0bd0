"""Whether devices can be wired and set as the file says: addresses, serial settings, currents, channels."""

from siteward.model.facts import ChargerFacts, WireFacts
from siteward.model.ports import ProfileCatalogue
from siteward.model.units import FLOOR_A, Phase
from siteward.settings.access_tables import RelayTable
from siteward.settings.document import Draft
from siteward.settings.faults import Faults, nearest
from siteward.settings.positions import Path
from siteward.settings.schema import ChargerTable, FeederTable, LineTable, MeterTable
from siteward.settings.services import split_address
from siteward.settings.wires import check_meter, check_wire, unique_addresses

_SCHEMES = ("tcp", "rtu+tcp")


def check_wiring(draft: Draft, catalogue: ProfileCatalogue) -> None:
    """Add every fault between devices, their wires and what their profiles allow."""
    _ports(draft)
    _units(draft)
    unique_addresses(draft)
    lines = {line.id: line for _, line in draft.of("line", LineTable)}
    for path, meter in draft.of("meter", MeterTable):
        if _known(path, "meter", meter.profile, catalogue, draft.faults):
            check_meter(path, meter, lines.get(meter.line), catalogue.wire(meter.profile), draft.faults)
            _plate(path, meter, catalogue, draft.faults)
    _guards(draft, catalogue)
    for path, relay in draft.of("relay", RelayTable):
        if _known(path, "relay", relay.profile, catalogue, draft.faults):
            check_wire(path, relay.profile, lines.get(relay.line), catalogue.wire(relay.profile), draft.faults)
    for path, charger in draft.of("charger", ChargerTable):
        _outlets(path, charger, catalogue.wire(charger.profile), draft.faults)
        if _known(path, "charger", charger.profile, catalogue, draft.faults):
            check_wire(path, charger.profile, lines.get(charger.line), catalogue.wire(charger.profile), draft.faults)
            facts = catalogue.charger(charger.profile)
            if facts is not None:
                _currents(path, charger, facts, draft.faults)
                _switching(path, charger, facts, draft.faults)


def _plate(path: Path, meter: MeterTable, catalogue: ProfileCatalogue, faults: Faults) -> None:
    """A key on the plate belongs to a meter that signs, and is one: a slip of it would doubt every session."""
    facts = catalogue.meter(meter.profile)
    if meter.public_key is None or facts is None:
        return
    if not facts.signs:
        faults.add((*path, "public_key"), f"profile '{meter.profile}' signs nothing; take the key out")
        return
    from siteward.trust.crypto import is_curve_key

    if not is_curve_key(bytes.fromhex(meter.public_key)):
        text = "is no public key on a curve of OCMF; write the plate's key as DER, for secp256r1 182 hexadecimal digits"
        faults.add((*path, "public_key"), text)


def _guards(draft: Draft, catalogue: ProfileCatalogue) -> None:
    """A fuse is guarded phase by phase, so its meter must show the current of each."""
    profiles = {meter.id: meter.profile for _, meter in draft.of("meter", MeterTable)}
    for path, feeder in draft.of("feeder", FeederTable):
        profile = profiles.get(feeder.meter or "")
        facts = catalogue.meter(profile) if profile is not None else None
        if facts is not None and facts.phases != 3:
            shown = "only totals" if facts.phases == 0 else "one phase only"
            text = f"meter '{feeder.meter}' ({profile}) shows {shown}; a fuse needs a meter that shows three phases"
            draft.faults.add((*path, "meter"), text)


def _ports(draft: Draft) -> None:
    seen: dict[str, str] = {}
    for path, line in draft.of("line", LineTable):
        scheme, mark, _ = line.port.partition("://")
        if mark and scheme not in _SCHEMES:
            draft.faults.add((*path, "port"), f"'{scheme}://' is unknown; write a device path, tcp:// or rtu+tcp://")
        elif mark:
            parts = split_address(line.port)
            if parts is None or parts.port is None:
                draft.faults.add((*path, "port"), f"write host and port, such as {scheme}://192.0.2.10:502")
            if scheme == "tcp":
                _no_serial_keys(path, line, draft.faults)
        elif not line.port.isprintable():
            draft.faults.add((*path, "port"), "holds characters that no path has")
        _port_keys(path, line, scheme if mark else "", draft.faults)
        first = seen.setdefault(line.port, line.id)
        if first != line.id:
            draft.faults.add((*path, "port"), f"line '{first}' already owns this port; one wire has one [[line]]")


def _port_keys(path: Path, line: LineTable, scheme: str, faults: Faults) -> None:
    """Keys that only a port of this computer has."""
    for key in ("rs485", "link", "real_time"):
        if scheme and key in line.model_fields_set:
            faults.add((*path, key), f"is for serial ports, not for {scheme}://; leave it out")
    if not scheme and line.real_time and line.link != "thread":
        faults.add((*path, "real_time"), f'is for link = "thread", not for "{line.link}"; change one of them')


def _no_serial_keys(path: Path, line: LineTable, faults: Faults) -> None:
    for key in ("baud", "parity", "stop_bits"):
        if key in line.model_fields_set:
            faults.add((*path, key), "means nothing on Modbus TCP; take it out, or write rtu+tcp:// for a gateway")


def _units(draft: Draft) -> None:
    seen: dict[tuple[str, int], str] = {}
    devices = [(path, m.id, m.line, m.unit) for path, m in draft.of("meter", MeterTable) if m.unit is not None]
    devices += [(path, c.id, c.line, c.unit) for path, c in draft.of("charger", ChargerTable)]
    devices += [(path, r.id, r.line, r.unit) for path, r in draft.of("relay", RelayTable)]
    serial = {line.id for _, line in draft.of("line", LineTable) if not line.port.startswith("tcp://")}
    for path, name, line, unit in devices:
        first = seen.setdefault((line, unit), name)
        if first != name:
            draft.faults.add((*path, "unit"), f"{unit} on line '{line}' is already '{first}'; give it another address")
        if line in serial and not 1 <= unit <= 247:
            draft.faults.add((*path, "unit"), f"is {unit}; a device on RS485 has 1 to 247")


def _known(path: Path, kind: str, profile: str, catalogue: ProfileCatalogue, faults: Faults) -> bool:
    names = catalogue.names(kind)
    if profile in names:
        return True
    near = nearest(profile, names)
    hint = f"nearest is '{near}'" if near else f"there are: {', '.join(sorted(names)) or 'none'}"
    faults.add((*path, "profile"), f"there is no {kind} profile '{profile}'; {hint}")
    return False


def _outlets(path: Path, charger: ChargerTable, wire: WireFacts | None, faults: Faults) -> None:
    if len(set(charger.phases)) != len(charger.phases):
        faults.add((*path, "phases"), f"names a phase twice: {', '.join(charger.phases)}")
    seen: set[int] = set()
    for index, connector in enumerate(charger.connector):
        key = (*path, "connector", index, "channel")
        if connector.channel in seen:
            faults.add(key, f"{connector.channel} is already another connector of '{charger.id}'")
        if wire is not None and connector.channel > wire.channels:
            faults.add(key, f"is {connector.channel}, but {charger.profile} has {wire.channels}")
        seen.add(connector.channel)


def _switching(path: Path, charger: ChargerTable, facts: ChargerFacts, faults: Faults) -> None:
    """1p/3p switching needs a charger that can be told to, shows what it did, measures, and has three phases (B14)."""
    for index, connector in enumerate(charger.connector):
        key = (*path, "connector", index, "phase_switching")
        if not connector.phase_switching:
            continue
        if not (facts.switches_phases and facts.measures_current):
            text = f"{charger.profile} cannot be told to, or does not show what its contactors closed; take it out"
            faults.add(key, text)
        elif len(charger.phases) != len(Phase):
            faults.add(key, f"needs a charger on three phases, '{charger.id}' has {len(charger.phases)}")


def _currents(path: Path, charger: ChargerTable, facts: ChargerFacts, faults: Faults) -> None:
    rated = facts.rated_a
    hardware = charger.hardware_max_a if charger.hardware_max_a is not None else rated
    most = charger.max_a if charger.max_a is not None else min(hardware, facts.limit.max_a)
    if hardware > rated:
        faults.add((*path, "hardware_max_a"), f"is {hardware:g} A, but {charger.profile} is rated {rated:g} A")
    if charger.max_a is not None and most > hardware:
        source = "hardware_max_a" if charger.hardware_max_a is not None else f"the rating of {charger.profile}"
        faults.add((*path, "max_a"), f"is {most:g} A, above {source} ({hardware:g} A)")
    if most < facts.limit.min_a:
        faults.add((*path, "max_a"), f"is {most:g} A, but {charger.profile} cannot go below {facts.limit.min_a:g} A")
    if 0 < charger.failsafe_a < FLOOR_A and facts.failsafe is not None:
        faults.add((*path, "failsafe_a"), f"is {charger.failsafe_a:g} A; a car can be given 0 A or at least 6 A")
    elif charger.failsafe_a > most:
        faults.add((*path, "failsafe_a"), f"is {charger.failsafe_a:g} A, above the {most:g} A that is ever planned")
