"""What a wire said when an alarm rose: the last minute of frames beside the alarm, in few files."""

import asyncio
import re
from datetime import UTC
from pathlib import Path
from typing import Protocol

from siteward.model.alarms import AlarmCode
from siteward.model.frames import FrameFormat
from siteward.model.ids import LineId
from siteward.model.live import AlarmView, LiveView
from siteward.model.site import Site

FILES_MAX = 40
"""Most files kept; the oldest go first."""

LAST_S = 60.0
"""How much of the past a file holds."""

WIRE_ALARMS = (AlarmCode.CHARGER_UNREACHABLE, AlarmCode.METER_LOST, AlarmCode.LINE_LOST)
"""Alarms whose cause is on a wire."""

_WAIT_S = 10.0


class Watched(Protocol):
    """What is needed of the running station."""

    def site(self) -> Site:
        """The validated site."""
        ...

    async def next_live(self, after_turn: int, timeout_s: float) -> LiveView | None:
        """The newest view above a turn."""
        ...

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """Frames of a line as a file."""
        ...


class Evidence:
    """Writes a file for each new alarm of a wire; a disk that takes none costs the file, nothing else."""

    def __init__(self, station: Watched, folder: Path) -> None:
        self._station = station
        self._folder = folder
        self.lost = 0
        self._standing: frozenset[tuple[str, str]] = frozenset()
        site = station.site()
        self._line_of = {str(meter.id): meter.line for meter in site.meters} | {
            str(connector.id): charger.line for charger in site.chargers for connector in charger.connectors
        }

    async def run(self) -> None:
        """Follow the station until cancelled."""
        turn = -1
        while True:
            view = await self._station.next_live(turn, _WAIT_S)
            if view is not None:
                turn = view.health.turn
                await self.look(view)

    async def look(self, view: LiveView) -> None:
        """Keep the frames of every alarm of a wire that rose since the last look."""
        alarms = {(alarm.code, alarm.subject): alarm for alarm in view.alarms if alarm.code in WIRE_ALARMS}
        new = [alarm for key, alarm in alarms.items() if key not in self._standing]
        self._standing = frozenset(alarms)
        for alarm in new:
            line = self._line_of.get(alarm.subject)
            data = None if line is None else await self._station.frames(line, FrameFormat.PCAP, LAST_S)
            if data is not None:
                await self._keep(alarm, data)

    async def _keep(self, alarm: AlarmView, data: bytes) -> None:
        try:
            await asyncio.to_thread(_write, self._folder, _name(alarm), data)
        except OSError:
            # The alarm itself stands in the journal, and STORE_FAILED tells of the disk.
            self.lost += 1


def _name(alarm: AlarmView) -> str:
    at = alarm.raised_at.astimezone(UTC)
    subject = re.sub(r"[^A-Za-z0-9._-]", "_", alarm.subject)
    return f"{at:%Y%m%dT%H%M%S}Z-{alarm.code}-{subject}.pcap"


def _write(folder: Path, name: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / name).exists():
        # An alarm that stood before a restart: what was kept when it rose says more than what came after.
        return
    part = folder / f".{name}.part"
    part.write_bytes(data)
    part.replace(folder / name)
    # Names begin with their time: their order is the order of the alarms.
    for old in sorted(folder.glob("*.pcap"))[:-FILES_MAX]:
        old.unlink(missing_ok=True)
