"""A device with registers on a line: reads blocks of its profile and decodes them, with the instant of sending."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

from siteward.model.wire import FrameStage
from siteward_drivers.blocks import Block
from siteward_drivers.decode import Decoded, Value, decode
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank, no_guard, no_trace
from siteward_drivers.modbus import Request
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Table
from siteward_drivers.quantities import Quantity
from siteward_drivers.slave import Slave

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


@dataclass(slots=True)
class Values:
    """Decoded values of one or more blocks; `sent_at` (Clock) is the sending of the first request."""

    sent_at: float = 0.0
    values: dict[Quantity, Value] = field(default_factory=dict)
    raw: dict[Quantity, Value] = field(default_factory=dict)
    rejected: list[Quantity] = field(default_factory=list)

    def add(self, part: Decoded) -> None:
        """Join the values of another block."""
        self.values.update(part.values)
        self.raw.update(part.raw)
        self.rejected.extend(part.rejected)

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
        a, b, c = self.number(first), self.number(second), self.number(third)
        return None if a is None or b is None or c is None else (a, b, c)


class RegisterDevice:
    """One address with a profile, as its meter or connectors use it."""

    def __init__(self, owner: LineOwner, slave: Slave, profile: Profile) -> None:
        self.profile = profile
        self.slave = slave
        self._owner = owner

    async def read(self, blocks: Sequence[Block], terms: Terms) -> Values:
        """Read blocks one after the other. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        result = Values()
        first: list[float] = []

        def trace(stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
            if stage is FrameStage.SENT:
                first.append(at if sent_at is None else sent_at)
            terms.trace(stage, at, sent_at, reason)

        for block in blocks:
            request = Request(self.slave.unit, block.table.read_function, block.first, block.count)
            answer = await self._owner.perform(self._job(request, terms, trace))
            result.add(decode(block.points, block.first, answer.values, self.profile.file.word_order))
        result.sent_at = first[0] if first else 0.0
        return result

    async def write(self, table: Table, address: int, words: Sequence[int], terms: Terms) -> None:
        """Write neighbouring registers in one frame. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        function = write_function(self.profile, table, len(words))
        request = Request(self.slave.unit, function, address, len(words), tuple(words))
        await self._owner.perform(self._job(request, terms, terms.trace))

    def _job(self, request: Request, terms: Terms, trace: Trace) -> Job:
        return Job(
            self.slave,
            request,
            terms.rank,
            retries=terms.retries,
            guard=terms.guard,
            trace=trace,
            key=terms.key,
            deadline=terms.deadline,
        )


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
