"""The one file that asks the computer for the time (law 9)."""

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path

from siteward.model.events import ClockQuality

SYNC_FLAG = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it once the clock was set from the network."""

_RTC_FLAG = Path("/sys/class/rtc/rtc0/hctosys")


class SystemClock:
    """The computer's clocks: CLOCK_BOOTTIME goes on through suspend, so that ages stay real (R17)."""

    def __init__(self, sync_flag: Path = SYNC_FLAG) -> None:
        self._sync_flag = sync_flag

    def now(self) -> float:
        """Seconds since boot, suspend included."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def wall(self) -> datetime:
        """UTC wall-clock time."""
        return datetime.now(UTC)

    def quality(self) -> ClockQuality:
        """`ntp` once the sync flag exists, `rtc` where a battery clock set the time at boot, else `unsynced`."""
        if self._sync_flag.exists():
            return ClockQuality.NTP
        if _RTC_FLAG.is_file() and _RTC_FLAG.read_text(encoding="ascii").strip() == "1":
            return ClockQuality.RTC
        return ClockQuality.UNSYNCED

    async def sleep(self, seconds: float) -> None:
        """Return after that many seconds."""
        await asyncio.sleep(seconds)
