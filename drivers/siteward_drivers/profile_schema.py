"""Schema of a whole profile file: identity, wiring, timing, points, poll plan, and the meter's or charger's part."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from siteward.model.site import Parity
from siteward_drivers.profile_charger import ChargerPart, Scope
from siteward_drivers.profile_data import BlockPart, DataPoint, ObjectPoint
from siteward_drivers.profile_meter import MeterPart
from siteward_drivers.profile_points import MAX_REGISTERS, Part, Point, Table, WordOrder
from siteward_drivers.quantities import Quantity, Unit


class Kind(StrEnum):
    """Class of a device."""

    METER = "meter"
    CHARGER = "charger"


class Tested(StrEnum):
    """What the numbers were held against."""

    HARDWARE = "hardware"
    CAPTURE = "capture"
    DATASHEET = "datasheet"


class Transport(StrEnum):
    """Framing on the wire; rtu also travels through a serial gateway."""

    RTU = "rtu"
    TCP = "tcp"


class Language(StrEnum):
    """Language of the device: Modbus registers, data ids of DL/T 645-2007, or objects of DL/T 698.45."""

    MODBUS = "modbus"
    DLT645 = "dlt645"
    DLT698 = "dlt698"


class SerialPart(Part):
    """Factory settings of the serial port, and what the device can be set to."""

    baud: int
    parity: Parity
    stop_bits: Literal[1, 2] = 1
    bauds: tuple[int, ...]
    parities: tuple[Parity, ...]
    stop_bits_supported: tuple[Literal[1, 2], ...] = (1,)


class WirePart(Part):
    """How the device hangs on a wire; `unit` is its factory address (0 for a DL/T meter, which has none)."""

    transports: tuple[Transport, ...] = Field(min_length=1)
    unit: int = Field(default=0, ge=0, le=255)
    tcp_port: int = 502
    serial: SerialPart | None = None

    @model_validator(mode="after")
    def _serial_known(self) -> Self:
        if Transport.RTU in self.transports and self.serial is None:
            raise ValueError("transport rtu needs a serial part")
        return self


class TimingPart(Part):
    """Times of the device in s.

    `gap_s` is the silence on the wire before a frame to it, `rest_s` the pause between its answer and the next request
    to it (other devices may be spoken to meanwhile), `turnaround_s` its usual thinking time, for planning. An answer
    is waited for as long as this device was ever seen to need, yet never shorter than `least_timeout_s`. `part_reads`:
    the first register of a longer value may be read alone, so that its answer can be no other's (fault 12).
    """

    response_timeout_s: float = Field(default=0.5, gt=0)
    least_timeout_s: float = Field(default=0.0, ge=0)
    gap_s: float = Field(default=0.05, ge=0)
    rest_s: float = Field(default=0.0, ge=0)
    turnaround_s: float = Field(default=0.02, ge=0)
    max_registers: int = Field(default=MAX_REGISTERS, ge=1, le=MAX_REGISTERS)
    max_write_registers: int = Field(default=1, ge=1, le=123)
    write_functions: tuple[Literal[5, 6, 15, 16], ...] = ()
    part_reads: bool = False


class PollPart(Part):
    """What is read at every poll, and what only now and then; `every_s` is the planned period of a connector.

    `sentinel` is read last in every poll, for a device whose answers all look alike: its value, by its range under
    `identify`, can be that of no register read before it (fault 12).
    """

    every_s: float = Field(default=1.0, gt=0)
    always: tuple[Quantity, ...] = Field(min_length=1)
    slow_s: float = Field(default=10.0, gt=0)
    slow: tuple[Quantity, ...] = ()
    sentinel: Quantity | None = None


class ChannelsPart(Part):
    """Connectors behind one address: the points are those of channel 1, channel n lies (n-1)*stride higher."""

    count: int = Field(default=1, ge=1)
    stride: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if self.count > 1 and self.stride == 0:
            raise ValueError("several channels need a stride")
        return self


class Span(Part):
    """Registers that the device documents without a gap: a read may cross them even where no point is named."""

    table: Table
    first: int = Field(ge=0, le=65535)
    count: int = Field(ge=1)
    per_channel: bool = True


class Probe(Part):
    """A register that proves the identity of a device by the span of its scaled value or by a text it begins with."""

    quantity: Quantity
    range: tuple[float, float] | None = None
    begins: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.range is None) == (self.begins is None):
            raise ValueError("give either range or begins")
        return self


_ALWAYS_UNIT = {Quantity.ENERGY_IMPORT_TOTAL: Unit.WH, Quantity.APPARENT_ENERGY_TOTAL: Unit.VAH}


class ProfileFile(Part):
    """A profile file as written; `source` names the documents its numbers come from."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Kind
    protocol: Language = Language.MODBUS
    vendor: str
    model: str
    tested: Tested
    source: tuple[str, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    word_order: WordOrder = WordOrder.MSW_FIRST
    wire: WirePart
    timing: TimingPart = TimingPart()
    channels: ChannelsPart = ChannelsPart()
    poll: PollPart
    identify: tuple[Probe, ...] = Field(min_length=1)
    meter: MeterPart | None = None
    charger: ChargerPart | None = None
    documented: tuple[Span, ...] = ()
    points: dict[Quantity, Point] = Field(default_factory=dict)
    block: tuple[BlockPart, ...] = ()
    data: dict[Quantity, DataPoint] = Field(default_factory=dict)
    objects: dict[Quantity, ObjectPoint] = Field(default_factory=dict)

    @property
    def told(self) -> dict[Quantity, Point | DataPoint | ObjectPoint]:
        """Everything that the device can be asked for, in whatever language."""
        return {**self.points, **self.data, **self.objects}

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.meter is not None) != (self.kind is Kind.METER) or (self.charger is None) == (
            self.kind is Kind.CHARGER
        ):
            raise ValueError(f"kind {self.kind} needs exactly its own part [{self.kind}]")
        self._one_language()
        told = self.told
        missing = sorted({q for q in self._named() if q not in told})
        if missing:
            raise ValueError(f"no point for {', '.join(missing)}")
        for quantity, unit in _ALWAYS_UNIT.items():
            point = told.get(quantity)
            if point is not None and point.unit is not unit:
                raise ValueError(f"points.{quantity}: unit must be {unit}")
        if self.charger is not None and self.channels.count > 1 and self.charger.limit.scope is not Scope.CONNECTOR:
            raise ValueError("a limit that several connectors share cannot be driven")
        polled = {*self.poll.always, *self.poll.slow}
        unseen = sorted(set(self._judged()) - polled)
        if unseen:
            raise ValueError(f"never polled: {', '.join(unseen)}")
        ranged = {probe.quantity for probe in self.identify if probe.range is not None}
        if self.poll.sentinel is not None and (self.poll.sentinel not in ranged or self.poll.sentinel in polled):
            raise ValueError("poll.sentinel: a quantity of [[identify]] with a range, that is not polled anyway")
        self._disjoint()
        self._documented()
        return self

    def _one_language(self) -> None:
        if self.protocol is Language.MODBUS:
            if self.data or self.objects or self.block:
                raise ValueError("[data] and [[block]] belong to protocol dlt645, [objects] to dlt698")
            if not self.documented or not self.points:
                raise ValueError("a Modbus device needs [points] and what is documented")
            if "unit" not in self.wire.model_fields_set:
                raise ValueError("wire.unit is missing: a Modbus device has a factory address")
            return
        own, other = (self.data, self.objects) if self.protocol is Language.DLT645 else (self.objects, self.data)
        if self.points or self.documented or other or not own:
            part = "[data]" if self.protocol is Language.DLT645 else "[objects]"
            raise ValueError(f"protocol {self.protocol} has no such points; write {part}")
        if self.kind is not Kind.METER or self.wire.transports != (Transport.RTU,):
            raise ValueError(f"protocol {self.protocol} is for meters on a serial wire (transport rtu)")

    def _judged(self) -> Iterator[Quantity]:
        """Registers without which a reading says nothing about limit, watchdog, state or meaning."""
        if self.meter is not None:
            yield from self.meter.judges
        if self.charger is not None:
            yield Quantity.STATUS
            yield self.charger.readback.quantity
            yield from (condition.quantity for condition in self.charger.verbs.paused_when)
            yield from (rule.quantity for rule in self.charger.status.rules)
            if self.charger.failsafe is not None:
                yield from self.charger.failsafe.shown
            shown, unlock = self.charger.phases.contactor_state, self.charger.unlock
            yield from (() if shown is None else (shown,))
            yield from (() if unlock is None else unlock.looks_at)

    def _named(self) -> Iterator[Quantity]:
        for part in self.block:
            yield from part.fields
        yield from self.poll.always
        yield from self.poll.slow
        yield from (probe.quantity for probe in self.identify)
        if self.meter is not None:
            yield from self.meter.judges
        if self.charger is None:
            return
        charger = self.charger
        yield from (rule.quantity for rule in charger.status.rules)
        if charger.heartbeat is not None:
            yield charger.heartbeat.quantity
        verbs = charger.verbs
        for verb in (verbs.limit, verbs.pause, verbs.resume, verbs.stop):
            yield from (step.quantity for step in verb.steps)
        yield from (condition.quantity for condition in verbs.paused_when)
        yield charger.readback.quantity
        if charger.failsafe is not None:
            yield from charger.failsafe.shown
            if charger.failsafe.writable:
                yield from charger.failsafe.order
        if charger.boot.standby_off is not None:
            yield charger.boot.standby_off.quantity
        yield from charger.phases.named
        if charger.unlock is not None:
            yield from charger.unlock.named

    def _disjoint(self) -> None:
        taken: dict[tuple[Table, int], Quantity] = {}
        for quantity, point in self.points.items():
            for address in range(point.address, point.address + point.width):
                other = taken.setdefault((point.table, address), quantity)
                if other is not quantity:
                    raise ValueError(f"points.{quantity} overlaps points.{other} at {point.table} {address}")

    def _documented(self) -> None:
        for quantity, point in self.points.items():
            if not any(_inside(point, span) for span in self.documented):
                raise ValueError(f"points.{quantity} lies in no span of [[documented]]")


def _inside(point: Point, span: Span) -> bool:
    if point.table is not span.table or point.per_channel is not span.per_channel:
        return False
    return span.first <= point.address and point.address + point.width <= span.first + span.count
