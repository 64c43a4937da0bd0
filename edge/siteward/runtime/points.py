"""Keeps each device with inputs and outputs prepared and read, one reading at a time however many ask."""

import asyncio
from collections.abc import Iterable, Mapping

from siteward.control.access import arms_of
from siteward.model.access import DriveKind
from siteward.model.errors import DeviceError, DeviceUnreachable
from siteward.model.points import Drive, InputReading, PointName, PointPlan, device_of
from siteward.model.ports import Clock, PointDevice
from siteward.model.site import Site

LOST_AFTER_S = 3.0
"""Silence after which a device is told as unreachable."""

TRIP_PULSE_S = 1.0
"""A trip is a pulse: a shunt release or a self-holding contactor stays open until a person closes it."""

_PREPARE_AGAIN_S = 2.0
_MISSES_TO_PREPARE = 3
_YOUNG_S = 0.04


def plans(site: Site) -> dict[str, PointPlan]:
    """What each device must be prepared for, from all arms, limits and trips of the site."""
    inputs: dict[str, dict[PointName, None]] = {}
    outputs: dict[str, dict[PointName, float | None]] = {}
    for arm in arms_of(site):
        motion = arm.motion
        for contact in arm.contacts:
            inputs.setdefault(device_of(contact.point), {})[contact.point] = None
        for point in motion.outputs:
            pulse_s = None if motion.kind is DriveKind.LEVEL and point != motion.stop else motion.pulse_s
            outputs.setdefault(device_of(point), {})[point] = pulse_s
    for point in sorted(site.watched_points):
        inputs.setdefault(device_of(point), {})[point] = None
    for trip in site.trips.values():
        outputs.setdefault(device_of(trip), {})[trip] = TRIP_PULSE_S
    names = sorted({*inputs, *outputs, *(board.id for board in site.relays)})
    return {name: PointPlan(tuple(inputs.get(name, {})), outputs.get(name, {})) for name in names}


class Keeper:
    """One device: prepares it anew after a loss, and remembers its newest readings."""

    def __init__(self, device: PointDevice, plan: PointPlan, clock: Clock) -> None:
        self.readings: Mapping[PointName, InputReading] = {}
        self._device = device
        self._plan = plan
        self._clock = clock
        self._prepared = self._known = False
        self._tried_at = float("-inf")
        self._heard_at = clock.now()
        self._misses = 0
        self._running: dict[bool, asyncio.Task[None]] = {}

    @property
    def id(self) -> str:
        """The device's id."""
        return self._device.id

    def lost(self, at: float) -> bool:
        """Whether it has been silent for so long that somebody must be told."""
        return at - self._heard_at >= LOST_AFTER_S

    async def refresh(self, urgent: bool, wanted: frozenset[PointName]) -> None:
        """Read these inputs, or all when nothing is urgent; what is known shows in `readings`.

        A read of the same urgency under way is waited for first; an urgent one never waits for an idle one.
        """
        running = self._running.get(urgent)
        if running is not None and not running.done():
            await asyncio.wait([running])
        if self._running.get(urgent) is running:
            self._running[urgent] = asyncio.create_task(self._refresh(urgent, wanted), name=f"read {self.id}")
        current = self._running[urgent]
        await asyncio.wait([current])
        current.result()

    async def _refresh(self, urgent: bool, wanted: frozenset[PointName]) -> None:
        now = self._clock.now()
        mine = [self.readings.get(point) for point in wanted.intersection(self._plan.inputs)]
        if urgent and mine and all(r is not None and now - r.sent_at < _YOUNG_S for r in mine):
            return
        try:
            if not await self._prepare(now):
                return
            self._join(await self._device.read(urgent, wanted if urgent else ()))
        except DeviceError:
            # What is not read grows old, which every arm takes as unknown; the alarm follows from `lost`.
            self._misses += 1
            if self._misses >= _MISSES_TO_PREPARE:
                self._prepared = False
            return
        self._misses, self._heard_at = 0, self._clock.now()

    def _join(self, new: Mapping[PointName, InputReading]) -> None:
        """An idle read may come to its end after a younger urgent one."""
        older = {point for point, reading in new.items() if self._taken_at(point) > reading.sent_at}
        self.readings = {**self.readings, **{point: r for point, r in new.items() if point not in older}}

    def _taken_at(self, point: PointName) -> float:
        known = self.readings.get(point)
        return float("-inf") if known is None else known.sent_at

    async def _prepare(self, now: float) -> bool:
        """Off before anything else, also after it was gone: it may have restarted with whatever it likes (fault 79)."""
        if self._prepared:
            return True
        if now - self._tried_at < _PREPARE_AGAIN_S:
            return False
        self._tried_at = now
        await self._device.prepare(self._plan)
        self._prepared = self._known = True
        return True

    async def drive(self, drive: Drive) -> None:
        """Perform one command. Raises DeviceError; DeviceUnreachable while it is not prepared.

        What frees a way needs no second preparation after a loss: its outputs were off once, and it is in a hurry.
        """
        if not self._known or (drive.risky and not self._prepared):
            raise DeviceUnreachable(f"{self.id} is not prepared")
        await self._device.drive(drive)

    async def close(self) -> None:
        """End reads under way."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


async def refresh_all(
    keepers: Iterable[Keeper], urgent: bool, within_s: float, wanted: frozenset[PointName] = frozenset()
) -> None:
    """Read several devices at once; who is late is not waited for, its read goes on."""
    tasks = [asyncio.create_task(keeper.refresh(urgent, wanted)) for keeper in keepers]
    if not tasks:
        return
    try:
        done, _ = await asyncio.wait(tasks, timeout=within_s)
    finally:
        for task in tasks:
            task.cancel()
    for task in done:
        # Only a broken promise of ours is left to surface here; it must not pass in silence.
        task.result()
