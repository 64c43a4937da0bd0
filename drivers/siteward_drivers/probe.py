"""One live look at a device by its profile: every point in words and units, raw registers, and whether it is itself."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from siteward.model.errors import DeviceRefused
from siteward.model.ports import Clock
from siteward.model.serial import SerialSettings
from siteward.model.site import Line
from siteward_drivers.blocks import poll_blocks
from siteward_drivers.decode import Value, decode
from siteward_drivers.fingerprint import holds, probe_request
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.link import Link
from siteward_drivers.links import framing, open_link, speed
from siteward_drivers.modbus import Answer, Request, encode_rtu
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Point, Table
from siteward_drivers.profile_schema import Transport
from siteward_drivers.quantities import Quantity
from siteward_drivers.scan_judge import strip_echo
from siteward_drivers.scan_plan import Attempt, Setting
from siteward_drivers.scan_run import ask
from siteward_drivers.slave import Role, Slave

_ECHO_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Span:
    """One block of registers as a device gave it: its words, or the exception with which it refused them."""

    table: Table
    first: int
    count: int
    words: tuple[int, ...] = ()
    exception: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One quantity of a device: its value in `unit`, its words; None and a reason when it has none."""

    quantity: Quantity
    unit: str
    value: Value | None
    words: tuple[int, ...] = ()
    why: str = ""


@dataclass(slots=True)
class Look:
    """Everything that one look at a device gave; `strange` names identity probes that do not hold (fault 7)."""

    items: list[Item] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    strange: list[Quantity] = field(default_factory=list)


Ask = Callable[[Request], Awaitable[Answer]]
"""Has a read done, by whoever owns the wire; an exception is an answer too."""


async def look_at(profile: Profile, unit: int, channel: int, at: SerialSettings | None, ask: Ask) -> Look:
    """Read all points of a channel and the identity of a device. Raises what `ask` raises."""
    look = Look()
    readable = [q for q, point in profile.file.points.items() if point.readable]
    for block in poll_blocks(profile, readable, channel, at):
        answer = await ask(Request(unit, block.table.read_function, block.first, block.count))
        span = Span(block.table, block.first, block.count, answer.values, answer.exception)
        look.spans.append(span)
        look.items += _items(profile, block.points, span)
    for probe in profile.file.identify:
        if not holds(profile, probe, await ask(probe_request(profile, probe, unit))):
            look.strange.append(probe.quantity)
    order = {quantity: n for n, quantity in enumerate(profile.file.points)}
    look.items.sort(key=lambda item: order[item.quantity])
    return look


class Prober:
    """One device on a wire that nobody else uses; reads only. Use it as a context: it gives the port back."""

    def __init__(self, line: Line, unit: int, profile: Profile, clock: Clock, link: Link | None = None) -> None:
        self.line, self.unit, self.profile = line, unit, profile
        self._framing = framing(line)
        self._link = link or open_link(line)
        self._owner = LineOwner(line, self._link, self._framing, clock)
        self._slave = self._owner.add_slave(Slave(profile.id, unit, Role.OTHER, profile.file.timing))

    async def __aenter__(self) -> "Prober":
        """Open the port. Raises LinkDown when it is missing or taken."""
        await self._link.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._owner.close()
        await self._link.close()

    async def hears_itself(self) -> bool:
        """Whether the adapter echoes what it sends (fault 4): to be asked first, before the line is in use."""
        if self._framing is Transport.TCP:
            return False
        frame = encode_rtu(probe_request(self.profile, self.profile.file.identify[0], self.unit))
        setting = Setting(self.line.baud, self.line.parity, self.line.stop_bits)
        data = await ask(self._link, Attempt(setting, frame, _ECHO_WAIT_S, "echo", 0.0))
        return strip_echo(frame, data)[1]

    async def look(self, channel: int = 1) -> Look:
        """Read all points of a channel and the identity. Raises DeviceUnreachable when it does not answer."""
        return await look_at(self.profile, self.unit, channel, speed(self.line), self._answer)

    async def read(self, table: Table, first: int, count: int) -> Span:
        """One block. Raises DeviceUnreachable; a refusal is an answer too."""
        answer = await self._answer(Request(self.unit, table.read_function, first, count))
        return Span(table, first, count, answer.values, answer.exception)

    async def _answer(self, request: Request) -> Answer:
        await self._owner.open()
        try:
            return await self._owner.perform(Job(self._slave, request, Rank.REST, retries=2))
        except DeviceRefused as refusal:
            return Answer(exception=refusal.code)


def _items(profile: Profile, points: Mapping[Quantity, Point], span: Span) -> Iterable[Item]:
    for quantity, point in points.items():
        if span.exception is not None:
            yield Item(quantity, point.unit, None, why=f"refused, exception {span.exception}")
            continue
        offset = point.address - span.first
        words = span.words[offset : offset + point.width]
        decoded = decode({quantity: point}, point.address, words, profile.file.word_order)
        value = decoded.values.get(quantity)
        yield Item(quantity, point.unit, value, words, "" if value is not None else "not known, or cannot be true")
