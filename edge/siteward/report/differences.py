"""What does not fit: orders and settlements, bills and registers, feeders and sessions (S-31, S-79)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from siteward.model.events import EventType
from siteward.model.sentences import Sentence
from siteward.report.facts import Told, moment
from siteward.report.rates import ABNORMAL

SETTLED_WITHIN = timedelta(hours=1)
"""How long the platform has to acknowledge a finished session before somebody looks."""


_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}", re.ASCII)


def is_name(text: str) -> bool:
    """Whether it may name a difference: a kind, what it is about, and when."""
    return _NAME.fullmatch(text) is not None


class Kind(StrEnum):
    """What does not fit."""

    NOT_SETTLED = "NOT_SETTLED"
    SETTLED_DIFFERS = "SETTLED_DIFFERS"
    REGISTER_DIFFERS = "REGISTER_DIFFERS"
    POWER_DIFFERS = "POWER_DIFFERS"
    BILL_DIFFERS = "BILL_DIFFERS"
    ORDER_TWICE = "ORDER_TWICE"
    ENERGY_UNKNOWN = "ENERGY_UNKNOWN"
    ENERGY_ESTIMATED = "ENERGY_ESTIMATED"
    ENDED_ABNORMALLY = "ENDED_ABNORMALLY"
    UNPRICED = "UNPRICED"
    FEEDER_DRIFT = "FEEDER_DRIFT"


KINDS: Mapping[Kind, Sentence] = {
    Kind.NOT_SETTLED: Sentence(
        "The platform has not acknowledged this session for more than an hour.", "平台超过一小时未确认该会话。"
    ),
    Kind.SETTLED_DIFFERS: Sentence(
        "What was settled is not what the session finished with.", "结算数据与会话结束数据不一致。"
    ),
    Kind.REGISTER_DIFFERS: Sentence(
        "The energy of the session is not the difference of its registers.", "会话电量与表底差不一致。"
    ),
    Kind.POWER_DIFFERS: Sentence(
        "What the meter counted is not what flowed by its own power; have it looked at.",
        "电表读数与其功率累计不符；请检查电表。",
    ),
    Kind.BILL_DIFFERS: Sentence("The lines of the bill do not add up to its total.", "账单明细之和与总额不一致。"),
    Kind.ORDER_TWICE: Sentence("One order was charged by more than one session.", "同一订单对应多个会话。"),
    Kind.ENERGY_UNKNOWN: Sentence("The session ended without a known energy.", "会话结束时电量未知。"),
    Kind.ENERGY_ESTIMATED: Sentence(
        "The session went on over an outage of the station, or its energy is an estimate.",
        "该会话跨越了站点停机时段，或其电量为估算值。",
    ),
    Kind.ENDED_ABNORMALLY: Sentence(
        "A fault or a loss of power ended this session; see whether its driver was served and billed right.",
        "该会话因故障或断电中断；请核查服务与计费是否正常。",
    ),
    Kind.UNPRICED: Sentence(
        "Energy of this session has no price; see whether it was meant to be free.",
        "该会话有电量未计价；请核查是否应免费。",
    ),
    Kind.FEEDER_DRIFT: Sentence(
        "The energy of the feeder and of its sessions differ too much.", "馈线电量与会话电量相差过大。"
    ),
}
"""Every kind has its sentence."""


class State(StrEnum):
    """How far the handling of a difference is."""

    OPEN = "open"
    EXPLAINED = "explained"
    CLOSED = "closed"


STATES: Mapping[State, Sentence] = {
    State.OPEN: Sentence("open", "待处理"),
    State.EXPLAINED: Sentence("explained", "已说明"),
    State.CLOSED: Sentence("closed", "已关闭"),
}


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody did about a difference."""

    at: datetime
    state: State
    by: str
    note: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; id names it for ever, for it is made of what it is about. expected and found are in `unit`."""

    id: str
    kind: Kind
    at: datetime
    subject: str
    order: str = ""
    expected: float | None = None
    found: float | None = None
    unit: str = ""
    notes: tuple[Note, ...] = ()

    @property
    def state(self) -> State:
        """As last said by a person."""
        return self.notes[-1].state if self.notes else State.OPEN


@dataclass(slots=True)
class _Session:
    finished: Told | None = None
    settled: Told | None = None


@dataclass(slots=True)
class _Seen:
    sessions: dict[str, _Session] = field(default_factory=dict)
    quarters: list[Told] = field(default_factory=list)
    handled: dict[str, list[Note]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """By what is judged: settlements and notes of later days count up to `now`; drift_percent None: no rule judges it.

    platform: there is one that settles sessions; priced: the site sells energy.
    """

    now: datetime
    drift_percent: float | None
    least_wh: float
    platform: bool
    priced: bool


def differences(told: Iterable[Told], begin: datetime, end: datetime, by: Judged) -> tuple[Difference, ...]:
    """Differences of sessions and quarters that ended in the window, oldest first."""
    seen = _gather(told, begin, end)
    found = [
        difference
        for name, session in seen.sessions.items()
        if session.finished is not None and begin <= session.finished.at < end
        for difference in _of_session(name, session.finished, session.settled, by)
    ]
    found += _twice(seen.sessions, begin, end)
    if by.drift_percent is not None:
        found += [d for event in seen.quarters for d in _drift(event, by.drift_percent, by.least_wh)]
    noted = (replace(d, notes=tuple(seen.handled.get(d.id, ()))) for d in found)
    return tuple(sorted(noted, key=lambda d: (d.at, d.id)))


def _gather(told: Iterable[Told], begin: datetime, end: datetime) -> _Seen:
    seen = _Seen()
    for event in told:
        if event.type == EventType.SESSION_FINISHED:
            seen.sessions.setdefault(event.session, _Session()).finished = event
        elif event.type == EventType.SESSION_SETTLED:
            seen.sessions.setdefault(event.session, _Session()).settled = event
        elif event.type == EventType.ENERGY_RECONCILED and begin < event.at <= end + timedelta(seconds=30):
            if begin <= moment(str(event.data.get("begin"))) < end:
                seen.quarters.append(event)
        elif event.type == EventType.AUDIT_DIFFERENCE and event.data.get("state") in set(State):
            seen.handled.setdefault(str(event.data.get("difference")), []).append(_note(event))
    return seen


def _note(event: Told) -> Note:
    actor = event.data.get("actor")
    who = str(actor.get("user", "")) if isinstance(actor, Mapping) else ""
    by = who or str(event.data.get("by") or event.data.get("source", ""))
    return Note(event.at, State(str(event.data["state"])), by, str(event.data.get("note", "")))


def _of_session(name: str, finished: Told, settled: Told | None, by: Judged) -> Iterable[Difference]:
    data = finished.data
    for kind, expected, found, unit in (
        *_settlement(finished, settled, by),
        *_energy(data),
        *_ending(data),
        *_money(data, by),
    ):
        yield Difference(f"{kind}.{name}", kind, finished.at, name, finished.order, expected, found, unit)


Found = tuple[Kind, float | None, float | None, str]
"""A kind of difference, what was expected and what was found, in which unit."""


def _settlement(finished: Told, settled: Told | None, by: Judged) -> Iterable[Found]:
    data = finished.data
    if settled is None:
        if by.platform and by.now - finished.at > SETTLED_WITHIN:
            yield Kind.NOT_SETTLED, None, None, ""
        return
    for key, unit in (("energy_wh", "Wh"), ("total", str(data.get("currency", "")))):
        if key in settled.data and key in data and settled.data[key] != data[key]:
            yield Kind.SETTLED_DIFFERS, data[key], settled.data[key], unit


def _energy(data: Mapping[str, Any]) -> Iterable[Found]:
    energy, counted, by_power = data.get("energy_wh"), _counted(data), data.get("byPower")
    if energy is None and not data.get("unmetered"):
        yield Kind.ENERGY_UNKNOWN, None, None, ""
    if energy is not None and counted is not None and counted != energy:
        yield Kind.REGISTER_DIFFERS, counted, energy, "Wh"
    if isinstance(by_power, Mapping):
        yield Kind.POWER_DIFFERS, by_power.get("register_wh"), by_power.get("energy_wh"), "Wh"


def _ending(data: Mapping[str, Any]) -> Iterable[Found]:
    energy = data.get("energy_wh")
    if data.get("stopReason") in ABNORMAL:
        yield Kind.ENDED_ABNORMALLY, None, energy, "Wh"
    if data.get("estimated") or data.get("gap"):
        yield Kind.ENERGY_ESTIMATED, None, energy, "Wh"


def _money(data: Mapping[str, Any], by: Judged) -> Iterable[Found]:
    if free_wh := _unpriced(data, by.priced):
        yield Kind.UNPRICED, None, free_wh, "Wh"
    yield from ((Kind.BILL_DIFFERS, *sums) for sums in _bill(data))


def _counted(data: Mapping[str, Any]) -> int | None:
    """Register difference, over its rollovers."""
    start, stop = data.get("start_register_wh"), data.get("stop_register_wh")
    if not isinstance(start, int) or not isinstance(stop, int):
        return None
    return stop - start + int(data.get("rolled_wh", 0))


def _unpriced(data: Mapping[str, Any], priced: bool) -> int:
    """Energy that was given for nothing, where the site sells it or a tariff was there."""
    if data.get("tariffId") is None:
        return int(data.get("energy_wh") or 0) if priced else 0
    return int(data.get("unpriced_wh") or 0)


def _bill(data: Mapping[str, Any]) -> Iterable[tuple[float, float, str]]:
    """Sum of a bill's lines and its total where they differ, with the currency."""
    lines, total = data.get("lines"), data.get("total")
    if isinstance(lines, list) and isinstance(total, int):
        amounts = [
            line["amount"] for line in lines if isinstance(line, Mapping) and isinstance(line.get("amount"), int)
        ]
        if sum(amounts) != total:
            yield sum(amounts), total, str(data.get("currency", ""))


def _twice(sessions: Mapping[str, _Session], begin: datetime, end: datetime) -> Iterable[Difference]:
    by_order: dict[str, list[tuple[str, Told]]] = {}
    for name, session in sessions.items():
        if session.finished is not None and session.finished.order:
            by_order.setdefault(session.finished.order, []).append((name, session.finished))
    for order, rows in by_order.items():
        for name, finished in rows[1:]:
            if begin <= finished.at < end:
                kind = Kind.ORDER_TWICE
                yield Difference(f"{kind}.{name}", kind, finished.at, name, order, 1, len(rows))


def _drift(event: Told, percent: float, least_wh: float) -> Iterable[Difference]:
    data = event.data
    drift, feeder_wh, sessions_wh = data.get("driftPercent"), data.get("feeder_wh"), data.get("sessions_wh")
    if not isinstance(drift, int | float) or not isinstance(feeder_wh, int) or not isinstance(sessions_wh, int):
        return
    if drift > percent and max(feeder_wh, sessions_wh) >= least_wh:
        begins = moment(str(data["begin"]))
        name = f"{Kind.FEEDER_DRIFT}.{data['feeder']}.{begins:%Y%m%dT%H%MZ}"
        subject = str(data["feeder"])
        yield Difference(name, Kind.FEEDER_DRIFT, begins, subject, "", sessions_wh, feeder_wh, "Wh")
