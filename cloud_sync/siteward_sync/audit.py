"""Notes about refused messages for the journal, rationed: a flood of rubbish must not fill the disk."""

from typing import Any

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.model.events import EventType
from siteward.model.ports import Clock
from siteward.model.ration import Ration


class Auditor:
    """Notes as many as the ration allows; what was left out is counted in the next one."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._ration = Ration(clock.now())

    @property
    def left_out(self) -> int:
        """Notes that no later one has counted yet."""
        return self._ration.left_out

    async def refused(self, **data: Any) -> None:
        """Journal `audit.refused`. With core gone there is no journal: the note is counted as left out."""
        if not self._ration.take(self._clock.now()):
            return
        left_out = self._ration.settle()
        note = {"via": "mqtt", **data} | ({"leftOut": left_out} if left_out else {})
        try:
            await self._client.audit(EventType.AUDIT_REFUSED.value, note)
        except (CoreDown, Refused):
            self._ration.left_out += left_out + 1
