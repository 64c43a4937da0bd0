"""The site as numbers: every outlet's path through the fuse tree as positions in flat lists, built once per site."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil, exp, floor, inf, sqrt

from siteward.control.routes import EVEN, UNKNOWN, Bounds, NodeKind, Route, bounds_of, route, routes_of
from siteward.model.facts import ResetBy
from siteward.model.ids import ConnectorId, FeederId, LineId
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from siteward.model.site import Connector, Feeder, Site
from siteward.model.units import FLOOR_A

EPS = 1e-6
REACTION_S = 10.0
"""G of turn.md: within this time of an outside rise the currents are back under the rating."""
RAMP_A_S, RAMP_S = 0.5, 60.0
"""B07: how fast a connector rises; a DC charger by the same rule for its kW, its whole range in a minute."""
POLL_S = 2.0
"""Longest period at which the runtime polls a charger."""


@lru_cache(maxsize=8192)
def steps(count: int, step_a: float) -> float:
    """So many device steps in A, to the milliampere; remembered, for rounding a float takes longer than finding it."""
    return round(count * step_a, 3)


def step_down(value_a: float, step_a: float) -> float:
    """Largest multiple of the device step that is not above the value."""
    return steps(floor(value_a / step_a + EPS), step_a)


def step_up(value_a: float, step_a: float) -> float:
    """Smallest multiple of the device step that is not below the value."""
    return steps(ceil(value_a / step_a - EPS), step_a)


@lru_cache(maxsize=4096)
def overload(seconds: float) -> float:
    """k(T) of turn.md: the multiple of its rating that a fuse at its rated current carries for T s (tau 60 s)."""
    return sqrt(1.0 + 0.277 / (1.0 - exp(-seconds / 60.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Outlet:
    """One connector with everything that a turn asks of it, ready to use.

    cells[mask] are the positions (node * 3 + phase) of its fuses for the charger phases in the bit mask; by_phase are
    the same for one charger phase each; routes add neutral and imbalance, by what is known of the car, wide is that of
    one of which nothing is known; rest_a is what it may hold for ever without us when its watchdog is verified, boot_a
    what it may hold after a restart (R3); watch_s = Tw * (1 + tolerance), 0 where it has no watchdog; alone: its
    charger has no other outlet; switchable: driver and site let it change between one and three phases.
    """

    index: int
    id: ConnectorId
    connector: Connector
    line: LineId
    path: tuple[int, ...]
    phases: int
    wired: tuple[int, ...]
    by_phase: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[int, ...], ...]
    routes: tuple[Route, ...]
    wide: Route
    all_mask: int
    hw_a: float
    cap_a: float
    floor_a: float
    step_a: float
    fs_a: float
    rest_a: float
    boot_a: float
    has_watchdog: bool
    tw_s: float
    watch_s: float
    lease_s: float
    short_hold: bool
    min_silence_s: float
    apply_s: float
    ramp_a_s: float
    raise_every_s: float
    read_feeds: bool
    read_may_feed: bool
    limit_feeds: bool
    other_feeds: bool
    refresh_s: float | None
    alone: bool
    switchable: bool
    start_delay_s: float
    start_seed: str


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """One feeder: the outlets below it, its share of the flat lists.

    window_s: how long a base window must be (R10); blur_s: how far back a value of its meter reaches when it is read.
    A neutral conductor and a bound of imbalance are nodes of their own; owner is the index of their feeder's fuse.
    """

    index: int
    kind: NodeKind
    owner: int
    id: FeederId
    feeder: Feeder
    below: tuple[int, ...]
    cells: tuple[int, int, int]
    window_s: float
    refresh_s: float
    blur_s: float
    range_a: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """The whole site in flat lists; a cell is one phase of one node. bound_k is k(T) for the longest watchdog below.

    nodes are the fuses, then the bounds (neutral, imbalance); routes are those of a site without bounds, by outlet.
    ceiling is the rating or the installer's limit below it, which ceiling_by names.
    """

    site: Site
    outlets: tuple[Outlet, ...]
    nodes: tuple[Node, ...]
    fuses: tuple[Node, ...]
    bounds: tuple[Node, ...]
    routes: list[Route]
    node_of: dict[FeederId, int]
    outlet_of: dict[ConnectorId, int]
    rating: tuple[float, ...]
    ceiling: tuple[float, ...]
    ceiling_by: tuple[Limit | None, ...]
    margin: tuple[float, ...]
    worst: tuple[float, ...]
    bound_k: tuple[float, ...]


def margin_a(rating_a: float) -> float:
    """Distance kept to a rating when raising: max(1 A, 3 %)."""
    return max(1.0, 0.03 * rating_a)


@lru_cache(maxsize=16)
def tree_of(site: Site) -> Tree:
    """Index of a site; the same object for the same site."""
    node_of = {f.id: i for i, f in enumerate(site.feeders)}
    lines = {c.id: charger.line for charger in site.chargers for c in charger.connectors}
    paths = {f.id: tuple(node_of[n.id] for n in site.path(f.id)) for f in site.feeders}
    bounds = bounds_of(site)
    shared = {charger.id for charger in site.chargers if len(charger.connectors) > 1}
    outlets = tuple(
        _outlet(i, c, paths[c.feeder], lines[c.id], c.charger not in shared, site, bounds)
        for i, c in enumerate(site.connectors)
    )
    nodes = tuple(_node(i, f, site, outlets) for i, f in enumerate(site.feeders))
    extra = tuple(_bound(len(nodes) + i, *b, nodes, outlets) for i, b in enumerate(bounds))
    flat = [(f.rating_a[p], 0.0 if f.chargers_only else f.worst_base_load_a[p]) for f in site.feeders for p in range(3)]
    flat += [_bound_line(b) for b in extra for _ in range(3)]
    ceiling, ceiling_by = _ceiling(site, node_of, [rating for rating, _ in flat])
    return Tree(
        site=site,
        outlets=outlets,
        nodes=nodes + extra,
        fuses=nodes,
        bounds=extra,
        routes=[o.routes[EVEN] for o in outlets],
        node_of=node_of,
        outlet_of={o.id: o.index for o in outlets},
        rating=tuple(rating for rating, _ in flat),
        ceiling=tuple(ceiling),
        ceiling_by=tuple(ceiling_by),
        margin=tuple(margin_a(rating) for rating, _ in flat),
        worst=tuple(worst for _, worst in flat),
        bound_k=tuple(overload(_longest(n.below, outlets)) for n in nodes + extra for _ in range(3)),
    )


def _bound(index: int, owner: int, kind: NodeKind, fuses: Sequence[Node], outlets: Sequence[Outlet]) -> Node:
    """A neutral or an imbalance as a node over its feeder's fuse: those below it that can load it."""
    below = tuple(i for i in fuses[owner].below if index in outlets[i].routes[-1].path)
    cells = (index * 3, index * 3 + 1, index * 3 + 2)
    return replace(fuses[owner], index=index, kind=kind, owner=owner, below=below, cells=cells)


def _bound_line(node: Node) -> tuple[float, float]:
    """Rating and worst base of a bound; an imbalance trips nothing, so no overload bounds it."""
    feeder = node.feeder
    if node.kind is NodeKind.NEUTRAL:
        return feeder.neutral_a or 0.0, 0.0 if feeder.chargers_only else feeder.neutral_base_a
    return feeder.imbalance_a or 0.0, -inf


def _ceiling(site: Site, node_of: dict[FeederId, int], amps: list[float]) -> tuple[list[float], list[Limit | None]]:
    """What each cell may carry for good, and the installer's limit where that is less than its rating."""
    by: list[Limit | None] = [None] * len(amps)
    for fixed in site.limits:
        keep = OnLimitExpiry.KEEP
        limit = Limit(fixed.id, LimitSource.STATIC, fixed.limit_a, feeder=fixed.feeder, on_expiry=keep)
        for p in range(3):
            cell = node_of[fixed.feeder] * 3 + p
            if fixed.limit_a[p] < amps[cell]:
                amps[cell], by[cell] = fixed.limit_a[p], limit
    return amps, by


def _longest(below: Sequence[int], outlets: Sequence[Outlet]) -> float:
    """T of R1 when every watchdog below counts."""
    return max(REACTION_S, 7.0 + max((outlets[i].watch_s for i in below), default=0.0))


def _node(index: int, feeder: Feeder, site: Site, outlets: Sequence[Outlet]) -> Node:
    below = tuple(o.index for o in outlets if index in o.path)
    meter = next((m for m in site.meters if m.id == feeder.meter), None)
    lag = max((outlets[i].connector.facts.measure_lag_s for i in below), default=0.0)
    refresh, window = (meter.facts.refresh_s, meter.facts.window_s) if meter else (0.0, 0.0)
    return Node(
        index=index,
        kind=NodeKind.FUSE,
        owner=index,
        id=feeder.id,
        feeder=feeder,
        below=below,
        cells=(index * 3, index * 3 + 1, index * 3 + 2),
        window_s=max(10.0, 2.0 * (POLL_S + lag + window)),
        refresh_s=refresh,
        blur_s=refresh + window,
        range_a=meter.facts.range_a if meter else None,
    )


def _outlet(
    index: int, c: Connector, path: tuple[int, ...], line: LineId, alone: bool, site: Site, bounds: Bounds
) -> Outlet:
    wired = tuple(p.position for p in c.wiring)
    by_phase = tuple(tuple(node * 3 + p for node in path) for p in wired)
    narrow = route(path, by_phase)
    routes = routes_of(c, narrow, wired, [(k, kind) for k, (node, kind) in enumerate(bounds) if node in path], site)
    limit, fs, boot = c.facts.limit, c.facts.failsafe, c.facts.boot
    reset = fs.reset_by if fs else None
    by_limit = reset in (ResetBy.LIMIT_WRITE, ResetBy.UNKNOWN)
    tw = fs.timeout_s if fs else 0.0
    fs_a = c.failsafe_a if fs else FLOOR_A
    return Outlet(
        index=index,
        id=c.id,
        connector=c,
        line=line,
        path=path,
        phases=len(wired),
        wired=wired,
        by_phase=by_phase,
        cells=narrow.cells,
        routes=routes,
        wide=routes[UNKNOWN] if len(routes) > 1 else narrow,
        all_mask=(1 << len(wired)) - 1,
        hw_a=c.hardware_max_a,
        cap_a=step_down(c.cap_a, limit.step_a),
        floor_a=step_up(c.least_a, limit.step_a),
        step_a=limit.step_a,
        fs_a=fs_a,
        rest_a=rest_current(c),
        boot_a=boot_current(c),
        has_watchdog=fs is not None,
        tw_s=tw,
        watch_s=tw * (1.0 + fs.tolerance) if fs else 0.0,
        lease_s=min(5.0, tw / 2.0) if fs else 5.0,
        short_hold=boot.hold_s is not None and boot.hold_s <= REACTION_S,
        min_silence_s=boot.min_silence_s,
        apply_s=limit.apply_s,
        ramp_a_s=RAMP_A_S if c.facts.power is None else max(RAMP_A_S, c.cap_a / RAMP_S),
        raise_every_s=max(5.0, limit.raise_interval_s),
        read_feeds=reset in (ResetBy.ANY_TRAFFIC, ResetBy.ANY_REQUEST),
        read_may_feed=reset in (ResetBy.ANY_TRAFFIC, ResetBy.ANY_REQUEST, ResetBy.UNKNOWN),
        limit_feeds=reset is not ResetBy.HEARTBEAT and reset is not None,
        other_feeds=reset is ResetBy.HEARTBEAT,
        refresh_s=tw / 4.0 if by_limit else None,
        alone=alone,
        switchable=c.phase_switching and c.facts.switches_phases and c.facts.measures_current and len(wired) == 3,
        start_delay_s=site.start_delay_s,
        start_seed=f"{site.id} {c.id}",
    )


def boot_current(c: Connector) -> float:
    """The most that a connector holds right after its own restart; unknown is its hardware maximum (R3)."""
    return c.hardware_max_a if c.facts.boot.boot_a is None else min(c.facts.boot.boot_a, c.hardware_max_a)


def rest_current(c: Connector) -> float:
    """What a connector may hold for ever without us, given that its watchdog was verified (R3, R8).

    With a watchdog that runs after power-up: its fail-safe current; with one that is off then: the hardware maximum.
    Without any: the highest limit that we ever write, or what it restarts with.
    """
    if c.facts.failsafe is None:
        return min(c.hardware_max_a, max(c.cap_a, boot_current(c)))
    return min(c.failsafe_a, c.hardware_max_a) if c.facts.boot.watchdog_at_start else c.hardware_max_a
