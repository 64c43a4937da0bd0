"""Looks at the currents of a limit meter between its polls, while its fuse is within reach (goal 7)."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import MeterId
from siteward.model.ports import Clock, QuickMeter
from siteward.model.readings import MeterReading
from siteward.model.site import Site
from siteward.model.units import PerPhase

SHARE_OF_REFRESH = 0.1
"""A glance follows within this part of the meter's own refresh: it ages its values by no more than that."""

_SHORTEST_S = 0.02
_BREATH_S = 0.005
_AGAIN_S = 1.0
_WORTH_A = 0.5
"""Rise above what is known already that is worth a turn of its own."""


def ratings(site: Site) -> dict[MeterId, PerPhase]:
    """The rating that each limit meter guards, in A per phase."""
    found: dict[MeterId, PerPhase] = {}
    for feeder in site.feeders:
        if feeder.meter is not None:
            a, b, c = found.get(feeder.meter, feeder.rating_a)
            x, y, z = feeder.rating_a
            found[feeder.meter] = (min(a, x), min(b, y), min(c, z))
    return found


def is_over(reading: MeterReading, rating_a: PerPhase) -> bool:
    """Whether a reading is above the rating on some phase."""
    return reading.current_a is not None and any(a > most for a, most in zip(reading.current_a, rating_a, strict=True))


class Glances:
    """One meter. Only a glance above the rating that tells something new is passed on, as the last poll renewed.

    Everything else control learns from polls, once a second: its rules count readings and compare whole ones (R10, I3).
    """

    def __init__(
        self,
        meter: QuickMeter,
        rating_a: PerPhase,
        refresh_s: float,
        clock: Clock,
        take: Callable[[MeterReading], None],
    ) -> None:
        self._meter = meter
        self._rating_a = rating_a
        self._pace_s = max(_SHORTEST_S, SHARE_OF_REFRESH * refresh_s)
        self._clock = clock
        self._take = take
        self._wanted = asyncio.Event()
        self._last: MeterReading | None = None
        self._known_a: PerPhase | None = None

    def want(self, wanted: bool) -> None:
        """Look from now on, or no more."""
        if wanted:
            self._wanted.set()
        else:
            self._wanted.clear()

    def polled(self, reading: MeterReading) -> None:
        """Remember a poll."""
        self._last, self._known_a = reading, reading.current_a

    async def run(self) -> None:
        """Look for ever, where it is wanted; a glance that is lost is no miss, but the next one waits a second."""
        while True:
            await self._wanted.wait()
            began = self._clock.now()
            try:
                self._seen(await self._meter.glance())
            except (DeviceUnreachable, DeviceRefused, Withdrawn):
                await self._clock.sleep(_AGAIN_S)
                continue
            await self._clock.sleep(max(_BREATH_S, began + self._pace_s - self._clock.now()))

    def _seen(self, glance: MeterReading) -> None:
        now, known, last = glance.current_a, self._known_a, self._last
        if now is None or known is None or last is None or glance.sent_at < last.sent_at:
            return
        rises = any(a > max(most, old + _WORTH_A) for a, most, old in zip(now, self._rating_a, known, strict=True))
        if rises:
            self._last = replace(last, sent_at=glance.sent_at, current_a=now)
            self._known_a = now
            self._take(self._last)
        else:
            a, b, c = now
            x, y, z = known
            self._known_a = (min(a, x), min(b, y), min(c, z))
