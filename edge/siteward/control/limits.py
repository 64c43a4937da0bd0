"""Limits that somebody set for a time: how long they hold on the monotonic clock and what their end leaves (R15)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from siteward.control.params import BadParam, LimitParams
from siteward.control.session import stamp
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, Limit, LimitSource, OnLimitExpiry
from siteward.model.requests import Request, Source
from siteward.model.site import Connector, Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase, limit_amps

LONGEST_S = 86_400.0
"""Longest validity of a limit (contract, B15)."""

STATION = "station"
"""Target that means the grid connection."""

_SOURCES = {Source.CLOUD: LimitSource.CLOUD, Source.PANEL: LimitSource.PANEL}


@dataclass(frozen=True, slots=True)
class Target:
    """What a limit bounds: one feeder or one connector."""

    feeder: FeederId | None = None
    connector: Connector | None = None

    @property
    def connector_id(self) -> ConnectorId | None:
        """Id of the connector, if it is one."""
        return self.connector.id if self.connector is not None else None


def find_target(site: Site, name: str | None) -> Target | None:
    """The thing that a limit's target names, None when the site has nothing of that name."""
    for feeder in site.feeders:
        if feeder.id == name or (name == STATION and feeder.parent is None):
            return Target(feeder=feeder.id)
    for connector in site.connectors:
        if connector.id == name:
            return Target(connector=connector)
    return None


def make_limit(site: Site, snapshot: Snapshot, request: Request, target: Target, params: LimitParams) -> Limit:
    """The limit that a command asks for. Raises BadParam for a validity that is missing, over, or above 24 h."""
    amps, volts, one = params.limit_a, site.phase_voltage_v, target.connector
    if amps is None:
        watts = params.limit_w or 0.0
        amps = limit_amps(watts, 3, volts) if one is None else one.legal_amps(watts, volts)
    source = LimitSource.GRID if params.grid else _SOURCES.get(request.source, LimitSource.CLI)
    default = OnLimitExpiry.FAILSAFE if params.grid else OnLimitExpiry.RELEASE
    seconds = _validity_s(snapshot, request, params)
    return Limit(
        id=request.id,
        source=source,
        limit_a=_each(amps),
        feeder=target.feeder,
        connector=target.connector_id,
        ends_at=None if seconds is None else request.received_at + seconds,
        on_expiry=params.on_expiry or default,
        failsafe_a=None if params.failsafe_a is None else _each(params.failsafe_a),
    )


def _each(amps: float) -> PerPhase:
    return (amps, amps, amps)


def _validity_s(snapshot: Snapshot, request: Request, params: LimitParams) -> float | None:
    """Seconds from receipt; measured between two times of the sender where our own clock is not trusted."""
    if params.valid_until is None:
        if request.source is Source.CLOUD:
            raise BadParam("validUntil: a limit from the platform must end, at most 24 h ahead")
        return None
    trusted = snapshot.clock.trusted
    begin = request.received_wall if trusted or request.issued_at is None else request.issued_at
    seconds = (params.valid_until - begin).total_seconds()
    if not trusted and request.issued_at is None and not 0.0 < seconds <= LONGEST_S:
        return LONGEST_S
    if not 0.0 < seconds <= LONGEST_S:
        raise BadParam(f"validUntil: {stamp(params.valid_until)} is not within the next 24 h")
    return seconds


def same_place(a: Limit, b: Limit) -> bool:
    """Whether a newer limit replaces an older one: same source, same target."""
    return (a.source, a.feeder, a.connector) == (b.source, b.feeder, b.connector)


def put(limits: Iterable[Limit], new: Limit) -> tuple[Limit, ...]:
    """The list with a limit set; it replaces the one of the same source on the same target."""
    return (*(limit for limit in limits if not same_place(limit, new)), new)


def lifts(limits: Iterable[Limit], new: Limit) -> bool:
    """Whether setting it would allow more than now: it replaces a stricter one."""
    return any(same_place(old, new) and max(new.limit_a) > min(old.limit_a) for old in limits)


def expire(limits: tuple[Limit, ...], snapshot: Snapshot) -> tuple[tuple[Limit, ...], tuple[Fact, ...]]:
    """The list after the ends that have come, with a fact for each: released, kept or replaced by the fail-safe."""
    if all(limit.ends_at is None or limit.ends_at > snapshot.at for limit in limits):
        return limits, ()
    left: list[Limit] = []
    facts: list[Fact] = []
    for limit in limits:
        if limit.ends_at is None or limit.ends_at > snapshot.at:
            left.append(limit)
            continue
        after = _after_end(limit)
        if after is not None:
            left.append(after)
        facts.append(changed(after or limit, limit.on_expiry.value, snapshot))
    return tuple(left), tuple(facts)


def _after_end(limit: Limit) -> Limit | None:
    release = limit.on_expiry is OnLimitExpiry.RELEASE
    if release and limit.source is not LimitSource.GRID:
        return None
    if limit.on_expiry is OnLimitExpiry.KEEP or limit.failsafe_a is None:
        return replace(limit, ends_at=None)
    return replace(limit, limit_a=limit.failsafe_a, ends_at=None, reason=Cause.EXPIRED)


def changed(limit: Limit, cause: str, snapshot: Snapshot) -> Fact:
    """The fact limit.changed; cause is "set" or what its end did."""
    data: dict[str, object] = {
        "limitId": limit.id,
        "source": limit.source.value,
        "target": limit.connector or limit.feeder,
        "limit_a": list(limit.limit_a),
        "onExpiry": limit.on_expiry.value,
        "validFor_s": None if limit.ends_at is None else round(limit.ends_at - snapshot.at, 3),
        "cause": cause,
    }
    return Fact(EventType.LIMIT_CHANGED, data, connector=limit.connector, occurred_at=snapshot.wall)
