"""The wires of a site with their devices: made once from the site, opened and closed together.

Drivers that few sites use are imported where a site names such a device: the others do not carry them (goal 14).
"""

import asyncio
from collections.abc import Mapping, Sequence

from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.errors import ConfigError
from siteward.model.frames import FrameFormat
from siteward.model.ids import ConnectorId, LineId
from siteward.model.live import LineView
from siteward.model.ports import Charger, Clock, DriveGate, Gate, Meter, PointDevice, WireLog
from siteward.model.site import Charger as ChargerSpec
from siteward.model.site import Line, Site
from siteward.model.site import Meter as MeterSpec
from siteward.model.site import RelayBoard as BoardSpec
from siteward.model.visit import WireCall, WireHeard
from siteward_drivers.catalogue import Profiles
from siteward_drivers.closed_gate import ClosedGate
from siteward_drivers.feeding import Feeding, also_fed, listeners
from siteward_drivers.gpio_names import gpio_names
from siteward_drivers.identity import Whereabouts
from siteward_drivers.line import LineOwner
from siteward_drivers.line_calls import LineCalls
from siteward_drivers.link import Link
from siteward_drivers.links import framing, open_link, speed
from siteward_drivers.modbus_charger import ModbusCharger
from siteward_drivers.modbus_device import Guard, RegisterDevice
from siteward_drivers.modbus_meter import ModbusMeter
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Language
from siteward_drivers.recorder import room
from siteward_drivers.slave import Role, Slave
from siteward_drivers.tcp_pool import TcpPool


class SiteLines:
    """All lines of a site; implements model.ports.Lines."""

    def __init__(
        self,
        owners: Sequence[LineOwner],
        meters: Sequence[Meter],
        chargers: Mapping[Charger, LineId],
        devices: Mapping[str, RegisterDevice],
        clock: Clock,
        calls: LineCalls,
        points: Sequence[PointDevice] = (),
    ) -> None:
        self._devices = dict(devices)
        self._clock = clock
        self._calls = calls
        self._owners = tuple(owners)
        self._meters = tuple(meters)
        self._chargers = tuple(chargers)
        self._points = {device.id: device for device in points}
        self._line_of = {charger.id: line for charger, line in chargers.items()}

    @property
    def meters(self) -> Sequence[Meter]:
        """Meters in the order of site.toml."""
        return self._meters

    @property
    def chargers(self) -> Sequence[Charger]:
        """Connectors in the order of site.toml."""
        return self._chargers

    @property
    def points(self) -> Mapping[str, PointDevice]:
        """Relay boards and the computer's own lines by id."""
        return self._points

    async def open(self) -> None:
        """Start every line's task; a missing wire is retried in the background."""
        for owner in self._owners:
            await owner.open()

    async def close(self) -> None:
        """Let the outputs go, stop every task and close every port."""
        for device in self._points.values():
            await device.close()
        for owner in self._owners:
            await owner.close()

    def views(self) -> tuple[LineView, ...]:
        """Statistics of every line, now."""
        return tuple(owner.view() for owner in self._owners)

    def alarms(self) -> frozenset[Alarm]:
        """What is wrong with the wires themselves, now."""
        strangers = (Alarm(AlarmCode.WRONG_DEVICE, name) for name, device in self._devices.items() if device.stranger)
        foreign = (Alarm(AlarmCode.FOREIGN_MASTER, owner.line.id) for owner in self._owners if owner.foreign_lately)
        slaves = [slave for owner in self._owners for slave in owner.slaves]
        twins = (Alarm(AlarmCode.DUPLICATE_ADDRESS, slave.device) for slave in slaves if slave.clash.standing)
        return frozenset((*strangers, *foreign, *twins))

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """What travelled on a wire in the last seconds, as a file; None for a strange line."""
        for owner in self._owners:
            if owner.line.id == line:
                from siteward_drivers.capture_file import capture_file

                frames = owner.recorder.frames(last_s)
                return await asyncio.to_thread(capture_file, owner.line, frames, self._clock, form)
        return None

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """One call of a bus tool, None on a strange line. Raises ValueError, Withdrawn, DeviceUnreachable."""
        return await self._calls.call(line, call)

    def line_of(self, connector: ConnectorId) -> LineId:
        """The wire that a connector hangs on. KeyError for a strange connector."""
        return self._line_of[connector]


class _Builder:
    """Makes lines, addresses and devices of one site."""

    def __init__(self, site: Site, profiles: Profiles, clock: Clock, gate: Gate, log: WireLog) -> None:
        self._site = site
        self._profiles = profiles
        self._clock = clock
        self._gate = gate
        self._log = log
        self._lines = {line.id: line for line in site.lines}
        self._slaves: dict[tuple[LineId, int | str], Slave] = {}
        self._pool = TcpPool()
        self.owners: dict[LineId, LineOwner] = {}
        self.devices: dict[str, RegisterDevice] = {}
        self._whereabouts = Whereabouts()

    def add_line(self, line: Line, link: Link | None) -> None:
        link = link or open_link(line, self._pool)
        self.owners[line.id] = LineOwner(line, link, framing(line), self._clock, room(len(self._lines)))

    def _slave(self, line: LineId, address: int | str, fresh: Slave) -> Slave:
        """The slave of an address, this one where it is new."""
        known = self._slaves.get((line, address))
        if known is None:
            known = self._slaves[(line, address)] = self.owners[line].add_slave(fresh)
        return known

    def _device(self, name: str, line: LineId, unit: int, profile: str, role: Role) -> RegisterDevice:
        known = self._profiles[profile]
        slave = self._slave(line, unit, Slave(name, unit, role, known.file.timing))
        return RegisterDevice(self.owners[line], slave, known, self._whereabouts)

    def meter(self, meter: MeterSpec) -> Meter:
        limits = any(feeder.meter == meter.id for feeder in self._site.feeders)
        role = Role.LIMIT_METER if limits else Role.OTHER
        heard_by = listeners(c for c in self._site.chargers if c.line == meter.line)
        guard = self._meter_guard([c.id for c in heard_by])
        feeds = Feeding(heard_by, self._log, strange=meter.address is not None)
        profile = self._profiles[meter.profile]
        if profile.file.protocol is not Language.MODBUS:
            return self._addressed(meter, profile, role, guard, feeds)
        device = self.devices[meter.id] = self._device(meter.id, meter.line, meter.unit, meter.profile, role)
        at = speed(self._lines[meter.line], meter.serial)
        if profile.file.meter is not None and profile.file.meter.signing is not None:
            from siteward_drivers.modbus_signing import SigningModbusMeter

            return SigningModbusMeter(meter, device, at, self._clock, guard, feeds, profile.file.meter.signing)
        return ModbusMeter(meter, device, at, self._clock, guard, feeds)

    def _addressed(self, meter: MeterSpec, profile: Profile, role: Role, guard: Guard, feeds: Feeding) -> Meter:
        """A meter that is called by its own address."""
        if meter.address is None:
            raise ConfigError(f"meter {meter.id}: profile {profile.id} needs an address")
        owner = self.owners[meter.line]
        fresh = Slave(meter.id, meter.unit, role, profile.file.timing, meter.serial)
        slave = self._slave(meter.line, meter.address, fresh)
        if profile.file.protocol is Language.DLT645:
            from siteward_drivers.dlt645_device import DataDevice
            from siteward_drivers.dlt645_meter import Dlt645Meter

            data = DataDevice(owner, slave, profile, meter.address)
            return Dlt645Meter(meter, data, self._clock, guard, feeds)
        from siteward_drivers.data_meter import AddressedMeter
        from siteward_drivers.dlt698 import require
        from siteward_drivers.dlt698_blocks import object_blocks
        from siteward_drivers.dlt698_device import ObjectDevice

        require(f"meter {meter.id}")
        objects = ObjectDevice(owner, slave, profile, meter.address)
        return AddressedMeter(meter, objects, object_blocks, self._clock, guard, feeds)

    def _meter_guard(self, listening: Sequence[ConnectorId]) -> Guard:
        """Traffic that keeps chargers at their old limit stops when none of them may be spoken to any more (R7)."""

        def guard(at: float) -> str:
            free = not listening or any(self._gate.may_speak(connector, at) for connector in listening)
            return "" if free else "no charger that listens on this line has a lease"

        return guard

    def board(self, board: BoardSpec, drive_gate: DriveGate) -> PointDevice:
        from siteward_drivers.relay_board import RelayBoard

        profile = self._profiles.relays.get(board.profile)
        if profile is None:
            raise ConfigError(f"no relay profile {board.profile!r}")
        owner = self.owners[board.line]
        slave = owner.add_slave(Slave(board.id, board.unit, Role.INOUT, profile.file.timing))
        heard_by = listeners(c for c in self._site.chargers if c.line == board.line)
        idle, feeds = self._meter_guard([c.id for c in heard_by]), Feeding(heard_by, self._log)
        return RelayBoard(board, profile, owner, slave, self._clock, drive_gate, idle, feeds)

    def connectors(self, charger: ChargerSpec) -> dict[Charger, LineId]:
        device = self._device(charger.id, charger.line, charger.unit, charger.profile, Role.CHARGER)
        line = [c for c in self._site.chargers if c.line == charger.line]
        at = speed(self._lines[charger.line])
        made: dict[Charger, LineId] = {}
        for connector in charger.connectors:
            self.devices[connector.id] = device
            feeds = Feeding(also_fed(connector, charger, line), self._log)
            volts = self._site.phase_voltage_v
            port = ModbusCharger(connector, device, at, self._clock, self._gate, self._log, feeds, volts)
            made[port] = charger.line
        return made


def build_lines(
    site: Site,
    profiles: Profiles,
    clock: Clock,
    gate: Gate,
    log: WireLog,
    links: Mapping[LineId, Link] | None = None,
    drive_gate: DriveGate | None = None,
) -> SiteLines:
    """Make the lines of a site, still closed; `links` stands in for the real link of a line.

    Without a `drive_gate` nothing risky is ever driven.

    Raises ConfigError for an unknown profile or a port that cannot be one.
    """
    builder = _Builder(site, profiles, clock, gate, log)
    for line in site.lines:
        builder.add_line(line, (links or {}).get(line.id))
    meters = [builder.meter(meter) for meter in site.meters]
    chargers: dict[Charger, LineId] = {}
    for charger in site.chargers:
        chargers.update(builder.connectors(charger))
    may_drive = drive_gate or ClosedGate()
    points: list[PointDevice] = [builder.board(board, may_drive) for board in site.relays]
    if chips := gpio_names(site):
        from siteward_drivers.gpio import gpio_device

        points += [gpio_device(name, clock, may_drive) for name in chips]
    calls = LineCalls(site, builder.owners, gate, log)
    return SiteLines(list(builder.owners.values()), meters, chargers, builder.devices, clock, calls, points)
