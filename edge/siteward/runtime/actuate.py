"""The only room that writes to a device (law 1): hands writes to the lines and keeps the log of what became of them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from siteward.model.errors import DeviceError, DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId, MeterId
from siteward.model.points import Drive, device_of
from siteward.model.ports import Charger, Clock, SigningMeter
from siteward.model.signed import SignAnswer, SignFailure, SignOrder, SignResult, SignStep
from siteward.model.site import Site
from siteward.model.wire import WireEvent, Write

REPEAT_S = 10.0
"""How long a command that frees a way is repeated while its device does not take it."""

SIGN_AGAIN_S = 2.0
"""Pause before a meter that did not sign is asked again."""

_REPEAT_EVERY_S = 0.1


class Actuator:
    """Starts every write at once, each on its own line; the turn never waits for a wire."""

    def __init__(self, poke: Callable[[ConnectorId], None]) -> None:
        self._poke = poke
        self._chargers: Mapping[ConnectorId, Charger] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._log: list[WireEvent] = []

    def attach(self, chargers: Iterable[Charger]) -> None:
        """Know the chargers; the lines need the log before they exist, hence two steps."""
        self._chargers = {charger.id: charger for charger in chargers}

    def log(self, event: WireEvent) -> None:
        """Take one step of one frame (model.ports.WireLog)."""
        self._log.append(event)

    def drain(self) -> tuple[WireEvent, ...]:
        """Return what happened on the wires since the last call, oldest first."""
        events = tuple(self._log)
        self._log.clear()
        return events

    def send(self, writes: Iterable[Write]) -> None:
        """Start these writes in order; their outcome comes back through the log."""
        for write in writes:
            task = asyncio.create_task(self._perform(write))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def finish(self, seconds: float) -> None:
        """Wait for what was started to come to its end, at most that long."""
        if self._running:
            await asyncio.wait(tuple(self._running), timeout=seconds)

    async def _perform(self, write: Write) -> None:
        try:
            await self._chargers[write.connector].write(write)
        except (DeviceUnreachable, DeviceRefused, Withdrawn):
            # The wire log tells the next turn, which decides what follows.
            return
        self._poke(write.connector)

    async def close(self) -> None:
        """Give up on writes that are still waiting for their line."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


Verify = Callable[[bytes, bytes | None], bool | None]
"""Whether a signed record holds by a public key; None where that cannot be told."""


class MeterActuator:
    """Has meters sign, each one order at a time, for as long as the decision asks for it."""

    def __init__(self, clock: Clock, site: Site, verify: Verify, wake: Callable[[], None]) -> None:
        self._clock = clock
        self._plates = {meter.id: meter.public_key for meter in site.meters}
        self._verify = verify
        self._wake = wake
        self._meters: dict[MeterId, SigningMeter] = {}
        self._wanted: dict[MeterId, SignOrder] = {}
        self._done: dict[MeterId, tuple[str, SignStep]] = {}
        self._running: dict[MeterId, asyncio.Task[None]] = {}
        self._results: list[SignResult] = []

    def attach(self, meters: Iterable[object]) -> None:
        """Know those that sign among the meters."""
        self._meters = {meter.id: meter for meter in meters if isinstance(meter, SigningMeter)}

    def ask(self, orders: Iterable[SignOrder]) -> None:
        """Know what is wanted now; what runs already is not begun again, what was answered is not asked again."""
        self._wanted = {order.meter: order for order in orders if order.meter in self._meters}
        for meter, order in self._wanted.items():
            running = self._running.get(meter)
            if order.key != self._done.get(meter) and (running is None or running.done()):
                self._running[meter] = asyncio.create_task(self._serve(meter), name=f"sign {meter}")

    def drain(self) -> tuple[SignResult, ...]:
        """What meters handed over since the last call."""
        results = tuple(self._results)
        self._results.clear()
        return results

    async def _serve(self, meter: MeterId) -> None:
        """Try until it is answered or no longer wanted."""
        while (order := self._wanted.get(meter)) is not None and order.key != self._done.get(meter):
            answer = await self._tried(self._meters[meter], order)
            over = answer.failure is None or answer.failure.final
            if over:
                self._done[meter] = order.key
            self._results.append(self._judged(order, answer))
            self._wake()
            if not over:
                await self._clock.sleep(SIGN_AGAIN_S)

    async def _tried(self, meter: SigningMeter, order: SignOrder) -> SignAnswer:
        """What it hands over; read once more where it does not hold: that may have been a slip of the wire."""
        answer = await self._try(meter, order)
        key = self._plates.get(order.meter) or answer.public_key
        if answer.document is None or self._verify(answer.document, key) is not False:
            return answer
        again = await self._try(meter, order)
        return answer if again.document is None else replace(again, stray=answer.stray)

    async def _try(self, meter: SigningMeter, order: SignOrder) -> SignAnswer:
        try:
            return await meter.sign(order)
        except DeviceRefused:
            return SignAnswer(None, failure=SignFailure.REFUSED)
        except (DeviceUnreachable, Withdrawn):
            return SignAnswer(None, failure=SignFailure.UNREACHABLE)

    def _judged(self, order: SignOrder, answer: SignAnswer) -> SignResult:
        key = self._plates.get(order.meter) or answer.public_key
        verified = None if answer.document is None else self._verify(answer.document, key)
        stray = None if answer.stray is None else self._verify(answer.stray, key)
        return SignResult(order, answer, verified, stray)

    async def close(self) -> None:
        """Give up on what is still being signed; the meter is asked for it after the next start."""
        running = tuple(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


class Driver(Protocol):
    """A device that performs commands to outputs."""

    async def drive(self, drive: Drive) -> None:
        """Perform one. Raises DeviceError."""
        ...


class OutputActuator:
    """Drives outputs: the commands of one effect in order; what frees a way is repeated until it was taken."""

    def __init__(self, devices: Mapping[str, Driver], clock: Clock) -> None:
        self._devices = devices
        self._clock = clock
        self._newest: dict[str, int] = {}
        self._running: set[asyncio.Task[None]] = set()

    def send(self, arm: str, drives: Sequence[Drive]) -> None:
        """Start these commands of an arm; older ones of the same arm that are still repeated are given up."""
        number = self._newest[arm] = self._newest.get(arm, 0) + 1
        task = asyncio.create_task(self._perform(arm, number, drives), name=f"drive {arm}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _perform(self, arm: str, number: int, drives: Sequence[Drive]) -> None:
        until = self._clock.now() + REPEAT_S
        while drives and self._newest[arm] == number and self._clock.now() < until:
            drives = await self._pass(drives)
            if drives:
                await self._clock.sleep(_REPEAT_EVERY_S)

    async def _pass(self, drives: Sequence[Drive]) -> Sequence[Drive]:
        """Try them in order once; returns what is to be repeated, nothing when the last of them was taken.

        Nothing is switched on while what must be off before it is not, and no halt comes after what frees the way. A
        command into the way is never repeated: the travel time of its table ends it.
        """
        failed: list[Drive] = []
        for place, drive in enumerate(drives):
            if await self._taken(drive):
                failed = failed if place + 1 < len(drives) else []
            elif not drive.on:
                return [*failed, *(later for later in drives[place:] if not later.risky)]
            elif not drive.risky:
                failed.append(drive)
        return failed

    async def _taken(self, drive: Drive) -> bool:
        try:
            await self._devices[device_of(drive.point)].drive(drive)
        except DeviceError:
            return False
        return True

    async def close(self) -> None:
        """Give up on commands that are still repeated."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
