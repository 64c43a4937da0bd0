"""Standing alarms: told when they rise and when their cause has been gone for a while, each once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from siteward.control.draft import Standing
from siteward.control.session import stamp
from siteward.model.alarms import ALARMS, SEVERITIES, STATION, Alarm, AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.snapshot import Snapshot

CLEAR_AFTER_S = 5.0
"""How long a cause must be gone before its alarm is cleared, so that a flapping one is one alarm."""

STORE_FAILED_S = 2.0
"""Age of the oldest uncommitted batch at which the disk counts as failed (R14)."""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that stands, with the UTC time at which it rose."""

    alarm: Alarm
    raised_at: datetime


def station_alarms(snapshot: Snapshot) -> frozenset[Alarm]:
    """Alarms about the controller itself: disk and clock."""
    found = set()
    if snapshot.commit_age_s > STORE_FAILED_S:
        found.add(Alarm(AlarmCode.STORE_FAILED, STATION))
    if not snapshot.clock.trusted:
        found.add(Alarm(AlarmCode.CLOCK_UNTRUSTED, STATION))
    return frozenset(found)


def follow(
    standing: Mapping[Alarm, Standing], now: Iterable[Alarm], snapshot: Snapshot, connectors: frozenset[ConnectorId]
) -> tuple[dict[Alarm, Standing], tuple[Fact, ...]]:
    """Compare what stands with what is true now; return what stands next and the facts of each change, in order."""
    true_now = set(now)
    after: dict[Alarm, Standing] = {}
    facts: list[Fact] = []
    for alarm, held in standing.items():
        if alarm in true_now:
            after[alarm] = replace(held, gone_since=None)
            continue
        gone_since = snapshot.at if held.gone_since is None else held.gone_since
        if snapshot.at - gone_since >= CLEAR_AFTER_S:
            facts.append(_cleared(alarm, held, snapshot, connectors))
        else:
            after[alarm] = replace(held, gone_since=gone_since)
    for alarm in sorted(true_now - set(standing), key=lambda a: (a.code, a.subject)):
        after[alarm] = Standing(snapshot.wall)
        facts.append(_raised(alarm, snapshot, connectors))
    return after, tuple(facts)


def listed(standing: Mapping[Alarm, Standing]) -> tuple[StandingAlarm, ...]:
    """What stands, oldest first."""
    rows = [StandingAlarm(alarm, held.raised_at) for alarm, held in standing.items()]
    return tuple(sorted(rows, key=lambda row: (row.raised_at, row.alarm.code, row.alarm.subject)))


def _raised(alarm: Alarm, snapshot: Snapshot, connectors: frozenset[ConnectorId]) -> Fact:
    sentence = ALARMS[alarm.code].about(alarm.subject)
    data = {
        "code": alarm.code.value,
        "subject": alarm.subject,
        "severity": SEVERITIES[alarm.code].value,
        "textEn": sentence.en,
        "textZh": sentence.zh,
    }
    return Fact(EventType.ALARM_RAISED, data, _connector(alarm, connectors), occurred_at=snapshot.wall)


def _cleared(alarm: Alarm, held: Standing, snapshot: Snapshot, connectors: frozenset[ConnectorId]) -> Fact:
    data = {"code": alarm.code.value, "subject": alarm.subject, "raisedAt": stamp(held.raised_at)}
    return Fact(EventType.ALARM_CLEARED, data, _connector(alarm, connectors), occurred_at=snapshot.wall)


def _connector(alarm: Alarm, connectors: frozenset[ConnectorId]) -> ConnectorId | None:
    name = ConnectorId(alarm.subject)
    return name if name in connectors else None
