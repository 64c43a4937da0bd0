"""Keeps the trace: what control saw in each turn, as compressed JSON in its own file, never in the turn's way."""

import asyncio
import zlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from siteward.model.errors import StoreError
from siteward.model.snapshot import Snapshot
from siteward.runtime.turn import TurnDone
from siteward.store.trace import Trace, open_trace

EVERY_S = 1.0
"""One turn a second is kept: turns in between differ by one meter reading."""


class _Row(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")
    snapshot: Snapshot


def encode(snapshot: Snapshot) -> bytes:
    """Bytes of a snapshot for the trace."""
    row = _Row.model_construct(snapshot=snapshot)
    return zlib.compress(row.model_dump_json(exclude_defaults=True).encode(), 1)


def decode(blob: bytes) -> Snapshot:
    """Return the snapshot that `encode` was given. Raises StoreError for bytes that are none."""
    try:
        return _Row.model_validate_json(zlib.decompress(blob)).snapshot
    except (zlib.error, ValueError) as error:
        raise StoreError(f"the trace holds bytes that are no snapshot: {error}") from error


class TraceWriter:
    """Takes every turn and keeps one a second; without a usable disk there is no trace, and control goes on."""

    def __init__(self, hours: int) -> None:
        self._ring_s = hours * 3600.0
        self._trace: Trace | None = None
        self._opening: asyncio.Task[None] | None = None
        self._next = 0.0

    def start(self, path: Path) -> None:
        """Open the ring beside everything else: a disk that hangs or refuses costs the trace, never the start."""
        self._opening = asyncio.create_task(self._open(path))

    async def _open(self, path: Path) -> None:
        try:
            self._trace = await open_trace(path, self._ring_s)
        except StoreError:
            # Off until the next start; the journal on the same disk raises the alarm.
            return

    def put(self, done: TurnDone) -> None:
        """Keep this turn if the last one kept is a second old."""
        if self._trace is None or done.snapshot.at < self._next:
            return
        self._next = done.snapshot.at + EVERY_S
        self._trace.append(done.snapshot.turn, done.snapshot.at, encode(done.snapshot))

    async def close(self) -> None:
        """Write what is left and close."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._trace is not None:
            await self._trace.close()
