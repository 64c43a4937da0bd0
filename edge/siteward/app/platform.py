"""The demo's platform process: the reference receiver, its prices, and drivers who order from their phones."""

import asyncio
import json
import random
from pathlib import Path

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.app.simulator import SEED
from siteward.model.errors import ConfigError
from siteward.model.events import EventType
from siteward.model.ports import Clock
from siteward.model.sessions import ConnectorStatus
from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_settings
from siteward_drivers.registry import load_profiles
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.receiver.platform import Platform, PlatformOptions, read_signer
from siteward_sync.receiver.records import Records

KID, KEY_NAME = "demo-platform", "command-key.pem"
"""Name of the platform's key, and its file in STATE/platform; without it nothing is signed."""

_LOOK_S = 1.0
_WALK_S = (2.0, 8.0)
_PRICES_S = 5.0


async def run_platform(options: ProcessOptions) -> int:
    """Receive and acknowledge until SIGTERM or SIGINT; whoever plugs in sends a START_CHARGE soon after."""
    settings = load_settings(options.config, load_profiles(options.config.parent / "profiles"))
    if settings.cloud is None:
        raise ConfigError(f"{options.config} has no [cloud] section: there is nothing to receive")
    folder = options.state / "platform"
    folder.mkdir(parents=True, exist_ok=True)
    stop, clock = stop_on_signals(), SystemClock()
    db = folder / "platform.db"
    key = folder / KEY_NAME
    signer = read_signer(KID, key) if key.exists() else None
    platform = Platform(PlatformOptions(settings.cloud.host, settings.cloud.port, db, signer=signer), clock)
    tariff = options.config.with_name("tariff.json")
    people = [asyncio.create_task(Drivers(platform, settings.site.id, db, clock).run())]
    if tariff.exists():
        people.append(asyncio.create_task(set_prices(platform, settings.site.id, _document(tariff), clock)))
    try:
        await platform.run(stop)
    finally:
        for task in people:
            task.cancel()
        await asyncio.gather(*people, return_exceptions=True)
    return 0


def _document(tariff: Path) -> dict[str, object]:
    try:
        document = json.loads(tariff.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{tariff}: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{tariff}: is no tariff; `siteward tariff import` makes one")
    return document


async def set_prices(platform: Platform, station: str, tariff: dict[str, object], clock: Clock) -> None:
    """Send a tariff until the station answered; the same one again changes nothing there."""
    while True:
        try:
            command = await platform.send(station, "SET_TARIFF", params={"tariff": tariff}, valid_s=_PRICES_S)
            async with asyncio.timeout(_PRICES_S):
                await platform.replies(station, command)
            return
        except (LinkDown, PublishRefused, TimeoutError):
            await clock.sleep(_LOOK_S)


class Drivers:
    """People with phones: some seconds after a car was plugged in its driver orders one charge there."""

    def __init__(self, platform: Platform, station: str, db: Path, clock: Clock) -> None:
        self._platform = platform
        self._station = station
        self._db = db
        self._clock = clock
        self._seen = 0
        self._orders = 0
        # An order is charged once (0064), and the station still knows those of the last time that the demo ran.
        self._begun = f"{clock.wall():%Y%m%dT%H%M%S}"
        self._dice = random.Random(SEED)  # noqa: S311 - a demo's patience is no secret
        self._walking: dict[str, float] = {}
        self._served: set[str] = set()

    async def run(self) -> None:
        """Watch the platform's records for ever."""
        records = Records(self._db)
        try:
            while True:
                await self._clock.sleep(_LOOK_S)
                for event in records.events(self._station, after=self._seen):
                    self._seen = event["seq"]
                    self._notice(event)
                await self._order()
        finally:
            records.close()

    def _notice(self, event: dict[str, object]) -> None:
        connector, data = event.get("connectorId"), event.get("data")
        if not isinstance(connector, str) or not isinstance(data, dict):
            return
        if event["type"] == EventType.SESSION_CREATED:
            self._served.add(connector)
            self._walking.pop(connector, None)
        elif event["type"] == EventType.CONNECTOR_STATUS:
            if data.get("status") != ConnectorStatus.OCCUPIED:
                self._served.discard(connector)
                self._walking.pop(connector, None)
            elif connector not in self._served:
                self._walking.setdefault(connector, self._clock.now() + self._dice.uniform(*_WALK_S))

    async def _order(self) -> None:
        now = self._clock.now()
        for connector in [c for c, at in self._walking.items() if at <= now]:
            del self._walking[connector]
            self._orders += 1
            order = f"{self._begun}-{self._orders:05d}"
            try:
                await self._platform.send(self._station, "START_CHARGE", connector, order_id=order)
            except (LinkDown, PublishRefused):
                self._walking[connector] = now + _WALK_S[1]
