"""A wire without frames: one exchange at a time, each taking its time, some lost."""

import asyncio
import heapq
from collections.abc import Callable
from enum import IntEnum
from itertools import count

from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.devices import SimDevice
from siteward_drivers.sim.paced import char_s, silence_s

_FRAME_BYTES = 45
_TCP_S = 0.005


class Urgency(IntEnum):
    """Order on a wire (ruling 3): cuts, limit meters, raises, the rest."""

    CUT = 0
    METER = 1
    RAISE = 2
    POLL = 3


class _Turn:
    """The right to use the wire: the most urgent waits shortest, equals in order of asking."""

    def __init__(self, wire: "PortWire", urgency: Urgency) -> None:
        self._wire, self._urgency = wire, urgency

    async def __aenter__(self) -> None:
        await self._wire.acquire(self._urgency)

    async def __aexit__(self, *_: object) -> None:
        self._wire.release()


class PortWire:
    """One line of a simulated site at port fidelity; faults are those of its bank and devices.

    An exchange takes exchange_s (by default about one poll's frames at the line's pace) plus the device's latency;
    without an answer it takes timeout_s.
    """

    def __init__(self, line: Line, bank: Bank, clock: Clock, timeout_s: float = 0.5) -> None:
        self.line, self.bank = line, bank
        self.timeout_s = timeout_s
        self.exchange_s = _FRAME_BYTES * char_s(line) + 2 * silence_s(line) if line.is_serial else _TCP_S
        self.busy_s = 0.0
        self.plugged = True
        self._clock = clock
        self._taken = False
        self._waiting: list[tuple[Urgency, int, asyncio.Future[None]]] = []
        self._order = count()

    def turn(self, urgency: Urgency) -> _Turn:
        """Wait for the wire to be free and keep it: `async with wire.turn(Urgency.POLL):`."""
        return _Turn(self, urgency)

    async def acquire(self, urgency: Urgency) -> None:
        """Wait for the wire."""
        if not self._taken:
            self._taken = True
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (urgency, next(self._order), mine))
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.release()
            raise

    def release(self) -> None:
        """Give the wire to the next."""
        while self._waiting:
            _, _, next_one = heapq.heappop(self._waiting)
            if not next_one.done():
                next_one.set_result(None)
                return
        self._taken = False

    async def exchange(self, device: SimDevice, act: Callable[[], None]) -> bool:
        """One request and its answer; `act` happens if the device hears. False when no answer came in time."""
        bank, faults = self.bank, device.faults
        lost = bank.random.random() < faults.loss or bank.faults.cut or not self.plugged
        late_s = device.think_s + bank.faults.late_s
        await self._pass(self.exchange_s / 2)
        bank.settle()
        heard = not lost and not faults.silent and device.answers
        if heard:
            act()
        mute = faults.mute or bank.faults.mute or bank.random.random() < faults.loss
        if not heard or mute or late_s > self.timeout_s:
            await self._pass(self.timeout_s)
            return False
        await self._pass(self.exchange_s / 2 + late_s)
        bank.settle()
        return True

    async def _pass(self, seconds: float) -> None:
        self.busy_s += seconds
        await self._clock.sleep(seconds)
