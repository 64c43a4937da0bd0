"""Journals that a bus tool speaks on a wire: once a visit, and once more when it leaves the wire's own settings."""

from collections.abc import Callable, Mapping
from typing import Protocol

from siteward.model.events import EventType
from siteward.model.ids import LineId
from siteward.model.requests import Actor, Source
from siteward.model.site import Site
from siteward.model.visit import WireCall

AGAIN_S = 300.0
"""A tool that was silent on a wire for so long begins a new visit."""


class _Audit(Protocol):
    """Journals one act; raises StoreError."""

    async def __call__(
        self, kind: EventType, data: Mapping[str, object], actor: Actor | None, source: Source
    ) -> None: ...


class ToolAudit:
    """Knows which visits are journaled already; times are the Clock's."""

    def __init__(self, site: Site, now: Callable[[], float], audit: _Audit) -> None:
        self._home = {line.id: line.settings for line in site.lines}
        self._now = now
        self._audit = audit
        self._last: dict[tuple[LineId, str], float] = {}

    async def journal(self, line: LineId, call: WireCall) -> None:
        """Journal the call if it begins a visit. Raises StoreError: what cannot be journaled is not done."""
        home = self._home.get(line)
        if home is None:
            return
        settings = str(call.settings or home)
        now = self._now()
        last = self._last.get((line, settings))
        if last is None or now - last > AGAIN_S:
            data = {"line": str(line), "settings": settings, "home": settings == str(home)}
            await self._audit(EventType.AUDIT_WIRE_TOOL, data, None, Source.CLI)
        self._last[line, settings] = now
