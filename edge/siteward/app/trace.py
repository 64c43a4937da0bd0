"""Keeps the trace: what control saw in each turn, as compressed JSON in its own file, never in the turn's way."""

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
        self._next = 0.0

    async def open(self, path: Path) -> None:
        """Open the ring; a disk that refuses leaves the trace off until the next start."""
        try:
            self._trace = await open_trace(path, self._ring_s)
        except StoreError:
            self._trace = None

    def put(self, done: TurnDone) -> None:
        """Keep this turn if the last one kept is a second old."""
        if self._trace is None or done.snapshot.at < self._next:
            return
        self._next = done.snapshot.at + EVERY_S
        self._trace.append(done.snapshot.turn, done.snapshot.at, encode(done.snapshot))

    async def close(self) -> None:
        """Write what is left and close."""
        if self._trace is not None:
            await self._trace.close()
