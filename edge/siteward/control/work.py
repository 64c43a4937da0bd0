"""The bench of one turn: the inputs, flat lists that the steps fill, and what they hand out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from siteward.control.demand import IDLE, Demand
from siteward.control.flight import pending, top
from siteward.control.memory import Flight, LoadMemory, NodeWatch, Watch
from siteward.control.routes import Route
from siteward.control.tree import Outlet, Tree
from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.events import Fact
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId
from siteward.model.limits import Cause, Limit
from siteward.model.snapshot import Snapshot
from siteward.model.units import PerPhase
from siteward.model.wire import Write, WriteKind

DEADLINE_S = 2.0
CONFIRM_S = 3.0
"""A write that was answered is given this long after apply_s to show in a read before it is written again."""


class Wait(NamedTuple):
    """Why a raise waits, and the node of the tree that holds it, where one does."""

    cause: Cause
    node: int | None = None


@dataclass(slots=True)
class Work:
    """One turn while it runs; lists by outlet index or by cell (node * 3 + phase).

    routes: what each outlet loads, by what is known of its car; used: bit mask of phases that count; booked: U(e,p) by
    charger phase as in total_a; u_a: U of the limit side on those phases (without the measured current); fixed_a: the
    part of u_a that no cut of ours can lower now; total_a: sum U of each cell; excused_a: what of it forces no cut yet
    (R14); cutline, raiseline: how much total_a may be; room_a: raiseline with the cut base (targets); lent_line: what U
    of an unused phase may add (6c).
    """

    tree: Tree
    snapshot: Snapshot
    at: float
    turn: int
    memory: LoadMemory
    demands: Mapping[ConnectorId, Demand]
    limits: tuple[Limit, ...]
    watches: list[Watch]
    nodes: list[NodeWatch]
    gap: bool = False
    gap_at: float | None = None
    routes: list[Route] = field(default_factory=list)
    used: list[int] = field(default_factory=list)
    booked: list[PerPhase] = field(default_factory=list)
    u_a: list[float] = field(default_factory=list)
    fixed_a: list[float] = field(default_factory=list)
    reachable: list[bool] = field(default_factory=list)
    allocatable: list[bool] = field(default_factory=list)
    only_down: list[bool] = field(default_factory=list)
    cap_a: list[float] = field(default_factory=list)
    cap_limit: dict[int, Limit] = field(default_factory=dict)
    total_a: list[float] = field(default_factory=list)
    excused_a: list[float] = field(default_factory=list)
    lent_a: list[float] = field(default_factory=list)
    spare_boot_a: list[float] = field(default_factory=list)
    device_boot_a: dict[tuple[ChargerId, int], float] = field(default_factory=dict)
    dynamic_k: list[float] = field(default_factory=list)
    base_cut: list[float] = field(default_factory=list)
    base_raise: list[float] = field(default_factory=list)
    base_last: list[float] = field(default_factory=list)
    frozen: list[bool] = field(default_factory=list)
    grace: list[bool] = field(default_factory=list)
    over_meter: list[bool] = field(default_factory=list)
    lines_a: list[float] = field(default_factory=list)
    line_limit: list[Limit | None] = field(default_factory=list)
    cutline: list[float] = field(default_factory=list)
    raiseline: list[float] = field(default_factory=list)
    lent_line: list[float] = field(default_factory=list)
    room_a: list[float] = field(default_factory=list)
    targets: list[float] = field(default_factory=list)
    binder: list[int] = field(default_factory=list)
    waits: dict[int, Wait] = field(default_factory=dict)
    cuts: list[tuple[float, Write]] = field(default_factory=list)
    raises: list[tuple[float, Write]] = field(default_factory=list)
    failsafes: list[Write] = field(default_factory=list)
    written: dict[tuple[ConnectorId, WriteKind], Write] = field(default_factory=dict)
    probes: dict[LineId, float] = field(default_factory=dict)
    stops: set[ConnectorId] = field(default_factory=set)
    trips: list[FeederId] = field(default_factory=list)
    alarms: set[Alarm] = field(default_factory=set)
    facts: list[Fact] = field(default_factory=list)

    def demand(self, o: Outlet) -> Demand:
        """What the sessions want there; nothing said is no wish."""
        return self.demands.get(o.id, IDLE)

    def wants(self, o: Outlet) -> bool:
        """Whether current is wanted there at all."""
        demand = self.demands.get(o.id, IDLE)
        return demand.wants and not demand.stop and self.watches[o.index].disobeyed_at is None

    def alarm(self, code: AlarmCode, subject: str) -> None:
        """Let an alarm stand this turn."""
        self.alarms.add(Alarm(code, subject))

    def order(self, o: Outlet, value_a: float, raises: bool) -> Write:
        """Decide a limit: it replaces the newest for this outlet, and is in U from now on (R4, R13)."""
        w = self.watches[o.index]
        write = Write(o.id, WriteKind.LIMIT, value_a, raises, self.turn, self.at + DEADLINE_S)
        w.flights = (*w.flights, Flight(value_a, self.turn, write.deadline, raises))
        w.limit_a = value_a
        self.written[o.id, WriteKind.LIMIT] = write
        return write

    def cut(self, o: Outlet, value_a: float) -> bool:
        """Lower an outlet unless that very cut is already under way; returns whether a write was made."""
        w = self.watches[o.index]
        above = top(o, w) - value_a
        if above <= 0.01 or self.under_way(o, value_a):
            return False
        write = self.order(o, value_a, raises=False)
        self.cuts.append((above, write))
        return True

    def under_way(self, o: Outlet, value_a: float) -> bool:
        """Whether the newest decision is at most this value and still has time to be sent, answered and read."""
        newest = pending(self.watches[o.index])
        if newest is None or newest.value_a > value_a + 0.01:
            return False
        if newest.answered_at is not None:
            return self.at - newest.answered_at < o.apply_s + CONFIRM_S
        if newest.sent_at is not None:
            return not newest.late and self.at - newest.sent_at < DEADLINE_S
        return newest.deadline - self.at > DEADLINE_S / 2
