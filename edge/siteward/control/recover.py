"""Goes on after a restart: sessions, limits and commands from the journal, all to be judged by what is seen (B23)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from siteward.control.account import recalled
from siteward.control.alarms import CLEAR_AFTER_S
from siteward.control.book import reopened
from siteward.control.connector import ConnectorState
from siteward.control.demanded import remembered
from siteward.control.draft import Pending, Post, Standing, StoryMemory
from siteward.control.limits import LONGEST_S
from siteward.control.params import WAIT_BOUNDS, WAIT_FOR_VEHICLE_S, BadParam, number_param, stop_params
from siteward.control.register import UNKNOWN_GAP_S, Register, billing_meter
from siteward.control.session import Ending, OpenSession
from siteward.control.signing import recalled_signing
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.limits import Limit, LimitSource
from siteward.model.recovered import Recovered
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Request, Source
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy
from siteward.model.site import Site
from siteward.model.tariff import TariffBook

ALARM_GRACE_S = 15.0
"""How long an alarm from before the restart may stand until its cause is looked for again."""

_NOBODYS_WISH = {StopReason.FAULT, StopReason.POWER_LOSS, StopReason.EMERGENCY, StopReason.NEVER_STARTED}
_DESCRIBED = (LimitSource.STATIC, LimitSource.DEMAND)


def recall(site: Site, recovered: Recovered, at: float, wall: datetime) -> StoryMemory:
    """The story's memory at start; `at` is boot-time s of now, `wall` UTC. Sessions wait for a first look."""
    prices = TariffBook({(tariff.id, tariff.version): tariff for tariff in recovered.tariffs})
    posts, lost = _open(site, recovered.sessions, at, wall, prices)
    pending = []
    for request in recovered.unfinished:
        posts, command = _pending(posts, request, at)
        pending.append(command)
    limits = tuple(_limit(limit, at) for limit in recovered.limits if limit.source not in _DESCRIBED)
    return StoryMemory(
        posts=posts,
        pending=tuple(command if command.limit is None else _known(command, limits) for command in pending),
        limits=limits,
        demand=remembered(site, recovered.limits, at),
        alarms=_alarms(recovered, at, wall),
        prices=prices,
        book=reopened(recovered.kept, at, wall),
        lost=lost,
        finished={row.id: row for row in recovered.sessions if row.state is OrderState.FINISHED},
    )


def _open(
    site: Site, rows: Iterable[SessionRecord], at: float, wall: datetime, prices: TariffBook
) -> tuple[dict[ConnectorId, Post], tuple[OpenSession, ...]]:
    """The posts with their open sessions, and those whose connector or meter the site file has no more."""
    meters = {connector.id: billing_meter(site, connector) for connector in site.connectors}
    posts: dict[ConnectorId, Post] = {name: Post() for name in meters}
    lost: list[OpenSession] = []
    for row in rows:
        if not row.state.open:
            continue
        meter = meters.get(row.connector)
        session = _session(row, meter or row.meter, at, wall, prices)
        if row.connector in meters and (meter is not None or row.meter is None):
            signing = recalled_signing(site, row, at)
            posts[row.connector] = Post(state=_state(row), session=session._replace(signing=signing))
        else:
            lost.append(session)
    return posts, tuple(lost)


def _session(record: SessionRecord, meter: str | None, at: float, wall: datetime, prices: TariffBook) -> OpenSession:
    """A session as its row left it, billed by that meter."""
    elapsed_s = (wall - record.created_at).total_seconds()
    register = Register(
        name=record.meter or meter or "",
        wh=record.last_register_wh,
        rolled_wh=record.rolled_wh,
        since=at - (elapsed_s if elapsed_s > 0.0 else UNKNOWN_GAP_S),
        serial=record.meter if record.meter != meter else None,
    )
    return OpenSession(
        record=record,
        register=register,
        metered=meter is not None,
        opened_at=at,
        durable=True,
        restored=True,
        vehicle_until=at + WAIT_FOR_VEHICLE_S,
        counts_from=_counts_from(record, at, wall),
        charging_s=float(record.charging_s),
        row_at=at,
        row_wh=record.last_register_wh,
        ending=_ending(record, at, wall),
        account=recalled(record, prices, at),
    )


def _ending(record: SessionRecord, at: float, wall: datetime) -> Ending | None:
    """What was being ended stays so: its current is stopped now, or it was, and it only waits to be closed."""
    if record.stop_reason is None:
        return None
    ending = Ending(record.stop_reason, at, failed=record.stop_reason in _NOBODYS_WISH)
    if record.ended_at is None:
        return ending
    stopped_at = at - max(0.0, (wall - record.ended_at).total_seconds())
    return replace(ending, stopped_at=stopped_at, stopped_wall=record.ended_at)


def _counts_from(record: SessionRecord, at: float, wall: datetime) -> float | None:
    """The boot time at which the session's clock began, had the computer never stopped; never later than now."""
    if record.started_at is None:
        return None
    return at - max(float(record.charging_s), (wall - record.started_at).total_seconds())


def _state(record: SessionRecord) -> ConnectorState:
    if record.state is not OrderState.CHARGING:
        return ConnectorState.PREPARING
    if record.suspended_by is None:
        return ConnectorState.CHARGING
    if record.suspended_by is SuspendedBy.CAR:
        return ConnectorState.SUSPENDED_CAR
    return ConnectorState.SUSPENDED_STATION


def _limit(limit: Limit, at: float) -> Limit:
    """No validity outlasts its longest, whatever the boot clock of an earlier life said."""
    if limit.ends_at is None:
        return limit
    return replace(limit, ends_at=min(limit.ends_at, at + LONGEST_S))


def _pending(posts: dict[ConnectorId, Post], request: Request, at: float) -> tuple[dict[ConnectorId, Post], Pending]:
    """A command without its answer: followed on where its trace is found, else its outcome is unknown."""
    if request.name is CommandName.LIMIT_POWER:
        return posts, Pending(request, at, limit=request.id)
    if request.name is CommandName.STOP_CHARGE:
        return _stop_again(posts, request, at)
    if request.name is CommandName.START_CHARGE:
        post = posts.get(ConnectorId(request.target or ""))
        session = post.session if post is not None else None
        if post is not None and session is not None and _opened_by(session.record, request):
            record = session.record
            posts = posts | {record.connector: post._replace(session=_waiting(session, request))}
            return posts, Pending(request, at, record.connector, record.id)
    return posts, Pending(request, at, unknown=True)


def _waiting(session: OpenSession, request: Request) -> OpenSession:
    """It waits for its car as long as was asked for, and no longer than the command is valid."""
    try:
        wait_s = number_param(request.params or {}, *WAIT_BOUNDS)
    except BadParam:
        return session
    until, code = max(session.vehicle_until, request.received_at + (wait_s or 0.0)), Refusal.NO_VEHICLE
    if request.deadline is not None and request.deadline < until:
        until, code = request.deadline, Refusal.EXPIRED
    return session._replace(vehicle_until=until, vehicle_code=code)


def _opened_by(record: SessionRecord, request: Request) -> bool:
    """A session of that order and source which is younger than the request."""
    same = record.order == request.order and record.source == request.source.value
    return same and record.created_at >= request.received_wall


def _stop_again(posts: dict[ConnectorId, Post], request: Request, at: float) -> tuple[dict[ConnectorId, Post], Pending]:
    """A stop may be repeated without harm: the session that it names is being ended from the first turn on."""
    try:
        named = stop_params(request)
    except BadParam:
        return posts, Pending(request, at, unknown=True)
    for name, post in posts.items():
        session = post.session
        if session is None or not _named(session.record, named.session, named.order):
            continue
        reason = StopReason.REMOTE if request.source is Source.CLOUD else StopReason.USER
        stopping = session._replace(ending=session.ending or Ending(reason, at))
        return posts | {name: post._replace(session=stopping)}, Pending(request, at, name, session.record.id)
    return posts, Pending(request, at, unknown=True)


def _named(record: SessionRecord, session: SessionId | None, order: str | None) -> bool:
    if session is not None and record.id != session:
        return False
    return order is None or record.order == order


def _known(command: Pending, limits: tuple[Limit, ...]) -> Pending:
    """A limit that reached the journal is followed until it is read back, any other left no trace."""
    found = any(limit.id == command.limit for limit in limits)
    return command if found else replace(command, limit=None, unknown=True)


def _alarms(recovered: Recovered, at: float, wall: datetime) -> dict[Alarm, Standing]:
    """Alarms that stood; a code that this version no longer knows is let go."""
    gone_since = at + ALARM_GRACE_S - CLEAR_AFTER_S
    return {
        Alarm(AlarmCode(row.code), row.subject): Standing(
            row.raised_at or wall, gone_since, count=row.count, notes=row.notes
        )
        for row in recovered.alarms
        if row.code in set(AlarmCode)
    }
