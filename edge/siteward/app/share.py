"""The share process: re-exports the station's readings over Modbus TCP and takes the limits that the site allows.

It knows the station only through the local API, so that no third party can reach a wire or hold up a turn.
"""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from math import inf

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import ConnectorMessage, LiveMessage, MeterMessage, RequestMessage
from siteward.model.errors import ConfigError
from siteward.model.ports import Clock
from siteward.model.requests import CommandName, Stage
from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_settings
from siteward.settings.result import ShareSettings
from siteward_drivers.registry import load_profiles
from siteward_drivers.share_map import STATUSES, Shared, ShareMap
from siteward_drivers.share_server import ShareServer

WRITES_APART_S = 1.0
"""Shortest time between two limits that are handed on: a third party must not flood the journal."""

_RETRY_S = 1.0


class Feed:
    """Keeps the registers at the station's live view and hands wishes on as requests."""

    def __init__(self, client: Client, settings: ShareSettings, clock: Clock) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._seen_at = -inf
        self._station_time = datetime(1970, 1, 1, tzinfo=UTC)
        self._wished_at = -inf
        self.map = ShareMap(settings.writable)

    def age_s(self) -> float:
        """Age of the picture in s."""
        return self._clock.now() - self._seen_at

    async def run(self) -> None:
        """Follow the live stream until cancelled."""
        while True:
            try:
                async for live in self._client.stream():
                    self.show(live)
            except (CoreDown, Refused):
                # Reads are refused by the picture's age until core is back.
                await self._clock.sleep(_RETRY_S)

    def show(self, live: LiveMessage) -> None:
        """Take a live view."""
        self._seen_at = self._clock.now()
        self._station_time = live.at
        self.map.show([_meter(m) for m in live.meters], [_connector(c) for c in live.connectors])

    async def wish(self, connector: str, limit_a: float) -> bool:
        """Hand a limit to the station; it lapses unless it is written again in time."""
        now = self._clock.now()
        if now - self._wished_at < WRITES_APART_S or self.age_s() == inf:
            return False
        self._wished_at = now
        until = self._station_time + timedelta(seconds=self.age_s() + self._settings.limit_hold_s)
        params = {"limit_a": limit_a, "validUntil": until.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        command = RequestMessage(
            command_id=f"share-{secrets.token_hex(10)}",
            name=CommandName.LIMIT_POWER.value,
            target=connector,
            params=params,
        )
        try:
            reply = await self._client.submit(command)
        except (CoreDown, Refused):
            return False
        return reply.stage not in (Stage.REJECTED, Stage.FAILED)


async def run_share(options: ProcessOptions) -> int:
    """Run the share process until SIGTERM or SIGINT; returns the exit status. Raises ConfigError.

    Asked only whether the site shares anything, it opens nothing and says 0 or 1: systemd's condition of the unit.
    """
    stop = stop_on_signals()
    share = load_settings(options.config, load_profiles(options.config.parent / "profiles")).share
    if options.only_ask:
        return int(share is None)
    if share is None:
        raise ConfigError(f"{options.config} has no [share] section; add one, or do not start share")
    async with Client(options.run / "field.sock") as client:
        feed = Feed(client, share, SystemClock())
        server = ShareServer(feed.map, share.clients, feed.age_s, feed.wish)
        await server.start(share.host, share.port)
        following = asyncio.create_task(feed.run())
        try:
            await stop.wait()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await server.close()
    return 0


def _meter(meter: MeterMessage) -> Shared:
    return Shared(meter.id, meter.current_a, meter.voltage_v, meter.power_w, meter.energy_wh, meter.age_s)


def _connector(row: ConnectorMessage) -> Shared:
    status = STATUSES.index(row.status) + 1 if row.online and row.status in STATUSES else 0
    granted = row.grant.limit_a
    return Shared(
        row.id, row.current_a, row.voltage_v, row.power_w, row.energy_wh, row.age_s, status=status, granted_a=granted
    )
