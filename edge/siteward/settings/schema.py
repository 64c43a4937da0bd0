"""The tables of site.toml as contract section 2 promises them; each key says unit, default, range and reason."""

from typing import Literal

from pydantic import Field

from siteward.settings.access_tables import BarrierTable, LockTable, Point, RelayTable
from siteward.settings.alarm_tables import AlarmTable
from siteward.settings.entry_tables import AccessRuleTable, AuthTable, BayTable, EmergencyTable, ReaderTable
from siteward.settings.keys import MISSING, HexDigits, Id, PhaseAmps, RatedAmps, Table, key
from siteward.settings.limit_tables import LimitTable
from siteward.settings.output_tables import OutputTable
from siteward.settings.services import CloudTable, PanelTable, ShareTable, StorageTable
from siteward.settings.tariff_table import TariffTable

PhaseName = Literal["L1", "L2", "L3"]


class SiteTable(Table):
    """[site]: the station itself."""

    id: Id = key(MISSING, "Id of the station, as the platform knows it.", reason="It names the MQTT topics.")
    name: str = key(
        MISSING,
        "Name for people.",
        reason="Pages and messages show it.",
        min_length=1,
        max_length=80,
    )
    timezone: str = key(
        MISSING,
        "Time zone by its IANA name, such as Asia/Shanghai.",
        reason="Times are stored in UTC; prices and pages follow local time.",
        min_length=1,
        max_length=64,
    )
    phase_voltage_v: float = key(
        230.0,
        "Nominal voltage between a phase and neutral.",
        unit="V",
        reason="Limits in watts are converted at the nominal voltage, so that low mains voltage never lifts a limit.",
        ge=90,
        le=400,
    )
    start_delay_s: float = key(
        120.0,
        "Longest that a connector waits after its charger restarted before it charges again; each has its own delay.",
        unit="s",
        reason="When the power of a street returns, not all cars may begin in the same second; British sites need 600.",
        ge=0,
        le=600,
    )


class LineTable(Table):
    """[[line]]: a wire. A serial port, a Modbus TCP peer or an RS485 gateway."""

    id: Id = key(MISSING, "Id of the wire.", reason="Meters and chargers name it.")
    port: str = key(
        MISSING,
        "Serial device, `tcp://host:port` (Modbus TCP) or `rtu+tcp://host:port` (RTU over a gateway).",
        reason="A path below /dev/serial/by-path stays the same after a restart; /dev/ttyUSB0 does not.",
        min_length=1,
        max_length=200,
    )
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = key(
        9600,
        "Speed of a serial wire.",
        unit="baud",
        reason="Most devices leave the factory with 9600; every device on the wire must be set to the same speed.",
    )
    parity: Literal["none", "even", "odd"] = key(
        "none",
        "Parity of a serial wire.",
        reason="Every device on the wire must be set to the same parity.",
    )
    stop_bits: Literal[1, 2] = key(
        1,
        "Stop bits of a serial wire.",
        unit="bit",
        reason="Modbus asks for two without parity, yet nearly every device uses one.",
    )
    simulated: bool = key(
        False,
        "Whether the simulator plays the devices of this wire over a pseudo-terminal.",
        reason="A pseudo-terminal has no parity; without this, serial settings that a profile cannot do are refused.",
    )
    rs485: bool = key(
        False,
        "Whether the kernel switches the direction of the port's RS485 driver.",
        reason="UARTs with a driver chip on RTS need it; most USB adapters switch by themselves and refuse it.",
    )
    link: Literal["serial", "serialx", "thread"] = key(
        "serial",
        "What moves the bytes of a serial port: pyserial-asyncio, serialx (an extra), or a thread of our own.",
        reason="`thread` costs the processor least; `serialx` asks the driver of a USB adapter for low latency.",
    )
    real_time: bool = key(
        False,
        'Whether the thread of `link = "thread"` runs before ordinary programs, where the system allows it.',
        reason="Keeps the pace on a busy computer; core's unit must allow it with RestrictRealtime and LimitRTPRIO.",
    )


class MeterTable(Table):
    """[[meter]]: a meter on a wire, for a feeder or for the bill of a connector."""

    id: Id = key(MISSING, "Id of the meter.", reason="Feeders and connectors name it.")
    line: Id = key(MISSING, "The wire that it hangs on.", reason="One task owns each wire.")
    unit: int | None = key(
        None,
        "Modbus unit id (slave address); a DL/T 645 or 698.45 meter has `address` instead.",
        reason="Two devices of one wire must not share it.",
        ge=0,
        le=255,
    )
    address: str | None = key(
        None,
        "Address of a DL/T 645 or 698.45 meter: the 12 digits on its plate.",
        reason="These meters have no unit id; each is called by its own number.",
        min_length=12,
        max_length=12,
    )
    profile: str = key(MISSING, "Device profile.", reason="Registers are data, one file for each kind of device.")
    baud: Literal[1200, 2400, 4800, 9600, 19200] | None = key(
        None,
        "Speed of a DL/T 645 or 698.45 meter; the profile's factory speed when it is not given.",
        unit="baud",
        reason="It may share the wire with Modbus devices of another speed: the settings change for each exchange.",
    )
    parity: Literal["none", "even", "odd"] | None = key(
        None,
        "Parity of a DL/T 645 or 698.45 meter; the profile's when it is not given.",
        reason="The standard says even; the Modbus devices beside it mostly have none.",
    )
    public_key: HexDigits | None = key(
        None,
        "Public key of a meter that signs its values, as on its plate: DER in hexadecimal digits.",
        reason="Without it a signed value is judged by the key that the meter tells itself.",
        max_length=512,
    )


class FeederTable(Table):
    """[[feeder]]: a node of the fuse tree; the one without `parent` is the grid connection."""

    id: Id = key(MISSING, "Id of the feeder.", reason="Chargers, limits and lower feeders name it.")
    name: str | None = key(
        None,
        "Name for people; the id when it is not given.",
        reason="Alarms show it.",
        min_length=1,
        max_length=80,
    )
    parent: Id | None = key(
        None,
        "The feeder above; none at the grid connection.",
        reason="A current through a lower fuse also flows through every fuse above it.",
    )
    rating_a: RatedAmps = key(
        MISSING,
        "Rated current of the fuse on L1, L2, L3.",
        unit="A",
        reason="The first thing that siteward protects. Nothing may be planned above it.",
        span="three values, 1 to 6300",
    )
    meter: Id | None = key(
        None,
        "The meter that measures everything through this fuse.",
        reason="Without it the worst base load is always reserved, and less is left for cars.",
    )
    worst_base_load_a: PhaseAmps | None = key(
        None,
        "The most that ALL load below this fuse that is no charger can draw, on L1, L2, L3.",
        unit="A",
        reason="It is what the fuse carries when meter or controller are dead. Asked unless `chargers_only = true`.",
        span="three values, 0 to 6300",
    )
    chargers_only: bool = key(
        False,
        "Whether nothing but chargers is fed through this fuse.",
        reason="Then the worst base load is 0 A. It must be said, never guessed.",
    )
    neutral_a: float | None = key(
        None,
        "Rated current of the neutral conductor; not watched when it is not given.",
        unit="A",
        reason="One-phase cars come back through it; a neutral thinner than the phases is not saved by their fuses.",
        ge=6,
        le=6300,
    )
    neutral_base_a: float | None = key(
        None,
        "The most that other load puts on the neutral; the highest of `worst_base_load_a` when it is not given.",
        unit="A",
        reason="It is booked on the neutral when meter or controller are dead.",
        ge=0,
        le=6300,
    )
    imbalance_a: float | None = key(
        None,
        "How far the highest phase may lie above the lowest, usually 20 A; not watched when it is not given.",
        unit="A",
        reason="Grid rules bound the imbalance of one-phase load; one-phase cars on the highest phase come down first.",
        ge=6,
        le=500,
    )
    generation: bool = key(
        False,
        "Whether solar or storage below this fuse may feed back.",
        reason="Without it a negative reading means a wrong current transformer and raises an alarm.",
    )
    trip: Point | None = key(
        None,
        "Output that switches this feeder off until a person closes it: a pulse of 1 s on a shunt release.",
        reason="A charger that draws on 10 s after its stop can only be ended above it (turn.md step 9).",
    )


class ConnectorTable(Table):
    """[[charger.connector]]: one outlet, the unit that control commands and that a session happens at."""

    id: Id = key(MISSING, "Id of the connector.", reason="Sessions, orders and the platform name it.")
    type: Literal["type1", "type2", "gbt_ac", "ccs1", "ccs2", "gbt_dc", "chademo", "nacs", "mcs"] = key(
        MISSING,
        "Kind of plug.",
        reason="Drivers and the platform show it.",
    )
    channel: int = key(
        1,
        "Which outlet of the device it is, where one device serves several.",
        reason="Most chargers have one.",
        ge=1,
        le=64,
    )
    meter: Id | None = key(
        None,
        "Billing meter of this connector, where the charger's own is not one.",
        reason="Only active energy of a meter is billed; some chargers count VAh or nothing.",
    )
    priority: Literal["emergency", "fleet", "normal", "guest"] = key(
        "normal",
        "Class of the connector when current is short, highest first.",
        reason="Somebody must wait when a fuse is full; the site decides who.",
    )
    phase_switching: bool = key(
        False,
        "Lets a paused car go on one phase where three have no room, and back; only in sessions whose start says "
        "`phaseSwitching`.",
        reason="Some cars may be harmed by it, so charger, installer and session must all allow it.",
    )


class ChargerTable(Table):
    """[[charger]]: a charging device, one address on a wire with one or more connectors."""

    id: Id = key(MISSING, "Id of the charger.", reason="Pages and the inventory name it.")
    line: Id = key(MISSING, "The wire that it hangs on.", reason="One task owns each wire.")
    unit: int = key(
        MISSING,
        "Modbus unit id (slave address).",
        reason="Two devices of one wire must not share it.",
        ge=0,
        le=255,
    )
    profile: str = key(MISSING, "Device profile.", reason="Registers are data, one file for each kind of device.")
    feeder: Id = key(MISSING, "The fuse that feeds it.", reason="Its current is booked there and at every fuse above.")
    phases: list[PhaseName] = key(
        ["L1", "L2", "L3"],
        "Which feeder phases the charger's L1, L2, L3 are wired to.",
        reason="Rotating the phases of a row spreads one-phase cars; the controller must know the rotation.",
        min_length=1,
        max_length=3,
    )
    max_a: float | None = key(
        None,
        "The most that is ever planned for each connector; the profile's highest limit when it is not given.",
        unit="A",
        reason="Cable and breaker of the outlet may allow less than the charger.",
        ge=6,
        le=1000,
    )
    hardware_max_a: float | None = key(
        None,
        "What rating plate and DIP switches allow for each connector, signed by the installer; else the rating.",
        unit="A",
        reason="A charger that lost our limit can draw this much; fuses are proven with it.",
        ge=6,
        le=1000,
    )
    failsafe_a: float = key(
        6.0,
        "The current written into the charger's own watchdog, its fall-back without us; 0 means that it stops.",
        unit="A",
        reason="6 A is the smallest current that a car can be given, so that it goes on charging when we are dead.",
        ge=0,
        le=500,
    )
    connector: list[ConnectorTable] = Field(min_length=1, description="The outlets of the charger.")


class SiteFile(Table):
    """A whole site.toml."""

    version: Literal[1] = key(
        MISSING,
        "Version of this file's shape.",
        reason="A later version of siteward can tell an older file from a broken one.",
        alias="schema",
    )
    site: SiteTable = Field(description="The station itself.")
    line: list[LineTable] = Field(min_length=1, description="The wires.")
    meter: list[MeterTable] = Field(default_factory=list, description="The meters.")
    feeder: list[FeederTable] = Field(min_length=1, description="The fuse tree.")
    charger: list[ChargerTable] = Field(default_factory=list, description="The chargers.")
    limit: list[LimitTable] = Field(default_factory=list, description="Limits on feeders and connectors.")
    relay: list[RelayTable] = Field(default_factory=list, description="Boards of relays and inputs.")
    barrier: list[BarrierTable] = Field(default_factory=list, description="Boom barriers.")
    lock: list[LockTable] = Field(default_factory=list, description="Parking locks.")
    alarm: list[AlarmTable] = Field(default_factory=list, description="Rules of alarms.")
    output: list[OutputTable] = Field(default_factory=list, description="Ways by which alarms reach people.")
    auth: AuthTable = Field(default_factory=AuthTable, description="How cards are judged.")
    access: list[AccessRuleTable] = Field(default_factory=list, description="Who may use what, and when.")
    reader: list[ReaderTable] = Field(default_factory=list, description="Card readers.")
    emergency: list[EmergencyTable] = Field(default_factory=list, description="Emergency stops.")
    bay: list[BayTable] = Field(default_factory=list, description="Parking bays.")
    cloud: CloudTable | None = Field(default=None, description="The platform; without it the station works alone.")
    panel: PanelTable = Field(default_factory=PanelTable, description="The pages for people.")
    share: ShareTable | None = Field(default=None, description="Readings for a third party over Modbus TCP.")
    tariff: TariffTable = Field(default_factory=TariffTable, description="What the site says about prices.")
    storage: StorageTable = Field(default_factory=StorageTable, description="What is kept, and where.")


LATER: dict[tuple[str, ...], str] = {
    ("line", "address"): "devices without a wire",
    ("charger", "address"): "chargers without a wire (OCPP, YKC, HTTP)",
    ("cloud", "dialect"): "dialects of older platforms",
    ("storage", "mirror"): "a second copy of the journal",
}
"""Keys that the contract promises and this version does not have yet; they are refused by name, never ignored."""
