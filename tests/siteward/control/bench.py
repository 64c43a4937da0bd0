"""A turn's bench laid out by hand, so that a test of one step says what stood there before and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from siteward.control.demand import Demand
from siteward.control.load import start_memory
from siteward.control.memory import Flight, NodeWatch, Watch
from siteward.control.routes import EVEN
from siteward.control.tree import tree_of
from siteward.control.work import Work
from siteward.model.alarms import Alarm
from siteward.model.events import ClockQuality, Fact
from siteward.model.limits import Limit
from siteward.model.recovered import Recovered
from siteward.model.site import Feeder, Priority, Site
from siteward.model.snapshot import Snapshot
from tests.siteward.control.sites import Box, feeder, site

AT = 1000.0
"""The instant of the turn."""

TURN = 7
WALL = datetime(2026, 1, 1, tzinfo=UTC)


def demand(max_a: float = 32.0, since: float = 0.0, **more: object) -> Demand:
    """A session that wants current."""
    priority = more.pop("priority", Priority.NORMAL)
    assert isinstance(priority, Priority)
    return Demand(True, max_a, priority, since, **more)  # type: ignore[arg-type]


def watch(conf_a: float | None = 16.0, **more: object) -> Watch:
    """An outlet that answers, obeys and was read a moment ago."""
    known: dict[str, object] = {
        "conf_a": conf_a,
        "limit_a": conf_a,
        "answered": AT - 0.4,
        "heard": AT - 0.4,
        "spoke": AT - 0.4,
        "read_at": AT - 0.4,
        "unread": False,
        "verified": True,
        "verified_at": AT - 0.4,
        "on_since": AT - 900.0,
        "plugged": True,
    }
    return Watch(**(known | more))  # type: ignore[arg-type]


def flight(value_a: float, **more: object) -> Flight:
    """A limit decided in the last turn and not sent yet."""
    known: dict[str, object] = {"turn": TURN - 1, "deadline": AT + 1.0, "raises": False}
    return Flight(value_a, **(known | more))  # type: ignore[arg-type]


def lay(
    watches: Sequence[Watch] = (),
    boxes: Sequence[Box] = (),
    feeders: Sequence[Feeder] = (),
    demands: Sequence[Demand] = (),
    limits: tuple[Limit, ...] = (),
) -> Work:
    """A turn of one grid of 63 A with a box for each watch; every list as it stands where nothing is scarce.

    Everybody holds what is confirmed, may be given current, and has room for 100 A on every fuse.
    """
    watches = list(watches or (watch(),))
    boxes = list(boxes or (Box(),) * len(watches))
    return lay_site(site(list(feeders) or [feeder("grid", 63.0)], boxes), watches, demands, limits)


def lay_site(
    built: Site, watches: Sequence[Watch], demands: Sequence[Demand] = (), limits: tuple[Limit, ...] = ()
) -> Work:
    """The same for a site of the test's own."""
    tree = tree_of(built)
    wanted = list(demands) or [demand() for _ in watches]
    memory = start_memory(built, Recovered(), AT - 500.0)
    memory = type(memory)(
        started_at=AT - 500.0,
        at=AT - 1.0,
        wall=WALL - timedelta(seconds=1.0),
        watches=memory.watches,
        nodes=memory.nodes,
        ledger=memory.ledger,
    )
    work = Work(
        tree=tree,
        snapshot=Snapshot(AT, WALL, ClockQuality.NTP, TURN, {}, {}, {}),
        at=AT,
        turn=TURN,
        memory=memory,
        demands={o.id: d for o, d in zip(tree.outlets, wanted, strict=True)},
        limits=limits,
        watches=list(watches),
        nodes=[NodeWatch() for _ in tree.nodes],
    )
    _fill(work)
    return work


def _fill(work: Work) -> None:
    outlets, cells = work.tree.outlets, len(work.tree.rating)
    known = [w.conf_a or 0.0 for w in work.watches]
    work.routes = [o.routes[EVEN] for o in outlets]
    work.used = [o.all_mask for o in outlets]
    work.booked = [(a, a, a) for a in known]
    work.u_a, work.fixed_a = list(known), [0.0] * len(outlets)
    work.reachable, work.only_down = [True] * len(outlets), [False] * len(outlets)
    work.allocatable = [work.wants(o) for o in outlets]
    work.cap_a = [o.cap_a for o in outlets]
    work.targets, work.binder = list(known), [-1] * len(outlets)
    work.total_a, work.excused_a = [0.0] * cells, [0.0] * cells
    for i, route in enumerate(work.routes):
        for row in route.by_phase:
            for cell in row:
                work.total_a[cell] += known[i]
    work.lent_a, work.spare_boot_a = [0.0] * cells, [0.0] * cells
    work.dynamic_k = [1.5] * cells
    work.base_cut, work.base_raise, work.base_last = [0.0] * cells, [0.0] * cells, [0.0] * cells
    work.frozen, work.grace = [False] * len(work.nodes), [False] * len(work.nodes)
    work.over_meter = [False] * cells
    work.lines_a, work.line_limit = list(work.tree.ceiling), list(work.tree.ceiling_by)
    room = [total + 100.0 for total in work.total_a]
    work.cutline, work.raiseline, work.lent_line = list(room), list(room), list(room)
    work.room_a = [100.0] * cells
    for n in work.nodes:
        n.room_since = (AT - 60.0,) * 3


def alarms(work: Work) -> set[tuple[str, str]]:
    """What stands, as code and subject."""
    return {_told(a) for a in work.alarms}


def _told(alarm: Alarm) -> tuple[str, str]:
    return alarm.code.value, alarm.subject


def told(facts: Sequence[Fact]) -> list[tuple[str, dict[str, object]]]:
    """Facts as type and data."""
    return [(fact.type.value, dict(fact.data)) for fact in facts]
