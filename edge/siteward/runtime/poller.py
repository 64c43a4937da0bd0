"""Asks every device again and again and keeps the latest answer of each: the only road of a reading to control."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from siteward.model.alarms import Alarm
from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId, LineId, MeterId
from siteward.model.ports import Charger, Clock, Lines, Meter, QuickMeter
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Connector, Site
from siteward.runtime.glances import Glances, is_over, ratings

LIMIT_METER_PERIOD_S = 1.0
BILLING_METER_PERIOD_S = 5.0
AGAIN_S = 0.8
"""After one lost answer the next try follows so soon that the silence stays provably short (R3b)."""

_UNREACHABLE = 2
_CLOSE = 0.01


def charger_period(connector: Connector) -> float:
    """Poll period in s: four polls within the watchdog time, and no unprovable silence even if one is lost (R3b)."""
    period = min(2.0, connector.facts.boot.min_silence_s * 2 / 3)
    if connector.facts.failsafe is not None:
        period = min(period, connector.facts.failsafe.timeout_s / 4)
    return period


class Poller:
    """One task per device, polls of one wire spread over their period.

    `on_limit_meter` is called at each poll of a meter that guards a feeder, and with True at readings above the rating.
    """

    def __init__(self, site: Site, lines: Lines, clock: Clock, on_limit_meter: Callable[[bool], None]) -> None:
        self._site = site
        self._lines = lines
        self._clock = clock
        self._on_limit_meter = on_limit_meter
        self._ratings = ratings(site)
        refresh_s = {meter.id: meter.facts.refresh_s for meter in site.meters}
        self._glances = {
            meter.id: Glances(meter, self._ratings[meter.id], refresh_s[meter.id], clock, self._above)
            for meter in lines.meters
            if meter.id in self._ratings and isinstance(meter, QuickMeter)
        }
        self._pokes: dict[ConnectorId, asyncio.Event] = {c.id: asyncio.Event() for c in site.connectors}
        self._meters: dict[MeterId, MeterReading] = {}
        self._chargers: dict[ConnectorId, ChargerReading] = {}
        self._misses: dict[ConnectorId, int] = {}
        self._meter_misses: dict[MeterId, int] = {}

    @property
    def meters(self) -> Mapping[MeterId, MeterReading]:
        """Latest good reading of each meter, as of now: a copy that no later poll changes."""
        return dict(self._meters)

    @property
    def chargers(self) -> Mapping[ConnectorId, ChargerReading]:
        """Latest good reading of each connector."""
        return dict(self._chargers)

    @property
    def misses(self) -> Mapping[ConnectorId, int]:
        """Polls without a usable answer in a row, by connector."""
        return dict(self._misses)

    @property
    def meter_misses(self) -> Mapping[MeterId, int]:
        """Polls without a usable answer in a row, by meter."""
        return dict(self._meter_misses)

    @property
    def line_alarms(self) -> frozenset[Alarm]:
        """What the lines found wrong with themselves."""
        return self._lines.alarms()

    def poke(self, connector: ConnectorId) -> None:
        """Read this connector again as soon as its profile can show the effect of a write."""
        self._pokes[connector].set()

    def watch(self, meters: Collection[MeterId]) -> None:
        """Look at these limit meters as often as their wires have time for it, at the others once a second."""
        for meter, glances in self._glances.items():
            glances.want(meter in meters)

    def tasks(self) -> list[Awaitable[None]]:
        """One endless coroutine per device, for the supervisor."""
        by_id = {connector.id: connector for connector in self._site.connectors}
        shares = self._shares()
        return [
            *(self._poll_meter(meter) for meter in self._lines.meters),
            *(glances.run() for glances in self._glances.values()),
            *(self._poll_charger(charger, by_id[charger.id], shares[charger.id]) for charger in self._lines.chargers),
        ]

    def _shares(self) -> dict[ConnectorId, float]:
        """Place of each connector among those of its wire, as a share of the period (0 to below 1)."""
        wires = {charger.id: self._lines.line_of(charger.id) for charger in self._lines.chargers}
        count, seen = Counter(wires.values()), Counter[LineId]()
        shares = {}
        for name, wire in wires.items():
            shares[name] = seen[wire] / count[wire]
            seen[wire] += 1
        return shares

    async def _poll_meter(self, meter: Meter) -> None:
        guards = meter.id in self._ratings
        period = LIMIT_METER_PERIOD_S if guards else BILLING_METER_PERIOD_S
        while True:
            due = self._clock.now() + period
            try:
                reading = await meter.read()
            except (DeviceUnreachable, DeviceRefused, Withdrawn):
                self._meter_misses[meter.id] = self._meter_misses.get(meter.id, 0) + 1
            else:
                self._meters[meter.id] = reading
                self._meter_misses[meter.id] = 0
                if guards:
                    self._polled(reading)
            await self._clock.sleep(max(0.05, due - self._clock.now()))

    def _polled(self, reading: MeterReading) -> None:
        if reading.meter in self._glances:
            self._glances[reading.meter].polled(reading)
        self._on_limit_meter(is_over(reading, self._ratings[reading.meter]))

    def _above(self, reading: MeterReading) -> None:
        """A glance showed more than the rating, and more than was known."""
        self._meters[reading.meter] = reading
        self._on_limit_meter(True)

    async def _poll_charger(self, charger: Charger, connector: Connector, share: float) -> None:
        period = charger_period(connector)
        first = self._clock.now() + share * period
        while True:
            began = self._clock.now()
            due = _next_beat(first, period, began)
            try:
                self._chargers[charger.id] = await charger.read()
            except (DeviceUnreachable, DeviceRefused):
                misses = self._misses[charger.id] = self._misses.get(charger.id, 0) + 1
                due = began + (period if misses >= _UNREACHABLE else min(period, AGAIN_S))
            except Withdrawn:
                # The gate closed (R2, R7): nothing was sent, so nothing was missed.
                due = self._clock.now() + min(period, 1.0)
            else:
                self._misses[charger.id] = 0
            await self._wait(connector, max(0.05, due - self._clock.now()))

    async def _wait(self, connector: Connector, seconds: float) -> None:
        poke = self._pokes[connector.id]
        try:
            async with asyncio.timeout(seconds):
                await poke.wait()
        except TimeoutError:
            return
        poke.clear()
        await self._clock.sleep(connector.facts.limit.apply_s + 0.05)


def _next_beat(first: float, period: float, now: float) -> float:
    """When the next poll is due: never later than a period, and each connector of a wire at a time of its own.

    What read-backs and repeats have brought together drifts apart again, so that the wire has gaps between polls.
    """
    left = period - (now - first) % period
    return now + (left if left > _CLOSE * period else period)
