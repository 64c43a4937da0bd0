"""The course of a session in one turn: it starts, charges, is held, reaches a limit, and is closed by evidence."""

from dataclasses import replace

from siteward.control import fees
from siteward.control.closing import closed, finish, gone, on_record
from siteward.control.connector import ConnectorEvent, ConnectorState
from siteward.control.register import UNKNOWN_GAP_S, exchanged, judge, most_watts, read_register
from siteward.control.scene import Scene
from siteward.control.session import (
    Ending,
    OpenSession,
    charging,
    measured,
    resumed,
    rolled_over,
    starting,
    suspended,
    swapped,
)
from siteward.model.alarms import AlarmCode
from siteward.model.refusals import Refusal
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy
from siteward.model.tariff import MeterLost

HOLD_S = 5.0
"""No current for this long makes a charging session suspended."""

FULL_S = 300.0
"""A car that charged, was offered current all the time and asked for none this long is full."""

METER_LOST_S = 30.0
"""A session without an accepted register value for this long has lost its meter (B23)."""

ROW_S = 15.0
ROW_WH = 100
"""The session's row is written at least this often, in time and in energy (B23)."""

LEFT_S = 120.0
"""In so short a time nobody else came, charged and left: what a register grew is of the car that was there (0070)."""

_LONGEST_STEP_S = 5.0


def run(scene: Scene, session: OpenSession) -> OpenSession | None:
    """Carry a session through this turn; None when it ended."""
    before = session
    if session.restored:
        looked = _look_again(scene, session)
        if looked is None or looked.restored:
            return None if looked is None else _rowed(scene, before, on_record(scene, looked))
        session = looked
    else:
        session = _metered(scene, session)
    session = _flow(scene, session)
    session = _order(scene, session)
    session = _hold(scene, session)
    reached = _reached(scene, session) if session.ending is None else None
    if reached is not None:
        session = session._replace(ending=reached)
    after = closed(scene, session)
    return None if after is None else _rowed(scene, before, after)


def meter_lost(session: OpenSession, at: float) -> bool:
    """Whether a metered session has had no believable register value for METER_LOST_S."""
    fresh_at = session.register.fresh_at
    since = session.opened_at if fresh_at is None else fresh_at
    return session.metered and session.record.state is not OrderState.CREATED and at - since > METER_LOST_S


def _metered(scene: Scene, session: OpenSession) -> OpenSession:
    if not session.metered:
        return session
    reading = read_register(scene.draft.site, scene.draft.snapshot, scene.connector)
    register = judge(session.register, reading, most_watts(scene.draft.site, scene.connector))
    # After a restart another meter is another session (B23), and an order is for the one that it began with.
    same = session.restored or session.ending is not None or session.record.order is not None
    other = None if same else exchanged(register, reading)
    if other is not None:
        scene.tell(swapped(session, other, scene.wall))
        return fees.swapped(scene, measured(session, other))
    if register.rolled_wh != session.register.rolled_wh:
        scene.tell(rolled_over(session, register, scene.wall))
    return fees.priced(scene, measured(session, register, bool(scene.seen.flows)))


def _look_again(scene: Scene, session: OpenSession) -> OpenSession | None:
    """After a restart: resumed by the same plug state and a plausible register of the same meter, else closed (B23)."""
    if not scene.seen.online:
        if not gone(scene, session):
            return session
        return closed(scene, _metered(scene, _unsure_of_the_time(scene, _with_gap(session))))
    waits_for_car = session.record.state is OrderState.CREATED
    over = _over(session)
    if scene.post.plugged is False and not waits_for_car and not over:
        return _left(scene, session)
    session = _metered(scene, _unsure_of_the_time(scene, session))
    if session.register.doubted:
        ending = Ending(StopReason.POWER_LOSS, scene.at, AlarmCode.METER_IMPLAUSIBLE.value, failed=True)
        record = replace(session.record, gap=True)
        return session._replace(record=record, restored=False, ending=session.ending or ending)
    waited = scene.at - session.opened_at >= METER_LOST_S
    if session.metered and session.register.fresh_at is None and not waited:
        return _order(scene, session)
    session = _with_gap(session._replace(restored=False))
    if over or not session.charged:
        return session
    session, fact = resumed(session, "restart", scene.wall)
    scene.tell(fact)
    return session


def _left(scene: Scene, session: OpenSession) -> OpenSession | None:
    """Its car left while nobody looked: what was counted in so short a time is its own, else the last row's word."""
    ending = session.ending or Ending(StopReason.UNPLUGGED, scene.at)
    unread_s = _unread_s(scene, session.record)
    if session.charged and unread_s is not None and unread_s <= LEFT_S:
        register = replace(session.register, since=scene.at - unread_s)
        return _metered(scene, _with_gap(session._replace(register=register, restored=False, ending=ending)))
    record = replace(session.record, estimated=session.metered, gap=True)
    finish(scene, session._replace(record=record), replace(ending, stopped_at=scene.at, stopped_wall=scene.wall))
    return None


def _unread_s(scene: Scene, record: SessionRecord) -> float | None:
    """How long ago the register of its row was read, in s; None where no clock tells."""
    if not record.segments or not scene.draft.moment.trusted:
        return None
    unread_s = (scene.wall - record.segments[-1].end).total_seconds()
    return unread_s if unread_s >= 0.0 else None


def _unsure_of_the_time(scene: Scene, session: OpenSession) -> OpenSession:
    """A clock that stood still while the computer was off makes a long outage short: its energy is plausible still."""
    if scene.draft.moment.trusted:
        return session
    register = session.register
    return session._replace(register=replace(register, since=min(register.since, scene.at - UNKNOWN_GAP_S)))


def _with_gap(session: OpenSession) -> OpenSession:
    """What nobody saw of a session that charged is marked, unless its current had stopped before."""
    if _over(session) or not session.charged:
        return session
    return session._replace(record=replace(session.record, gap=True))


def _over(session: OpenSession) -> bool:
    """Whether its current was seen to stop for good."""
    return session.ending is not None and session.ending.stopped_at is not None


def _flow(scene: Scene, session: OpenSession) -> OpenSession:
    """Count the time in which current flows, and since when none does."""
    seen, at = scene.seen, scene.at
    if not seen.online:
        return session._replace(full_since=None)
    unseen_s = 0.0 if session.seen_at is None else at - session.seen_at
    step_s = min(unseen_s, _LONGEST_STEP_S)
    idle_since = at if session.idle_since is None else session.idle_since
    soc = session.soc_now if seen.soc_percent is None else seen.soc_percent
    session = fees.stood(scene, session, step_s)
    return session._replace(
        seen_at=at,
        heard_since=at if _silent_together(session, unseen_s) else session.heard_since,
        charging_s=session.charging_s + (step_s if seen.flows else 0.0),
        idle_since=None if seen.flows else idle_since,
        soc_start=soc if session.soc_start is None else session.soc_start,
        soc_now=soc,
    )


def _silent_together(session: OpenSession, unseen_s: float) -> bool:
    """Whether the meter was there until its charger fell silent: of a dead wire either may answer first again."""
    return unseen_s > _LONGEST_STEP_S and not meter_lost(session, session.seen_at or 0.0)


def _order(scene: Scene, session: OpenSession) -> OpenSession:
    """CREATED until a car is there, STARTING until current flows, ended when the car leaves."""
    if session.record.state is OrderState.CREATED:
        late = session.ending is None and scene.at >= session.vehicle_until
        # Nobody begins by an order whose time is over, although a car stands there now (S-14).
        if scene.post.plugged is False or (late and session.vehicle_code is Refusal.EXPIRED):
            ending = Ending(StopReason.NEVER_STARTED, scene.at, session.vehicle_code.value)
            return session._replace(ending=ending) if late else session
        if session.ending is None:
            session, fact = starting(session, scene.wall)
            scene.tell(fact)
    if session.record.state is OrderState.STARTING and scene.seen.flows:
        session, fact = charging(session, scene.at, scene.wall)
        scene.tell(fact)
        scene.feed(ConnectorEvent.FLOWS)
    if scene.post.plugged is False and session.ending is None:
        return session._replace(ending=Ending(StopReason.UNPLUGGED, scene.at))
    return session


def _hold(scene: Scene, session: OpenSession) -> OpenSession:
    """Tell when a charging session is held, by whom, and when it goes on; silence and endings tell nothing."""
    if not session.charged or session.ending is not None or not scene.seen.online:
        return session
    if scene.seen.flows:
        if scene.feed(ConnectorEvent.FLOWS) and session.record.suspended_by is not None:
            session, fact = resumed(session, "current", scene.wall)
            scene.tell(fact)
        return session
    by, cause = _holder(scene)
    if by is SuspendedBy.STATION and scene.post.state is ConnectorState.SUSPENDED_STATION:
        # What comes next is an offer, and a car needs some seconds to wake at it (B10): its wait begins only then.
        return session._replace(idle_since=scene.at)
    if session.idle_since is None or scene.at - session.idle_since < HOLD_S:
        return session
    event = ConnectorEvent.CAR_HOLDS if by is SuspendedBy.CAR else ConnectorEvent.STATION_HOLDS
    if scene.feed(event):
        session, fact = suspended(session, by, cause, scene.wall)
        scene.tell(fact)
    return session


def _holder(scene: Scene) -> tuple[SuspendedBy, str | None]:
    """The station holds while it offers nothing or the charger has not taken an offer; then the grant says why."""
    grant = scene.grant
    if grant is not None and grant.limit_a > 0.0 and grant.confirmed_a != 0.0:
        return SuspendedBy.CAR, None
    cause = grant.chain[0].cause.value if grant is not None and grant.chain else None
    return SuspendedBy.STATION, cause


def _reached(scene: Scene, session: OpenSession) -> Ending | None:
    """The limit or fault that ends the session now, if any."""
    record, at = session.record, scene.at
    if scene.disobeys:
        return Ending(StopReason.FAULT, at, AlarmCode.CHARGER_DISOBEYS.value, failed=True)
    heard = scene.seen.online and at - session.heard_since > METER_LOST_S
    if _counts_on_its_meter(scene, record) and heard and meter_lost(session, at):
        return Ending(StopReason.FAULT, at, AlarmCode.SESSION_METER_LOST.value, failed=True)
    if fees.spent(record):
        return Ending(StopReason.AMOUNT_LIMIT, at)
    if record.max_energy_wh is not None and (record.energy_wh or 0) >= record.max_energy_wh:
        return Ending(StopReason.ENERGY_LIMIT, at)
    since = session.counts_from
    if record.max_time_s is not None and since is not None and at - since >= record.max_time_s:
        return Ending(StopReason.TIME_LIMIT, at)
    if session.full_since is not None and at - session.full_since >= FULL_S:
        return Ending(StopReason.FULL, at)
    return None


def _counts_on_its_meter(scene: Scene, record: SessionRecord) -> bool:
    """Whether a session ends with its billing meter (B23): by the site's word, as a rule where somebody pays."""
    policy = scene.draft.site.pricing.meter_lost
    paid = record.order is not None or record.tariff is not None
    return policy is MeterLost.ALL or (policy is MeterLost.PAID and paid)


def _rowed(scene: Scene, before: OpenSession, session: OpenSession) -> OpenSession:
    """Follow the wait for "full", and write the row when it is due or a step was told."""
    if not _idle_by_choice(scene):
        if session.full_since is not None:
            session = session._replace(full_since=None)
    elif session.full_since is None:
        session = session._replace(full_since=scene.at)
    record = session.record
    grown = (record.last_register_wh or 0) - (session.row_wh or 0)
    due = session.charged and not session.restored and (scene.at - session.row_at >= ROW_S or grown >= ROW_WH)
    if not (due or scene.spoke or (before.restored and session.record != before.record)):
        return session
    record = replace(fees.on_row(scene, session), charging_s=int(session.charging_s))
    scene.draft.row(record)
    return session._replace(record=record, row_at=scene.at, row_wh=record.last_register_wh)


def _idle_by_choice(scene: Scene) -> bool:
    """The car takes nothing although the floor is confirmed for it, and its pilot does not ask."""
    offered = scene.grant is not None and (scene.grant.confirmed_a or 0.0) >= scene.connector.least_a
    held = scene.post.state is ConnectorState.SUSPENDED_CAR
    return held and offered and scene.seen.online and not scene.seen.asks
