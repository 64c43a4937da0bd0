"""Numbers, times, causes and events as text in a language; the filters of the templates."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from siteward.client.bill_text import fee as fee
from siteward.client.messages import (
    CauseMessage,
    ConnectorMessage,
    LimitMessage,
    LiveMessage,
    ReplyMessage,
    SessionMessage,
)
from siteward.model.causes import told
from siteward.model.events import EventType
from siteward.model.limits import Cause
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Stage
from siteward.model.sessions import OrderState
from siteward.panel import vocabulary as v
from siteward.panel.words import say, word

UNKNOWN = "–"


def amps(value: float | None) -> str:
    """Current with one digit, without unit."""
    # Adding 0.0 turns a rounded -0.0 into 0.0: a meter's noise must not look like a current backwards.
    return UNKNOWN if value is None else f"{round(value, 1) + 0.0:.1f}"


def phases(values: Sequence[float], digits: int) -> str:
    """One figure of each phase, without unit."""
    return " / ".join(f"{round(value, digits) + 0.0:.{digits}f}" for value in values)


def kilowatts(value_w: float | None) -> str:
    """Power in kW with one digit, without unit."""
    return UNKNOWN if value_w is None else f"{value_w / 1000:.1f}"


def kilowatt_hours(value_wh: int | None, digits: int = 2) -> str:
    """Energy in kWh, without unit; 3 digits show every Wh."""
    return UNKNOWN if value_wh is None else f"{value_wh / 1000:,.{digits}f}"


def number(value: float | None, digits: int = 0) -> str:
    """Any number with a fixed count of digits."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def duration(seconds: float | None) -> str:
    """A time span: `1:02:03`, with days in front where there are any."""
    if seconds is None:
        return UNKNOWN
    minutes, s = divmod(int(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    return f"{days} d {h:02d}:{m:02d}:{s:02d}" if days else f"{h}:{m:02d}:{s:02d}"


def countdown(seconds: float) -> str:
    """What is left of a time, its last second shown as 0:01: `14:59`, `1:02:03` from an hour on."""
    minutes, s = divmod(math.ceil(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"


def instant(value: datetime | None) -> str:
    """A UTC instant to the second."""
    return UNKNOWN if value is None else value.strftime("%Y-%m-%d %H:%M:%S")


def zone_of(name: str | None) -> tzinfo:
    """The zone of a name; UTC for one that this computer does not know."""
    try:
        return UTC if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def leaving(session: SessionMessage, zone: str, language: str) -> str:
    """When the car leaves, by the site's clock, and how much of its energy it has."""
    if session.departs_at is None:
        return ""
    got = kilowatt_hours(session.energy_wh, 1)
    time = session.departs_at.astimezone(zone_of(zone)).strftime("%H:%M")
    return word("leaves", language, time=time, got=got, wanted=kilowatt_hours(session.wanted_wh, 1))


def masked(token: str) -> str:
    """A card as a person may see it: its last four signs; the whole number could be written onto another card."""
    return f"…{token[-4:]}" if len(token) > 4 else "…"


def clock_time(value: datetime) -> str:
    """The time of day of a UTC instant."""
    return value.strftime("%H:%M:%S")


def feeder_names(live: LiveMessage) -> dict[str, str]:
    """Names of the feeders by id; a feeder without a name is called by its id."""
    return {feeder.id: feeder.name or feeder.id for feeder in live.feeders}


def cause(step: CauseMessage, names: Mapping[str, str], language: str) -> str:
    """One link of a cause chain as a sentence; a cause of a newer core is shown by its word."""
    if step.cause not in set(Cause):
        return f"{step.cause} {amps(step.limit_a)} A"
    feeder = names.get(step.feeder or "", step.feeder or UNKNOWN)
    return say(told(Cause(step.cause), step.limit_a + 0.0, feeder, step.limit), language)


def limit(message: LimitMessage, language: str) -> str:
    """Why a limit has its value, and what its end leaves."""
    amps_ = min(message.limit_a)
    known = message.reason in set(Cause)
    text = say(told(Cause(message.reason), amps_, "", None), language) if known else message.reason
    if message.ends_at is None:
        return text
    then = one_of(v.ENDS, message.on_expiry, language)
    return f"{text} {word('limit_ends', language, at=clock_time(message.ends_at), then=then)}"


def why(connector: ConnectorMessage, names: Mapping[str, str], language: str) -> str:
    """Why the connector has the current that it has: the binding cause."""
    chain = connector.grant.chain
    return cause(chain[0], names, language) if chain else UNKNOWN


def one_of(table: Mapping[Any, Any], key: str | None, language: str) -> str:
    """The word of a vocabulary's key; a key of a newer core is shown as it is."""
    if key is None:
        return UNKNOWN
    return say(table[key], language) if key in table else key


def order(session: SessionMessage, language: str) -> str:
    """How far a session is; one that only waits for its car to leave is not called charging."""
    over = session.stop_reason is not None and session.ended_at is not None
    if over and session.state == OrderState.CHARGING:
        return say(v.STATES["ended"], language)
    return one_of(v.ORDERS, session.state, language)


def reply(message: ReplyMessage, language: str) -> str:
    """What became of a request, in words."""
    text = one_of(v.STAGES, message.stage, language)
    if message.code:
        return f"{text} {refusal(message.code, message.message, message.message_zh, language)}"
    result = message.result or {}
    waiting, cable = result.get("waitingFor"), result.get("cable") or result.get("effect")
    if waiting and message.stage == Stage.DONE:
        what = one_of(v.WAITS, str(waiting), language)
        return f"{text} ({word('waiting_for', language, what=what)})"
    if cable and message.stage == Stage.DONE:
        return f"{text} ({one_of(v.CABLES, str(cable), language)})"
    return text


def refusal(code: str, message: str | None, message_zh: str | None, language: str) -> str:
    """The sentence of a refusal: the catalogue's, or what core sent with a code that we do not know."""
    if code in set(Refusal):
        return say(REFUSALS[Refusal(code)], language)
    return (message_zh if language == "zh" else message) or code


def event_name(kind: str, language: str) -> str:
    """An event type in words; a type of a newer core is shown as it is."""
    return say(v.EVENTS[EventType(kind)], language) if kind in set(EventType) else kind
