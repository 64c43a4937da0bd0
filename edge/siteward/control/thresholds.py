"""Rules of alarms judged over what was read last: rises late, ends with hysteresis, and unknown decides nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from siteward.model.alarm_log import AlarmRecord
from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Connector, Site
from siteward.model.watch import CODES, AlarmRule, Figure, Remark, Supply, Watched

OFFLINE_MISSES = 2
"""Polls without an answer, in a row, that make a connector count as disconnected (turn.md step 3)."""

FRESH_S = 60.0
"""Age from which a reading tells nothing of temperature, voltage and frequency any more."""

DARK_V = 20.0
"""A charger that measures behind its contactor shows no voltage while it is open: below this nothing is judged."""

UPLINK = "uplink"
"""Subject of alarms about the connection to the platform."""

Values = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the rules look at. at is boot-time s; started_at when the watch began; None is not known.

    figures are those of the station and, with Watched.UPLINK, of the connection to the platform, which was there since
    the start where uplink_heard; drifts are by feeder (percent, Wh) of the last whole quarter of an hour.
    """

    at: float
    started_at: float
    chargers: Mapping[ConnectorId, ChargerReading] = field(default_factory=dict)
    meters: Mapping[MeterId, MeterReading] = field(default_factory=dict)
    misses: Mapping[ConnectorId, int] = field(default_factory=dict)
    figures: Mapping[tuple[Watched, Figure], float | None] = field(default_factory=dict)
    drifts: Mapping[FeederId, tuple[float, float]] = field(default_factory=dict)
    uplink_heard: bool = True


class Target(NamedTuple):
    """A rule at one subject."""

    rule: AlarmRule
    subject: str
    connector: Connector | None = None


class Over(NamedTuple):
    """A figure that is too high or too low: since when, whether it was told, and since when it is good again."""

    since: float
    told: bool
    value: float
    better_since: float | None = None


Key = tuple[str, str, bool]
"""Rule, subject, and whether it is the upper bound."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a round came to."""

    held: Mapping[Key, Over]
    alarms: Mapping[Alarm, Remark]


def targets(site: Site, rules: tuple[AlarmRule, ...]) -> tuple[Target, ...]:
    """Every rule at every subject that it counts for; a narrower rule about the same figure takes the wider's place."""
    found: dict[tuple[str, Watched, Figure], list[Target]] = {}
    for rule in rules:
        for target in _candidates(site, rule):
            found.setdefault((target.subject, rule.on, rule.what), []).append(target)
    kept: list[Target] = []
    for group in found.values():
        best = max(target.rule.narrowness for target in group)
        kept += [target for target in group if target.rule.narrowness == best]
    return tuple(kept)


def _candidates(site: Site, rule: AlarmRule) -> Iterator[Target]:
    if rule.on is Watched.CHARGER:
        yield from _outlets(site, rule)
    elif rule.on is Watched.METER:
        for meter in site.meters:
            if rule.profile in (None, meter.profile) and rule.device in (None, meter.id):
                yield Target(rule, meter.id)
    elif rule.on is Watched.FEEDER:
        yield from (Target(rule, f.id) for f in site.feeders if f.meter is not None and rule.device in (None, f.id))
    elif rule.on is Watched.STATION:
        yield Target(rule, STATION)
    elif site.cloud:
        yield Target(rule, UPLINK)


def _outlets(site: Site, rule: AlarmRule) -> Iterator[Target]:
    for charger in site.chargers:
        for connector in charger.connectors:
            supply = Supply.AC if connector.facts.power is None else Supply.DC
            fits = rule.supply in (None, supply) and rule.profile in (None, charger.profile)
            if fits and rule.device in (None, charger.id, connector.id):
                yield Target(rule, connector.id, connector)


def judge(rules: tuple[Target, ...], picture: Picture, held: Mapping[Key, Over]) -> Judged:
    """One round over all rules. Where two rules raise the same alarm, the worse one speaks."""
    after: dict[Key, Over] = {}
    alarms: dict[Alarm, Remark] = {}
    for target in rules:
        values = _values(target, picture)
        codes = CODES[target.rule.on, target.rule.what]
        for upper, bound, code in ((True, target.rule.above, codes.above), (False, target.rule.below, codes.below)):
            if bound is None or code is None:
                continue
            key = (target.rule.id, target.subject, upper)
            over = _step(target.rule, bound, upper, values, held.get(key), picture.at)
            if over is None:
                continue
            after[key] = over
            if over.told:
                _raise(alarms, target, code, Remark(target.rule.severity, over.value, bound, *_named(target.rule)))
    return Judged(after, alarms)


def remembered(rules: tuple[Target, ...], records: Iterable[AlarmRecord], at: float) -> dict[Key, Over]:
    """What the rules go on from after a restart: what stood is judged as standing until it is known to be good."""
    stood = {(row.rule, row.subject, row.code): row.value for row in records if row.value is not None}
    held: dict[Key, Over] = {}
    for rule, subject, _ in rules:
        codes = CODES[rule.on, rule.what]
        for upper, code in ((True, codes.above), (False, codes.below)):
            value = stood.get((rule.id, subject, code or ""))
            if value is not None:
                held[rule.id, subject, upper] = Over(at, True, value)
    return held


def remark_of(rules: Iterable[AlarmRule], row: AlarmRecord) -> Remark | None:
    """What its rule added to an alarm that stood before a restart, None where no rule did or the rule is gone."""
    rule = next((rule for rule in rules if rule.id == row.rule), None)
    if rule is None or row.value is None or row.bound is None:
        return None
    return Remark(rule.severity, row.value, row.bound, *_named(rule))


def _named(rule: AlarmRule) -> tuple[Figure, str, bool]:
    return rule.what, rule.id, rule.latched


def _raise(alarms: dict[Alarm, Remark], target: Target, code: AlarmCode, remark: Remark) -> None:
    alarm = Alarm(code, target.subject)
    known = alarms.get(alarm)
    if known is None or remark.severity.rank < known.severity.rank:
        alarms[alarm] = remark


def _step(rule: AlarmRule, bound: float, upper: bool, values: Values, old: Over | None, at: float) -> Over | None:
    """One bound at one subject; what is not known neither raises nor ends anything."""
    if not values:
        return old if old is not None and old.told else None
    value = max(values) if upper else min(values)
    past = value - bound if upper else bound - value
    if old is None:
        return Over(at, rule.after_s <= 0.0, value) if past > 0.0 else None
    if not old.told:
        return None if past <= 0.0 else Over(old.since, at - old.since >= rule.after_s, value)
    if past > -rule.hysteresis:
        # The worst that was seen is what somebody must know.
        worst = max(old.value, value) if upper else min(old.value, value)
        return Over(old.since, True, worst)
    better_since = at if old.better_since is None else old.better_since
    return None if at - better_since >= rule.clear_after_s else old._replace(better_since=better_since)


def _values(target: Target, picture: Picture) -> Values:
    """The figure at a subject, one value or one a phase; empty where it is not known."""
    rule = target.rule
    if rule.on is Watched.CHARGER:
        return _of_charger(target, picture)
    if rule.on is Watched.METER:
        return _of_meter(rule, MeterId(target.subject), picture)
    if rule.on is Watched.FEEDER:
        percent, energy_wh = picture.drifts.get(FeederId(target.subject), (None, 0.0))
        return () if percent is None else (percent if energy_wh >= rule.least else 0.0,)
    if rule.what is Figure.SILENT_PERCENT:
        return _mass(rule, picture)
    known = _known(picture.figures.get((rule.on, rule.what)))
    return known if rule.what is not Figure.SILENT_S or picture.uplink_heard else _unheard(rule, *known)


def _unheard(rule: AlarmRule, *silent_s: float) -> Values:
    """Silence since our own start: it says nothing before it is too long, for it is no sign of life either."""
    return tuple(s for s in silent_s if rule.above is not None and s > rule.above)


def _known(value: float | None) -> Values:
    return () if value is None else (value,)


def _of_charger(target: Target, picture: Picture) -> Values:
    connector = target.connector
    reading = picture.chargers.get(ConnectorId(target.subject))
    if target.rule.what is Figure.SILENT_S:
        return _silence(target.rule, reading, picture)
    if connector is None or reading is None or picture.at - reading.sent_at > FRESH_S:
        return ()
    if target.rule.what is Figure.TEMPERATURE_C:
        return _known(reading.temperature_c)
    lit = () if reading.voltage_v is None else reading.voltage_v[: len(connector.wiring)]
    return tuple(volts for volts in lit if volts > DARK_V)


def _silence(rule: AlarmRule, reading: ChargerReading | MeterReading | None, picture: Picture) -> Values:
    if reading is None:
        return _unheard(rule, picture.at - picture.started_at)
    return (picture.at - reading.sent_at,)


def _of_meter(rule: AlarmRule, meter: MeterId, picture: Picture) -> Values:
    reading = picture.meters.get(meter)
    if rule.what is Figure.SILENT_S:
        return _silence(rule, reading, picture)
    if reading is None or picture.at - reading.sent_at > FRESH_S:
        return ()
    if rule.what is Figure.FREQUENCY_HZ:
        return _known(reading.frequency_hz)
    volts = reading.voltage_v or ()
    # A meter of one phase shows nothing on the others; one of three that lost a phase still shows the other two.
    return tuple(volts) if sum(v > DARK_V for v in volts) > 1 else tuple(v for v in volts if v > DARK_V)


def _mass(rule: AlarmRule, picture: Picture) -> Values:
    """Share of the connectors that do not answer, 0 while they are fewer than `least` (S-27)."""
    known = set(picture.chargers) | set(picture.misses)
    if not known:
        return ()
    gone = sum(picture.misses.get(name, 0) >= OFFLINE_MISSES for name in known)
    return (100.0 * gone / len(known) if gone >= rule.least else 0.0,)
