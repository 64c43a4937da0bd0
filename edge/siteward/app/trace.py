"""Keeps the trace: what control saw and why it granted what it did, as compressed JSON, never in the turn's way."""

import asyncio
import zlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from siteward.model.errors import StoreError
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant
from siteward.model.snapshot import Snapshot
from siteward.runtime.turn import TurnDone
from siteward.store.trace import Trace, open_trace

EVERY_S = 1.0
"""One turn a second is kept: turns in between differ by one meter reading."""


class _Row(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")
    snapshot: Snapshot
    why: dict[ConnectorId, Grant] = {}


def encode(snapshot: Snapshot, why: Mapping[ConnectorId, Grant] | None = None) -> bytes:
    """Bytes of a snapshot for the trace, with the grants that changed since the row before."""
    row = _Row.model_construct(snapshot=snapshot, why=dict(why or {}))
    return zlib.compress(row.model_dump_json(exclude_defaults=True).encode(), 1)


def decode(blob: bytes) -> Snapshot:
    """Return the snapshot that `encode` was given. Raises StoreError for bytes that are none."""
    return _row(blob).snapshot


def decode_why(blob: bytes) -> Mapping[ConnectorId, Grant]:
    """Grants with their cause chains that `encode` was given. Raises StoreError for bytes that hold no row."""
    return _row(blob).why


def _row(blob: bytes) -> _Row:
    try:
        return _Row.model_validate_json(zlib.decompress(blob))
    except (zlib.error, ValueError) as error:
        raise StoreError(f"the trace holds bytes that are no snapshot: {error}") from error


def _essence(grant: Grant) -> tuple[object, ...]:
    """What of a grant is worth a line of history: its limit and what bound it, not each tenth of an ampere of room."""
    return (grant.limit_a, *((step.cause, step.feeder, step.limit) for step in grant.chain))


class TraceWriter:
    """Takes every turn and keeps one a second; without a usable disk there is no trace, and control goes on."""

    def __init__(self, hours: int) -> None:
        self._ring_s = hours * 3600.0
        self._trace: Trace | None = None
        self._opening: asyncio.Task[None] | None = None
        self._next = 0.0
        self._told: Mapping[ConnectorId, tuple[object, ...]] = {}

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
        now = {name: _essence(grant) for name, grant in done.decision.grants.items()}
        why = {name: done.decision.grants[name] for name, essence in now.items() if essence != self._told.get(name)}
        self._told = now
        self._trace.append(done.snapshot.turn, done.snapshot.at, encode(done.snapshot, why))

    async def close(self) -> None:
        """Write what is left and close."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._trace is not None:
            await self._trace.close()
