"""The platform's own clock: it runs on another machine than the station, so the station's clock is not its to ask."""

import asyncio
import time
from datetime import UTC, datetime

from siteward.model.events import ClockQuality


class PlatformClock:
    """CLOCK_BOOTTIME and the machine's UTC, taken for synchronised."""

    def now(self) -> float:
        """Seconds since boot."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)  # noqa: TID251

    def wall(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)  # noqa: TID251

    def quality(self) -> ClockQuality:
        """A data centre's clock."""
        return ClockQuality.NTP

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)
