"""Limits by timetable, contact and heat as they are now: each with its reason, cut at once and lifted late (B15)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from siteward.control.schedule import allowed, lowest, worst
from siteward.model.access import Contact
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.limits import Cause, Limit, LimitSource, OnLimitExpiry
from siteward.model.points import InputReading
from siteward.model.rules import Contacts, DemandWindow, Derating, LimitRule, Schedule
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase

INPUT_LOST_S = 5.0
"""Age from which a contact's last word is none, and time given to the first word before somebody is told."""

HEAT_LOST_S = 60.0
"""Age from which a temperature is none: heat moves slowly."""

COOL_S = 60.0
"""How long a temperature must have allowed more before it counts."""

_HEAT_STEP_A = 0.5


class Asked(NamedTuple):
    """What a rule says now: its value (None = no limit), why, and how long a rise of it must stand.

    known: False where the value only stands in for an input that nobody can read.
    """

    limit_a: PerPhase | None
    reason: Cause
    wait_s: float = 0.0
    known: bool = True


@dataclass(frozen=True, slots=True)
class Held:
    """One rule from turn to turn: the limit in force (None = none), and whether a known value was ever asked.

    better_since: since when a higher value stands; minute and trusted: when a timetable was last looked at;
    lost_since: since when its input is not known.
    """

    limit: Limit | None = None
    settled: bool = False
    better_since: float | None = None
    minute: int = -1
    trusted: bool = True
    lost_since: float | None = None


@dataclass(frozen=True, slots=True)
class Ruled:
    """What the rules of a turn come to."""

    held: Mapping[str, Held]
    facts: tuple[Fact, ...] = ()
    alarms: frozenset[Alarm] = frozenset()


def apply_rules(site: Site, snapshot: Snapshot, held: Mapping[str, Held]) -> Ruled:
    """Judge every timetable, contact and temperature of the site once; demand windows are `demanded`'s."""
    after: dict[str, Held] = {}
    facts: list[Fact] = []
    alarms: set[Alarm] = set()
    minute = int(snapshot.wall.timestamp()) // 60 if site.rules else 0
    for rule in site.rules:
        if isinstance(rule.by, DemandWindow):
            continue
        old = held.get(rule.id) or Held()
        new = _judge(site, snapshot, rule, old, minute)
        after[rule.id] = new
        if new.limit is not old.limit:
            facts.append(changed_rule(rule, new.limit, snapshot))
        if new.lost_since is not None and snapshot.at - new.lost_since >= INPUT_LOST_S:
            alarms.add(Alarm(AlarmCode.LIMIT_INPUT_LOST, rule.id))
    return Ruled(after, tuple(facts), frozenset(alarms))


def _judge(site: Site, snapshot: Snapshot, rule: LimitRule, old: Held, minute: int) -> Held:
    by = rule.by
    if isinstance(by, Schedule):
        trusted = snapshot.clock.trusted
        if old.minute == minute and old.trusted is trusted:
            return old
        if trusted:
            asked = Asked(allowed(by, snapshot.wall, site.zone), Cause.SCHEDULE)
        else:
            asked = Asked(worst(by), Cause.CLOCK_UNTRUSTED)
        return replace(_settle(rule, LimitSource.SCHEDULE, old, asked, snapshot.at), minute=minute, trusted=trusted)
    if isinstance(by, Contacts):
        return _settle(rule, LimitSource.GRID, old, _by_contacts(by, snapshot), snapshot.at)
    if isinstance(by, Derating):
        return _settle(rule, LimitSource.HEAT, old, _by_heat(by, snapshot), snapshot.at)
    return old


def _by_contacts(by: Contacts, snapshot: Snapshot) -> Asked:
    """The lowest step that says yes; while any contact is not known, the fail-safe value counts with them (R15)."""
    values, lost = [], False
    for step in by.steps:
        said = _said(step.contact, snapshot.inputs.get(step.contact.point), snapshot.at)
        if said is None:
            lost = True
        elif said:
            values.append(step.limit_a)
    if lost:
        values += [by.failsafe_a] if by.otherwise_a is None else [by.failsafe_a, by.otherwise_a]
        return Asked(lowest(values), Cause.GRID_INPUT_LOST, by.release_s, known=False)
    return Asked(lowest(values) or by.otherwise_a, Cause.GRID, by.release_s)


def _said(contact: Contact, reading: InputReading | None, at: float) -> bool | None:
    if reading is None or reading.on is None or at - reading.sent_at > INPUT_LOST_S:
        return None
    return reading.on is contact.closed_is_yes


def _by_heat(by: Derating, snapshot: Snapshot) -> Asked:
    reading = snapshot.chargers.get(by.sensor)
    if reading is None or reading.temperature_c is None or snapshot.at - reading.sent_at > HEAT_LOST_S:
        lost = by.failsafe_a
        return Asked((lost, lost, lost), Cause.HEAT_UNKNOWN, COOL_S, known=False)
    amps = _on_curve(by.curve, reading.temperature_c)
    amps -= amps % _HEAT_STEP_A
    return Asked((amps, amps, amps), Cause.HEAT, COOL_S)


def _on_curve(curve: tuple[tuple[float, float], ...], heat_c: float) -> float:
    (c1, a1), *rest = curve
    if heat_c <= c1:
        return a1
    for c2, a2 in rest:
        if heat_c < c2:
            return a1 + (a2 - a1) * (heat_c - c1) / (c2 - c1)
        c1, a1 = c2, a2
    return a1


def _settle(rule: LimitRule, source: LimitSource, old: Held, asked: Asked, at: float) -> Held:
    """Lower at once; rise when the higher value has stood for long enough, or when nothing known was ever asked."""
    lost_since = None if asked.known else (at if old.lost_since is None else old.lost_since)
    if lost_since != old.lost_since or (asked.known and not old.settled):
        old = replace(old, lost_since=lost_since)
    now = old.limit
    if asked.known and not old.settled:
        return replace(old, limit=_limit(rule, source, asked, now), settled=True, better_since=None)
    if not _rises(now, asked.limit_a):
        limit = _limit(rule, source, asked, now)
        if limit is now and old.better_since is None:
            return old
        return replace(old, limit=limit, better_since=None)
    since = at if old.better_since is None else old.better_since
    if at - since >= asked.wait_s:
        return replace(old, limit=_limit(rule, source, asked, now), better_since=None)
    both = [x for x in (None if now is None else now.limit_a, asked.limit_a) if x is not None]
    mixed = asked._replace(limit_a=lowest(both))
    keeps = now is not None and mixed.limit_a == now.limit_a
    return replace(old, limit=now if keeps else _limit(rule, source, mixed, now), better_since=since)


def _rises(now: Limit | None, then: PerPhase | None) -> bool:
    """Whether any phase would be allowed more."""
    if now is None:
        return False
    return then is None or any(b > a for a, b in zip(now.limit_a, then, strict=True))


def _limit(rule: LimitRule, source: LimitSource, asked: Asked, now: Limit | None) -> Limit | None:
    """The limit as asked; the same object while nothing of it changed."""
    if asked.limit_a is None:
        return None
    reason = None if asked.reason.value == source.value else asked.reason
    if now is not None and (now.limit_a, now.reason) == (asked.limit_a, reason):
        return now
    keep = OnLimitExpiry.KEEP
    return Limit(rule.id, source, asked.limit_a, rule.feeder, rule.connector, on_expiry=keep, reason=reason)


def changed_rule(rule: LimitRule, limit: Limit | None, snapshot: Snapshot, **more: object) -> Fact:
    """The fact limit.changed of a described limit; limit_a is null where none holds any more."""
    data: dict[str, object] = {
        "limitId": rule.id,
        "source": None if limit is None else limit.source.value,
        "target": rule.connector or rule.feeder,
        "limit_a": None if limit is None else list(limit.limit_a),
        "onExpiry": OnLimitExpiry.KEEP.value,
        "validFor_s": None,
        "cause": "released" if limit is None else limit.why.value,
    }
    return Fact(EventType.LIMIT_CHANGED, data | more, connector=rule.connector, occurred_at=snapshot.wall)
