"""Asks every device again and again and keeps the latest answer of each: the only road of a reading to control."""

from collections.abc import Awaitable, Callable, Mapping

from siteward.model.alarms import Alarm
from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId, MeterId
from siteward.model.ports import Charger, Clock, Lines, Meter
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Connector, Site
from siteward.runtime.ticks import TICK_S, Nap, Ticks, floor

LIMIT_METER_PERIOD_S = 1.0
BILLING_METER_PERIOD_S = 5.0
AGAIN_S = 0.8
"""After one lost answer the next try follows so soon that the silence stays provably short (R3b)."""

_TOGETHER_S = 0.1
_MANY = 100
"""From so many devices behind sockets on, each burst of polls is worth waiting for: see decision 0041."""

_UNREACHABLE = 2
_LEAST_PAUSE_S = 0.05


def charger_period(connector: Connector) -> float:
    """Poll period in s: four polls within the watchdog time, and no unprovable silence even if one is lost (R3b)."""
    period = min(2.0, connector.facts.boot.min_silence_s * 2 / 3)
    if connector.facts.failsafe is not None:
        period = min(period, connector.facts.failsafe.timeout_s / 4)
    return period


class Poller:
    """One task per device. `on_limit_meter` is called at each reading of a meter that guards a feeder.

    All polls begin on shared ticks, and the devices are spread over the ticks of their period (goal 8).
    """

    def __init__(self, site: Site, lines: Lines, clock: Clock, on_limit_meter: Callable[[], None]) -> None:
        self._site = site
        self._lines = lines
        self._clock = clock
        self._on_limit_meter = on_limit_meter
        self._limit_meters = {feeder.meter for feeder in site.feeders if feeder.meter is not None}
        self._ticks = Ticks(clock)
        self._step_of = _steps(site)
        self._naps = {connector.id: Nap(self._ticks) for connector in site.connectors}
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
        self._naps[connector].poke()

    def tasks(self) -> list[Awaitable[None]]:
        """One endless coroutine per device, for the supervisor."""
        by_id = {connector.id: connector for connector in self._site.connectors}
        meters, chargers = self._lines.meters, self._lines.chargers
        return [
            *(self._poll_meter(meter, (number + 1) / len(meters)) for number, meter in enumerate(meters)),
            *(self._poll_charger(c, by_id[c.id], (number + 1) / len(chargers)) for number, c in enumerate(chargers)),
        ]

    async def _poll_meter(self, meter: Meter, share: float) -> None:
        """Poll for ever; the second poll comes after a share of the period, which spreads the devices over it."""
        guards = meter.id in self._limit_meters
        period = LIMIT_METER_PERIOD_S if guards else BILLING_METER_PERIOD_S
        step = self._step_of.get(meter.id, TICK_S)
        while True:
            due = self._clock.now() + period * share
            share = 1.0
            try:
                self._meters[meter.id] = await meter.read()
            except (DeviceUnreachable, DeviceRefused, Withdrawn):
                self._meter_misses[meter.id] = self._meter_misses.get(meter.id, 0) + 1
            else:
                self._meter_misses[meter.id] = 0
                if guards:
                    self._on_limit_meter()
            await self._ticks.at(self._next(due, step))

    async def _poll_charger(self, charger: Charger, connector: Connector, share: float) -> None:
        period = charger_period(connector)
        nap = self._naps[charger.id]
        step = self._step_of.get(connector.charger, TICK_S)
        while True:
            due = self._clock.now() + period * share
            share = 1.0
            try:
                self._chargers[charger.id] = await charger.read()
            except (DeviceUnreachable, DeviceRefused):
                misses = self._misses[charger.id] = self._misses.get(charger.id, 0) + 1
                if misses < _UNREACHABLE:
                    due = min(due, due - period + AGAIN_S)
            except Withdrawn:
                # The gate closed (R2, R7): nothing was sent, so nothing was missed.
                due = self._clock.now() + min(period, 1.0)
            else:
                self._misses[charger.id] = 0
            if await nap.until(self._next(due, step)):
                await self._clock.sleep(connector.facts.limit.apply_s + 0.05)

    def _next(self, due: float, step: float) -> float:
        """When to poll next: on the step before it is due, so never later (R3b), and never without a pause."""
        return max(floor(due, step), floor(self._clock.now() + _LEAST_PAUSE_S))


def _steps(site: Site) -> Mapping[str, float]:
    """Of devices whose polls begin together on coarser steps than ticks: those behind sockets, where they are many."""
    sockets = {line.id for line in site.lines if not line.is_serial}
    devices = [str(meter.id) for meter in site.meters if meter.line in sockets]
    devices += [str(charger.id) for charger in site.chargers if charger.line in sockets]
    return dict.fromkeys(devices, _TOGETHER_S) if len(devices) >= _MANY else {}
