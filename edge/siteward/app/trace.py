"""Keeps the trace: what control saw, was asked and granted, in its own file, never in the turn's way."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from siteward.app.curves import CurveSampler
from siteward.control.record import essence, record
from siteward.model.curve import Curve
from siteward.model.errors import StoreError
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.limits import Grant
from siteward.model.site import Site
from siteward.runtime.turn import TurnDone
from siteward.store.trace import Trace, open_trace
from siteward.store.trace_rows import encode, encode_site

EVERY_S = 1.0
"""One turn a second is kept: turns in between differ by one meter reading."""


class TraceWriter:
    """Takes every turn and keeps one a second; without a usable disk there is no trace, and control goes on."""

    def __init__(self, site: Site, hours: int) -> None:
        self._site = site
        self._ring_s = hours * 3600.0
        self._trace: Trace | None = None
        self._opening: asyncio.Task[None] | None = None
        self._next = 0.0
        self._told: Mapping[ConnectorId, tuple[object, ...]] = {}
        self._sampler = CurveSampler(site)

    def start(self, path: Path) -> None:
        """Open the ring beside everything else: a disk that hangs or refuses costs the trace, never the start."""
        self._opening = asyncio.create_task(self._open(path))

    async def _open(self, path: Path) -> None:
        try:
            self._trace = await open_trace(path, self._ring_s)
            # Snapshots that came meanwhile wait in the buffer for half a minute: they stand behind this site.
            await self._trace.begin(self._site.hash, encode_site(self._site))
        except StoreError:
            # Off until the next start, or without its site; the journal on the same disk raises the alarm.
            return

    def put(self, done: TurnDone) -> None:
        """Keep this turn if the last one kept is a second old."""
        if self._trace is None or done.snapshot.at < self._next:
            return
        self._next = done.snapshot.at + EVERY_S
        kept = record(self._site, done.snapshot, done.decision, self._why(done))
        self._trace.append(done.snapshot.turn, done.snapshot.at, encode(kept))
        self._trace.draw(self._sampler.take(done))

    async def curve(self, session: SessionId, points: int) -> Curve:
        """What is kept of a session's power; nothing where the disk could not be used. Raises StoreError."""
        return Curve() if self._trace is None else await self._trace.curve(session, points)

    def _why(self, done: TurnDone) -> Mapping[ConnectorId, Grant]:
        grants = done.decision.grants
        now = {name: essence(grant) for name, grant in grants.items()}
        changed = {name: grants[name] for name, told in now.items() if told != self._told.get(name)}
        self._told = now
        return changed

    async def close(self) -> None:
        """Write what is left and close."""
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.gather(self._opening, return_exceptions=True)
        if self._trace is not None:
            self._trace.draw(self._sampler.rest())
            await self._trace.close()
