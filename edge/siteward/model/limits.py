"""Limits with cause: what bounds a connector, and why it has the current that it has."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.ids import ConnectorId, FeederId
from siteward.model.units import PerPhase


class LimitSource(StrEnum):
    """Who set a limit. `grid` may never be released by silence (R15)."""

    STATIC = "static"
    SCHEDULE = "schedule"
    DEMAND = "demand"
    HEAT = "heat"
    GRID = "grid"
    CLOUD = "cloud"
    PANEL = "panel"
    CLI = "cli"


class OnLimitExpiry(StrEnum):
    """What happens when a limit's validity ends: it goes, it stays, or its fail-safe value takes over."""

    RELEASE = "release"
    KEEP = "keep"
    FAILSAFE = "failsafe"


class Cause(StrEnum):
    """Why a connector has no more current than it has: the closed vocabulary of cause chains.

    LIMIT is followed by the reason of that limit, from STATIC to EXPIRED: who set it, or what stands in for them.
    """

    MAXIMUM = "maximum"
    NO_DEMAND = "no_demand"
    FUSE = "fuse"
    FAIR_SHARE = "fair_share"
    LIMIT = "limit"
    METER_STALE = "meter_stale"
    METER_LOST = "meter_lost"
    UNREACHABLE = "unreachable"
    UNVERIFIED = "unverified"
    DISOBEDIENT = "disobedient"
    PAUSED_NO_ROOM = "paused_no_room"
    RAMP = "ramp"
    CONFIRMING = "confirming"
    AFTER_SHED = "after_shed"
    CLOCK_GAP = "clock_gap"
    STORE = "store"
    START = "start"
    START_DELAY = "start_delay"
    UNUSED = "unused"
    WAKING = "waking"
    PAUSED_OFTEN = "paused_often"
    PHASE_SWITCH = "phase_switch"
    LENT_PHASE = "lent_phase"
    STATIC = "static"
    SCHEDULE = "schedule"
    CLOCK_UNTRUSTED = "clock_untrusted"
    GRID = "grid"
    GRID_INPUT_LOST = "grid_input_lost"
    CLOUD = "cloud"
    PANEL = "panel"
    CLI = "cli"
    HEAT = "heat"
    HEAT_UNKNOWN = "heat_unknown"
    DEMAND = "demand"
    DEMAND_UNKNOWN = "demand_unknown"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force on a feeder or on one connector; ends_at is on the boot-time clock, None = no end.

    failsafe_a takes over at the end where on_expiry says so; None = the limit itself stays. `reason` says why it has
    its value where that is not simply its source. A limit of source DEMAND bounds the mean of the three phases, and
    never takes the floor from a connector that charges; mark_wh is the meter's register when its window began.
    """

    id: str
    source: LimitSource
    limit_a: PerPhase
    feeder: FeederId | None = None
    connector: ConnectorId | None = None
    ends_at: float | None = None
    on_expiry: OnLimitExpiry = OnLimitExpiry.RELEASE
    failsafe_a: PerPhase | None = None
    reason: Cause | None = None
    mark_wh: float | None = None

    @property
    def why(self) -> Cause:
        """The reason of its value, for cause chains."""
        return self.reason or Cause(self.source.value)


@dataclass(frozen=True, slots=True)
class CauseStep:
    """One link of a cause chain: what held, at which feeder, and the current that it allowed."""

    cause: Cause
    limit_a: float
    feeder: FeederId | None = None
    limit: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a connector may draw now and why.

    limit_a is the last limit decided, confirmed_a the last one READ BACK (None = unknown), reserved_a the most that
    the fuses book for it (the U of turn.md, worst phase); chain runs from the binding cause outwards.
    """

    connector: ConnectorId
    limit_a: float
    target_a: float
    confirmed_a: float | None
    reserved_a: float
    reachable: bool
    verified: bool
    chain: tuple[CauseStep, ...]
