"""Asks every device again and again and keeps the latest answer of each: the only road of a reading to control."""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping

from siteward.model.alarms import Alarm
from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ids import ConnectorId, LineId, MeterId
from siteward.model.ports import Charger, Clock, Lines, Meter, QuickMeter
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Connector, Site
from siteward.runtime.glances import Glances, is_over, ratings
from siteward.runtime.minutes import next_read, spread
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
    """One task per device. `on_limit_meter` is called at each poll of a meter that guards a feeder.

    It is told whether the reading is above the rating; such a one may also come from a glance between two polls.
    All polls begin on shared ticks, and the devices are spread over the ticks of their period (goal 8).
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

    def watch(self, meters: Collection[MeterId]) -> None:
        """Look at these limit meters as often as their wires have time for it, at the others once a second."""
        for meter, glances in self._glances.items():
            glances.want(meter in meters)

    def tasks(self) -> list[Awaitable[None]]:
        """One endless coroutine per device, for the supervisor."""
        by_id = {connector.id: connector for connector in self._site.connectors}
        meters, chargers = self._lines.meters, self._spread()
        guards = [meter for meter in meters if meter.id in self._ratings]
        others = [meter for meter in meters if meter.id not in self._ratings]
        return [
            *(self._poll_limit_meter(meter, (number + 1) / len(guards)) for number, meter in enumerate(guards)),
            *(self._poll_billing_meter(meter, spread(number, len(others))) for number, meter in enumerate(others)),
            *(glances.run() for glances in self._glances.values()),
            *(self._poll_charger(c, by_id[c.id], (number + 1) / len(chargers)) for number, c in enumerate(chargers)),
        ]

    def _spread(self) -> list[Charger]:
        """The chargers in the order of their beats: those of one wire as far from each other as they can be."""
        wires = [self._lines.line_of(charger.id) for charger in self._lines.chargers]
        count, seen = Counter(wires), Counter[LineId]()
        places = []
        for number, wire in enumerate(wires):
            places.append((seen[wire] / count[wire], number))
            seen[wire] += 1
        return [self._lines.chargers[number] for _, number in sorted(places)]

    async def _poll_limit_meter(self, meter: Meter, share: float) -> None:
        """Poll for ever; the second poll comes after a share of the period, which spreads the devices over it."""
        step = self._step_of.get(meter.id, TICK_S)
        while True:
            due = self._clock.now() + LIMIT_METER_PERIOD_S * share
            share = 1.0
            reading = await self._read_meter(meter)
            if reading is not None:
                self._polled(reading)
            await self._ticks.at(self._next(due, step))

    async def _poll_billing_meter(self, meter: Meter, place_s: float) -> None:
        """Poll for ever, so that whole minutes have a read close by."""
        step = self._step_of.get(meter.id, TICK_S)
        while True:
            due = next_read(self._clock, BILLING_METER_PERIOD_S, place_s)
            await self._read_meter(meter)
            await self._ticks.at(self._next(due, step))

    async def _read_meter(self, meter: Meter) -> MeterReading | None:
        try:
            reading = await meter.read()
        except (DeviceUnreachable, DeviceRefused, Withdrawn):
            self._meter_misses[meter.id] = self._meter_misses.get(meter.id, 0) + 1
            return None
        self._meters[meter.id] = reading
        self._meter_misses[meter.id] = 0
        return reading

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
        nap = self._naps[charger.id]
        step = self._step_of.get(connector.charger, TICK_S)
        first = self._clock.now() + period * share
        while True:
            began = self._clock.now()
            due = _beat(first, period, began)
            try:
                self._chargers[charger.id] = await charger.read()
            except (DeviceUnreachable, DeviceRefused):
                misses = self._misses[charger.id] = self._misses.get(charger.id, 0) + 1
                if misses < _UNREACHABLE:
                    due = began + min(period, AGAIN_S)
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


def _beat(first: float, period: float, now: float) -> float:
    """When the next poll is due: on the connector's own beat, a period (and a pause) from now at the latest.

    So polls that read-backs have brought together drift apart again, and the wire has gaps between them.
    """
    left = (first - now) % period
    return now + (left if left > _LEAST_PAUSE_S else left + period)
