"""A device with registers on a line: reads blocks of its profile and decodes them, with the instant of sending."""

import asyncio
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.serial import SerialSettings
from siteward.model.wire import FrameStage
from siteward_drivers.blocks import Block, poll_blocks
from siteward_drivers.decode import Decoded, Decoder, Value
from siteward_drivers.identity import Identity, Whereabouts, holds
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank, no_guard, no_trace
from siteward_drivers.modbus import Answer, Request, read_request
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Table, WordOrder
from siteward_drivers.profile_schema import Probe
from siteward_drivers.quantities import Quantity
from siteward_drivers.slave import Slave
from siteward_drivers.speech import AnyRequest

_NOT_THERE = (2, 3)
_DEAF = 3

Trace = Callable[[FrameStage, float, float | None, str], None]
Guard = Callable[[float], str]
FedBy = Callable[[FrameStage, float, float | None], None]
"""Tells the watchdogs that a frame to this address may feed besides the connector's own."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a frame goes out: see Job."""

    rank: Rank
    retries: int = 0
    guard: Guard = no_guard
    trace: Trace = no_trace
    key: Hashable | None = None
    deadline: float | None = None

    def job(self, slave: Slave, request: AnyRequest, other: AnyRequest | None = None) -> Job:
        """A request on these terms; `other` is another way to ask for the same."""
        return Job(slave, request, self.rank, self.retries, self.guard, self.trace, self.key, self.deadline, other)

    def noting(self, sent: list[float]) -> "Terms":
        """The same terms; the instants (Clock) of sending are added to a list."""

        def trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
            if stage is FrameStage.SENT:
                sent.append(at if sent_at is None else sent_at)
            self.trace(stage, at, sent_at, reason)

        return replace(self, trace=trace)


@dataclass(slots=True)
class Values:
    """Decoded values of one or more blocks; `sent_at` (Clock) is the sending of the first request.

    aged says when those were asked for that another request brought, earlier or later.
    """

    sent_at: float = 0.0
    values: dict[Quantity, Value] = field(default_factory=dict)
    raw: dict[Quantity, Value] = field(default_factory=dict)
    rejected: list[Quantity] = field(default_factory=list)
    impossible: list[Quantity] = field(default_factory=list)
    aged: dict[Quantity, float] = field(default_factory=dict)

    def add(self, part: Decoded) -> None:
        """Join the values of another block."""
        self.values |= part.values
        self.raw |= part.raw
        self.rejected.extend(part.rejected)
        self.impossible.extend(part.impossible)

    def number(self, quantity: Quantity) -> float | None:
        """A number, None when it is not known."""
        value = self.values.get(quantity)
        return None if value is None or isinstance(value, str) else float(value)

    def count(self, quantity: Quantity) -> int | None:
        """A whole number (registers of energy), None when it is not known."""
        value = self.number(quantity)
        return None if value is None else round(value)

    def phases(self, first: Quantity, second: Quantity, third: Quantity) -> tuple[float, float, float] | None:
        """Three phase values, None unless all three are known: a missing phase is never zero."""
        known = self.values
        one, two, three = known.get(first), known.get(second), known.get(third)
        if one is None or two is None or three is None:
            return None
        if type(one) is float and type(two) is float and type(three) is float:
            return one, two, three
        a, b, c = self.number(first), self.number(second), self.number(third)
        return None if a is None or b is None or c is None else (a, b, c)


class _Ask:
    """How a block is read, worked out once: the request, the one with some registers more, and what decodes both."""

    __slots__ = ("decode", "longer", "request")

    def __init__(self, block: Block, unit: int, order: WordOrder) -> None:
        function = block.table.read_function
        self.request = read_request(unit, function, block.first, block.count)
        more = block.more
        self.longer = read_request(unit, function, block.first, block.count + more) if more else None
        self.decode = Decoder(block.points, block.first, order)


class RegisterDevice:
    """One address with a profile, as its meter or connectors use it."""

    def __init__(
        self, owner: LineOwner, slave: Slave, profile: Profile, whereabouts: Whereabouts | None = None
    ) -> None:
        self.profile = profile
        self.slave = slave
        self._owner = owner
        self._stranger = ""
        self._identity = Identity(profile, owner.line.id, whereabouts or Whereabouts())
        self._known_at = 0
        self._asks: dict[Block, _Ask] = {}
        self._proofs: tuple[Block, ...] | None = None
        self._no_more: set[Place] = set()
        self._deaf_to: dict[Place, int] = {}
        self._spacers = spacers(profile)
        self._sentinel = _sentinel(profile)

    async def meet(self, terms: Terms, at: SerialSettings | None) -> None:
        """Ask who answers, after the port was opened anew: a path may lead to another wire now (fault 7).

        Called before a poll and after it, since the poll itself may have opened the port. Raises DeviceUnreachable
        when it is somebody else, and what `read` raises.
        """
        opening = self._owner.openings
        if self.known:
            return
        if self._owner.displaced is not None and not self._identity.tells_place:
            # It cannot prove itself, and to ask feeds the watchdog of another box at whatever limit that one has (R2).
            self.accept()
        if self._proofs is None:
            self._proofs = poll_blocks(self.profile, self._identity.quantities, 1, at)
        found = Values()
        for block in self._proofs:
            try:
                found.values.update((await self.read([block], terms)).values)
            except DeviceRefused:
                # Not every device of a model has every register: what it does not tell proves nothing.
                continue
        self.judge(found)
        self._known_at = opening

    @property
    def stranger(self) -> str:
        """What proves that somebody else answers, "" where nothing does.

        On a wire that carries the devices of another one nobody is trusted, not even who looks like himself.
        """
        swapped = self._owner.displaced
        return self._stranger or ("" if swapped is None else f"its wire carries the devices of {swapped}")

    @property
    def known(self) -> bool:
        """Whether nothing speaks against this being the device that it was before the port was last opened."""
        met = self._owner.openings in (0, 1, self._known_at) or not self._identity.quantities
        return met and not self.stranger and not self.slave.clash.standing

    def judge(self, values: Values) -> None:
        """Hold values against what proves the model. Raises DeviceUnreachable when somebody else answered."""
        self._stranger = self._identity.wrong(values.values, self._owner.openings)
        if self._identity.at_home_on is not None:
            self._owner.displaced = self._identity.at_home_on
        elif self._owner.displaced is not None and self._identity.proven_at == self._owner.openings:
            self._owner.displaced = None
        if self._identity.took_turns:
            self.slave.clash.proven(asyncio.get_running_loop().time())
        self.accept()

    def accept(self, cut: bool = False) -> None:
        """Raise DeviceUnreachable while somebody else answers at the address, or two devices do (fault 9).

        A cut goes to both of two all the same: whichever obeys, less flows.
        """
        if self.stranger:
            raise DeviceUnreachable(f"{self.slave.device} is another device: {self.stranger}")
        if not cut:
            self.slave.accept()

    async def read(self, blocks: Sequence[Block], terms: Terms) -> Values:
        """Read blocks one after the other. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        result = Values()
        sent_at: float | None = None
        fresh = False
        last = len(blocks) - 1
        for index, block in enumerate(blocks):
            before = self.slave.last
            ask = self._asks.get(block)
            if ask is None:
                ask = self._asks[block] = _Ask(block, self.slave.unit, self.profile.file.word_order)
            # One answer that cannot be another's is enough: with it, a stream one behind fails the whole poll.
            answer, at = await self._ask(ask, terms, index == last and not fresh)
            if sent_at is None:
                sent_at = at
            if index < last and not fresh:
                after = self.slave.last
                fresh = before is not None and after is not None and not after.confusable(before)
            ask.decode.into(answer.values, result.values, result.raw, result.rejected, result.impossible)
        result.sent_at = sent_at or 0.0
        return result

    async def _ask(self, ask: _Ask, terms: Terms, alone: bool) -> tuple[Answer, float | None]:
        """Read one block, with some registers more wherever that makes its answer differ from the one before it.

        Also returns when the first of its requests was sent (Clock).
        """
        if ask.longer is None:
            spaced_at = await self._space(ask.request, terms) if alone else None
            job = terms.job(self.slave, ask.request)
            answer = await self._owner.perform(job)
            return answer, job.sent_at if spaced_at is None else spaced_at
        # The longer way comes first: what follows may have no choice.
        job = terms.job(self.slave, ask.longer, other=ask.request)
        try:
            return await self._owner.perform(job), job.sent_at
        except DeviceRefused as error:
            if job.request == ask.request or error.code not in _NOT_THERE:
                raise
            # Documented or not, this device does not part with them: from now on without.
            ask.longer = None
            return await self._owner.perform(terms.job(self.slave, ask.request)), job.sent_at

    async def _space(self, request: Request, terms: Terms) -> float | None:
        """Read something else where the answer could be taken for that of the request before it; when it was sent."""
        last = self.slave.last
        if last is None or not request.confusable(last):
            return None
        place = spacer_for(request, [spot for spot in self._spacers if spot not in self._no_more])
        if place is None:
            return None
        table, at, width = place
        garbled = self.slave.garbled
        job = terms.job(self.slave, Request(self.slave.unit, table.read_function, at, width))
        try:
            await self._owner.perform(job)
        except DeviceRefused as error:
            # Half a value need not be had: a refusal is an answer of its own, this once.
            if error.code not in _NOT_THERE:
                raise
            self._no_more.add(place)
        except DeviceUnreachable:
            # A device that is deaf to such a read, yet answers all others, must not be lost for it.
            self._deaf_to[place] = self._deaf_to.get(place, 0) + (self.slave.garbled == garbled)
            if self._deaf_to[place] >= _DEAF:
                self._no_more.add(place)
            raise
        self._deaf_to.pop(place, None)
        return job.sent_at

    def check_sentinel(self, values: Values) -> None:
        """Hold the last read of a poll against what only that register shows. Raises DeviceUnreachable (fault 12)."""
        probe = self._sentinel
        if probe is None:
            return
        value = values.values.pop(probe.quantity, None)
        if value is None or not holds(probe, value):
            self.slave.behind += 1
            self._owner.distrust(f"{self.slave.device} answers one request behind")
            raise DeviceUnreachable(f"{self.slave.device}: {probe.quantity} is {value!r}: answers one request behind")

    async def words(self, table: Table, address: int, count: int, terms: Terms) -> Sequence[int]:
        """Neighbouring registers as they are. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        request = Request(self.slave.unit, table.read_function, address, count)
        return (await self._owner.perform(terms.job(self.slave, request))).values

    async def write(self, table: Table, address: int, words: Sequence[int], terms: Terms) -> None:
        """Write neighbouring registers in one frame. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        function = write_function(self.profile, table, len(words))
        request = Request(self.slave.unit, function, address, len(words), tuple(words))
        await self._owner.perform(terms.job(self.slave, request))


Place = tuple[Table, int, int]
"""Table, first address and count of a read."""


def spacers(profile: Profile) -> tuple[Place, ...]:
    """Places that can be read only to have been read: the identity first, what is polled anyway, halves at last."""
    polled = (*(probe.quantity for probe in profile.file.identify), *profile.file.poll.always, *profile.file.poll.slow)
    points = [profile.point(quantity) for quantity in polled]
    whole = tuple((point.table, point.address, point.width) for point in points if point.readable)
    halves = [(table, at, 1) for table, at, width in whole if width > 1]
    return (*whole, *halves[:1]) if profile.file.timing.part_reads else whole


def spacer_for(request: Request, places: Iterable[Place]) -> Place | None:
    """The first place whose answer could not be taken for the request's, None where all look alike."""
    for table, at, width in places:
        if not Request(request.unit, table.read_function, at, width).confusable(request):
            return table, at, width
    return None


def guard_read(profile: Profile, blocks: Sequence[Block]) -> Place | None:
    """What every poll of these blocks reads besides, so that one of its answers could be no other (fault 12)."""
    asks = [Request(1, block.table.read_function, block.first, block.count) for block in blocks]
    alike = not any(block.more for block in blocks) and all(a.confusable(asks[0]) for a in asks)
    return spacer_for(asks[-1], spacers(profile)) if alike and asks and _sentinel(profile) is None else None


def _sentinel(profile: Profile) -> Probe | None:
    wanted = profile.file.poll.sentinel
    return next((probe for probe in profile.file.identify if probe.quantity is wanted), None)


def write_function(profile: Profile, table: Table, count: int) -> int:
    """Function code for a write: the single one where it does, since its echo carries the value back.

    Raises ValueError when the device has no such function.
    """
    single, multiple = (5, 15) if table is Table.COIL else (6, 16)
    functions = profile.file.timing.write_functions
    if count == 1 and single in functions:
        return single
    if multiple in functions and count <= profile.file.timing.max_write_registers:
        return multiple
    raise ValueError(f"profile {profile.id} writes no {count} registers at once")
