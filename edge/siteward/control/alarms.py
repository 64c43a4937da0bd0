"""Standing alarms: each told once however its cause flaps, one for all that have one cause, with who handled it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from siteward.control.draft import Draft, Flap, Standing
from siteward.control.handling import connector_of, identity
from siteward.control.roots import BEHIND, alone, dead_lines, root_of, wiring
from siteward.control.session import stamp
from siteward.model.alarm_log import Handling, told
from siteward.model.alarms import ALARMS, SEVERITIES, STATION, Alarm, AlarmCode, Severity
from siteward.model.events import EventType, Fact
from siteward.model.ids import LineId
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.watch import Remark

CLEAR_AFTER_S = 5.0
"""How long a cause must be gone before its alarm is cleared, so that a flapping one is one alarm."""

ROOT_CLEAR_S = 30.0
"""The same where many devices are told in one alarm: the silent ones are asked again one after the other (R16)."""

FLAP_RISES = 3
FLAP_WINDOW_S = 600.0
FLAP_QUIET_S = 300.0
"""An alarm that rose FLAP_RISES times with less than FLAP_WINDOW_S between stands until FLAP_QUIET_S without it."""

ROOT_WAIT_S = 3.5
"""How long a silent device is kept back while its whole line may be dead: all of it is told within 10 s."""

_MANY = frozenset({AlarmCode.LINE_LOST, AlarmCode.MASS_DISCONNECTION})

STORE_FAILED_S = 2.0
"""Age of the oldest uncommitted batch at which the disk counts as failed (R14)."""


@dataclass(frozen=True, slots=True)
class StandingAlarm:
    """An alarm that speaks for itself, as people see it; active: its cause is there now. Times are UTC.

    severity is the worst of its own and of those that are told in it; followers names those.
    """

    alarm: Alarm
    raised_at: datetime
    severity: Severity
    count: int = 1
    active: bool = True
    notes: tuple[Handling, ...] = ()
    followers: tuple[str, ...] = ()
    remark: Remark | None = None


@dataclass(frozen=True, slots=True)
class Book:
    """All alarms after a turn, those that ended lately, and what is to be journalled."""

    standing: Mapping[Alarm, Standing]
    flaps: Mapping[Alarm, Flap]
    facts: tuple[Fact, ...] = ()


def station_alarms(snapshot: Snapshot) -> frozenset[Alarm]:
    """Alarms about the controller itself: disk and clock."""
    found = set()
    if snapshot.commit_age_s > STORE_FAILED_S:
        found.add(Alarm(AlarmCode.STORE_FAILED, STATION))
    if not snapshot.clock.trusted:
        found.add(Alarm(AlarmCode.CLOCK_UNTRUSTED, STATION))
    return frozenset(found)


def follow(draft: Draft, flaps: Mapping[Alarm, Flap], now: Iterable[Alarm]) -> Book:
    """Compare what stands with what is true now; what people did in this turn is in the draft already."""
    snapshot, site = draft.snapshot, draft.site
    watched = dict(snapshot.watched)
    true_now = {*now, *watched}
    if not true_now and not draft.alarms:
        return Book({}, flaps if not flaps else _lately(flaps, snapshot.at))
    suspects = [alarm for alarm in true_now if alarm.code in BEHIND]
    if suspects:
        true_now |= {Alarm(AlarmCode.LINE_LOST, line) for line in dead_lines(site, snapshot, suspects)}
    after, ended = _kept(draft, true_now)
    flaps = _lately(flaps, snapshot.at)
    for alarm in true_now - after.keys():
        after[alarm] = _risen(snapshot, watched.get(alarm), flaps.get(alarm))
    _fold(site, after)
    facts = [_cleared(draft, alarm, held) for alarm, held in ended.items() if held.told]
    facts += _tell(draft, after)
    flaps |= {alarm: Flap(held.rises, snapshot.at) for alarm, held in ended.items() if held.told}
    return Book(after, flaps, tuple(facts))


def listed(site: Site, standing: Mapping[Alarm, Standing]) -> tuple[StandingAlarm, ...]:
    """What stands and speaks for itself, oldest first."""
    rows = [
        StandingAlarm(
            alarm,
            held.raised_at,
            _severity(alarm, standing),
            held.count,
            held.gone_since is None,
            held.notes,
            _followers(site, alarm, standing),
            held.remark,
        )
        for alarm, held in standing.items()
        if held.told and held.root is None
    ]
    return tuple(sorted(rows, key=lambda row: (row.raised_at, row.alarm.code, row.alarm.subject)))


def _lately(flaps: Mapping[Alarm, Flap], at: float) -> dict[Alarm, Flap]:
    return {alarm: flap for alarm, flap in flaps.items() if at - flap.cleared_at <= FLAP_WINDOW_S}


def _kept(draft: Draft, true_now: Collection[Alarm]) -> tuple[dict[Alarm, Standing], dict[Alarm, Standing]]:
    """What goes on standing, and what ends in this turn."""
    at, watched = draft.snapshot.at, dict(draft.snapshot.watched)
    after: dict[Alarm, Standing] = {}
    ended: dict[Alarm, Standing] = {}
    for alarm, held in draft.alarms.items():
        if alarm in true_now:
            remark = watched.get(alarm, held.remark)
            if held.gone_since is not None:
                held = replace(held, gone_since=None, count=held.count + 1)
            after[alarm] = held if remark is held.remark else replace(held, remark=remark)
        elif alarm in draft.ended or _over(alarm, held, at):
            ended[alarm] = held
        else:
            after[alarm] = held if held.gone_since is not None else replace(held, gone_since=at)
    return after, ended


def _over(alarm: Alarm, held: Standing, at: float) -> bool:
    """Whether an alarm without its cause ends now; one that nobody was told of ends at once."""
    if not held.told:
        return True
    if held.gone_since is None or (held.remark is not None and held.remark.latched):
        return False
    rest_s = ROOT_CLEAR_S if alarm.code in _MANY else CLEAR_AFTER_S
    return at - held.gone_since >= (FLAP_QUIET_S if held.rises >= FLAP_RISES else rest_s)


def _risen(snapshot: Snapshot, remark: Remark | None, flap: Flap | None) -> Standing:
    rises = 1 if flap is None else flap.rises + 1
    return Standing(snapshot.wall, since=snapshot.at, told=False, rises=rises, remark=remark)


def _fold(site: Site, after: dict[Alarm, Standing]) -> None:
    """Put every alarm under the one that explains it, where that stands."""
    if len(after) < 2:
        after |= {alarm: replace(held, root=None) for alarm, held in after.items() if held.root is not None}
        return
    for alarm, held in after.items():
        root = root_of(site, alarm, after.keys())
        if root != held.root:
            after[alarm] = replace(held, root=root)


def _tell(draft: Draft, after: dict[Alarm, Standing]) -> list[Fact]:
    """Facts of those that now speak for themselves and have not spoken yet; a root speaks before the rest."""
    silent = [alarm for alarm, held in after.items() if not held.told and held.root is None]
    facts = []
    for alarm in sorted(silent, key=lambda a: (a.code in BEHIND, a.code, a.subject)):
        held, snapshot = after[alarm], draft.snapshot
        young = snapshot.at - held.since < ROOT_WAIT_S
        if alarm.code in BEHIND and young and not alone(draft.site, snapshot, alarm):
            continue
        after[alarm] = held = replace(held, told=True)
        facts.append(_raised(draft, alarm, held, after))
    return facts


def _severity(alarm: Alarm, standing: Mapping[Alarm, Standing]) -> Severity:
    held = standing[alarm]
    own = SEVERITIES[alarm.code] if held.remark is None else held.remark.severity
    if alarm.code in BEHIND and not held.remark:
        return own
    below = (SEVERITIES[a.code] if h.remark is None else h.remark.severity for a, h in _below(alarm, standing))
    return min((own, *below), key=lambda severity: severity.rank)


def _below(alarm: Alarm, standing: Mapping[Alarm, Standing]) -> list[tuple[Alarm, Standing]]:
    return [(other, held) for other, held in standing.items() if held.root == alarm]


def _followers(site: Site, alarm: Alarm, standing: Mapping[Alarm, Standing]) -> tuple[str, ...]:
    """Names of what is told in it: everything behind a dead line, else the subjects of the alarms that it took in."""
    names: set[str] = set()
    for told_in in (alarm, *(other for other, _ in _below(alarm, standing))):
        if told_in.code is AlarmCode.LINE_LOST:
            names.update(wiring(site).behind(LineId(told_in.subject)))
        elif told_in != alarm and told_in.subject != alarm.subject:
            names.add(told_in.subject)
    return tuple(sorted(names))


def _raised(draft: Draft, alarm: Alarm, held: Standing, after: Mapping[Alarm, Standing]) -> Fact:
    sentence = ALARMS[alarm.code].about(alarm.subject)
    data: dict[str, object] = {
        "code": alarm.code.value,
        "subject": alarm.subject,
        "severity": _severity(alarm, after).value,
        "textEn": sentence.en,
        "textZh": sentence.zh,
    }
    if held.raised_at != draft.snapshot.wall:
        data["raisedAt"] = stamp(held.raised_at)
    if held.rises > 1:
        data["rises"] = held.rises
    if followers := _followers(draft.site, alarm, after):
        data["followers"] = list(followers)
    if held.remark is not None:
        remark = held.remark
        figure = {"rule": remark.rule, "figure": remark.what.value, "value": round(remark.value, 2)}
        data |= {**figure, "bound": remark.bound}
    return Fact(EventType.ALARM_RAISED, data, connector_of(draft, alarm), occurred_at=draft.snapshot.wall)


def _cleared(draft: Draft, alarm: Alarm, held: Standing) -> Fact:
    data = identity(alarm, held)
    if held.count > 1:
        data["count"] = held.count
    by = draft.ended.get(alarm)
    if by is not None:
        data |= told(by)
    return Fact(EventType.ALARM_CLEARED, data, connector_of(draft, alarm), occurred_at=draft.snapshot.wall)
