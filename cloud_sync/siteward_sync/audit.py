"""Notes about refused messages for the journal, rationed: a flood of rubbish must not fill the disk."""

from typing import Any

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.model.events import EventType
from siteward.model.ports import Clock

_BURST = 30
_REFILL_S = 60.0


class Auditor:
    """At most 30 notes at once, then one a minute; what was left out is counted in the next one."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._tokens = float(_BURST)
        self._at = clock.now()
        self.left_out = 0

    async def refused(self, **data: Any) -> None:
        """Journal `audit.refused`. With core gone there is no journal: the note is counted as left out."""
        now = self._clock.now()
        self._tokens = min(float(_BURST), self._tokens + (now - self._at) / _REFILL_S)
        self._at = now
        if self._tokens < 1:
            self.left_out += 1
            return
        self._tokens -= 1
        note = {"via": "mqtt", **data} | ({"leftOut": self.left_out} if self.left_out else {})
        try:
            await self._client.audit(EventType.AUDIT_REFUSED.value, note)
        except (CoreDown, Refused):
            self.left_out += 1
            return
        self.left_out = 0
