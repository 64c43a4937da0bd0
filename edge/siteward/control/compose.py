"""The two halves of a turn around the fuses: what is asked of them, and what comes of their answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from siteward.control.alarms import Book, StandingAlarm, follow, listed, station_alarms
from siteward.control.arm import Ask
from siteward.control.bays import lock_wishes, watch_bays
from siteward.control.closing import conclude_lost
from siteward.control.commands import take
from siteward.control.connector import suspended_by
from siteward.control.course import meter_lost
from siteward.control.demand import Demand
from siteward.control.demanded import Demanded, judge_windows
from siteward.control.demands import demands
from siteward.control.draft import Draft, StoryMemory
from siteward.control.emergency import watch_stops
from siteward.control.handed import receive
from siteward.control.limits import expire
from siteward.control.next_up import move_up
from siteward.control.outcomes import Loads, finish
from siteward.control.register import billing_meter
from siteward.control.rules import Ruled, apply_rules
from siteward.control.session import settle
from siteward.control.signing import sign
from siteward.control.story import advance
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Grant, Limit
from siteward.model.sessions import ConnectorStatus, OrderState, SessionRecord, SuspendedBy
from siteward.model.signed import SignOrder
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase


@dataclass(frozen=True, slots=True)
class Asked:
    """First half: what the connectors ask of the fuses under which limits; the draft goes to the second half."""

    draft: Draft
    demands: Mapping[ConnectorId, Demand]
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the fuses answered, as far as the story needs it; booked = reserved plus other load per feeder, in A."""

    grants: Mapping[ConnectorId, Grant]
    booked: Mapping[FeederId, PerPhase]
    stops: frozenset[ConnectorId] = frozenset()
    alarms: frozenset[Alarm] = frozenset()
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True, slots=True)
class ConnectorNow:
    """A connector for the live view: its OCPP status, who holds its session, and the session while it is open.

    The record is as last written to the journal; charging_s has gone on since.
    """

    status: ConnectorStatus
    suspended_by: SuspendedBy | None
    session: SessionRecord | None = None
    charging_s: int = 0


@dataclass(frozen=True, slots=True)
class Chapter:
    """Second half: what came of it; the draft holds facts, replies and rows, memory is for the next turn.

    arms are what the locks are asked for, signings what meters are.
    """

    draft: Draft
    memory: StoryMemory
    connectors: Mapping[ConnectorId, ConnectorNow]
    alarms: tuple[StandingAlarm, ...]
    arms: tuple[tuple[str, Ask], ...] = ()
    signings: tuple[SignOrder, ...] = ()


def ask(site: Site, snapshot: Snapshot, memory: StoryMemory) -> Asked:
    """Take in acknowledgements, ends of limits and new requests; return what the fuses are asked for."""
    draft = Draft(site, snapshot, memory)
    for name in snapshot.settled:
        record = draft.finished.pop(name, None)
        if record is not None:
            settled, fact = settle(record, snapshot.wall)
            draft.facts.append(fact)
            draft.row(settled)
    conclude_lost(draft, memory.lost)
    limits, facts = expire(draft.limits, snapshot)
    if facts:
        draft.set_limits(limits)
        draft.facts.extend(facts)
    move_up(draft)
    watch_stops(draft)
    for request in snapshot.requests:
        take(draft, request)
    return Asked(draft, demands(draft), (*draft.limits, *_described(draft)))


def _described(draft: Draft) -> tuple[Limit, ...]:
    """The limits that site.toml describes, as they are now."""
    if not draft.site.rules:
        return ()
    ruled = apply_rules(draft.site, draft.snapshot, draft.rules)
    demanded = judge_windows(draft.site, draft.snapshot, draft.demand, draft.grants)
    draft.rules, draft.demand = ruled.held, demanded.metered
    draft.facts += [*ruled.facts, *demanded.facts]
    draft.rule_alarms = ruled.alarms | demanded.alarms
    draft.limits_changed = draft.limits_changed or demanded.marked
    return in_force(ruled, demanded)


def in_force(ruled: Ruled, demanded: Demanded) -> tuple[Limit, ...]:
    """Limits that rules and demand windows come to."""
    now = [held.limit for held in ruled.held.values()] + [metered.limit for metered in demanded.metered.values()]
    return tuple(limit for limit in now if limit is not None)


def conclude(asked: Asked, memory: StoryMemory, answer: Answer) -> Chapter:
    """Move every connector, close commands, follow alarms and the clock."""
    draft = asked.draft
    draft.facts.extend(answer.facts)
    receive(draft)
    for connector in draft.site.connectors:
        grant = answer.grants.get(connector.id)
        advance(draft, connector, grant, connector.id in answer.stops)
    signings = sign(draft)
    watch_bays(draft)
    wishes = lock_wishes(draft)
    finish(draft, Loads(answer.grants, answer.booked))
    for closed in draft.closed.values():
        if closed.record.state is OrderState.FINISHED:
            draft.finished[closed.record.id] = closed.record
    alarms = answer.alarms | _alarms(draft) | station_alarms(draft.snapshot)
    alarms |= draft.snapshot.line_alarms | draft.snapshot.standing | draft.rule_alarms | draft.noticed
    book = follow(draft, memory.flaps, alarms)
    draft.facts.extend(book.facts)
    _clock(draft, memory)
    listing = listed(draft.site, book.standing)
    return Chapter(draft, _remember(draft, answer, memory, book), _now(draft), listing, wishes, signings)


def _remember(draft: Draft, answer: Answer, memory: StoryMemory, book: Book) -> StoryMemory:
    snapshot = draft.snapshot
    return replace(
        memory,
        posts=draft.posts,
        pending=tuple(draft.pending),
        limits=draft.limits,
        rules=draft.rules,
        demand=draft.demand,
        alarms=book.standing,
        flaps=book.flaps,
        grants=answer.grants,
        finished=draft.finished,
        lost=(),
        book=draft.book,
        prices=draft.prices,
        clock=snapshot.clock,
        at=snapshot.at,
        wall=snapshot.wall,
    )


def _alarms(draft: Draft) -> frozenset[Alarm]:
    """A charger's own fault; a billing meter that is silent (unless its charger is) or not to be believed."""
    found = set()
    for connector in draft.site.connectors:
        post = draft.posts[connector.id]
        if post.fault is not None:
            found.add(Alarm(AlarmCode.CHARGER_FAULT, connector.id))
        if post.session is None:
            continue
        heard = connector.meter is not None or draft.see(connector.id).online
        if heard and meter_lost(post.session, draft.snapshot.at):
            found.add(Alarm(AlarmCode.SESSION_METER_LOST, connector.id))
        if post.session.register.doubted:
            meter = billing_meter(draft.site, connector) or connector.id
            found.add(Alarm(AlarmCode.METER_IMPLAUSIBLE, meter))
    return frozenset(found)


def _clock(draft: Draft, memory: StoryMemory) -> None:
    """Journal a change of the clock's quality and a jump of the wall clock."""
    snapshot = draft.snapshot
    data: dict[str, object] = {}
    if memory.clock is not None and memory.clock is not snapshot.clock:
        data |= {"from": memory.clock.value, "to": snapshot.clock.value}
    if draft.moment.step_s:
        data["jump_s"] = round(draft.moment.step_s, 3)
    if data:
        draft.facts.append(Fact(EventType.CLOCK_CHANGED, data, occurred_at=snapshot.wall))


def _now(draft: Draft) -> dict[ConnectorId, ConnectorNow]:
    found = {}
    for name, post in draft.posts.items():
        session = post.session
        status, held = draft.status(name, post), suspended_by(post.state)
        if session is None:
            found[name] = ConnectorNow(status, held)
        else:
            found[name] = ConnectorNow(status, held, session.record, int(session.charging_s))
    return found
