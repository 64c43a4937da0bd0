"""`status` and `watch`: the fuse tree with its load, every connector with why it has this current, and the alarms."""

import itertools
from collections.abc import Iterable, Mapping

from siteward.cli.paint import Branch, Grid, Part, Screen
from siteward.client.bill_text import fee
from siteward.client.client import Client
from siteward.client.messages import (
    ArmMessage,
    CauseMessage,
    ConnectorMessage,
    FeederMessage,
    GrantMessage,
    LiveMessage,
)
from siteward.model.alarms import Severity
from siteward.model.causes import told
from siteward.model.limits import Cause
from siteward.panel.text import leaving

_WORST_FIRST = {severity.value: rank for rank, severity in enumerate(Severity)}
_NUMBERS = frozenset({"A", "limit", "kWh", "fee", "load", "p99 ms", "lost"})


async def status(client: Client, screen: Screen, reasons: bool = False) -> int:
    """Show the station now, or every cause chain in words; 1 when an alarm of the highest class stands."""
    live = await client.live()
    if screen.as_json:
        screen.data(live.model_dump(mode="json", by_alias=True))
    else:
        screen.show([chains(live)] if reasons else page(live))
    return 1 if any(alarm.severity == "highest" for alarm in live.alarms) else 0


async def watch(client: Client, screen: Screen, views: int) -> int:
    """Show the station as it moves, until Ctrl-C or `views` pages (0: for ever)."""
    with screen.pages() as show:
        counter = itertools.count(1)
        async for live in client.stream():
            if screen.as_json:
                screen.data(live.model_dump(mode="json", by_alias=True))
            else:
                show(page(live))
            if next(counter) == views:
                break
    return 0


def page(live: LiveMessage) -> list[Part]:
    """One page about the station."""
    parts: list[Part] = [
        f"{live.name} ({live.site})  {live.at:%Y-%m-%d %H:%M:%S} UTC, clock {live.clock}  "
        f"turn {live.health.turn}, {live.health.turn_age_s:.1f} s old",
        feeders(live.feeders),
        Grid(
            "",
            ("connector", "status", "A", "limit", "why", "session", "kWh", "fee"),
            [_connector(c) for c in live.connectors],
            _NUMBERS,
        ),
        *_departures(live),
        *_limits(live),
        Grid(
            "",
            ("wire", "port", "open", "load", "devices", "lost"),
            [
                (
                    line.id,
                    line.port,
                    "yes" if line.open else "NO",
                    f"{line.load:.0%}",
                    str(len(line.slaves)),
                    str(sum(slave.timeouts + slave.garbled for slave in line.slaves)),
                )
                for line in live.lines
            ],
            _NUMBERS,
        ),
    ]
    if live.arms:
        columns = ("barrier or lock", "name", "state", "in its way", "closing or rising")
        parts.append(Grid("", columns, [_arm(arm) for arm in live.arms]))
    alarms = sorted(live.alarms, key=lambda alarm: (_WORST_FIRST.get(alarm.severity, 0), alarm.raised_at))
    parts += [f"{alarm.severity.upper()} {alarm.text_en} (since {alarm.raised_at:%H:%M:%S} UTC)" for alarm in alarms]
    return parts if live.alarms else [*parts, "no alarms"]


def _departures(live: LiveMessage) -> list[Part]:
    """Who leaves when by the site's clock, and how much of its energy it has: the words of the panel's card."""
    return [
        f"{c.id}: {leaving(c.session, live.timezone, 'en')}"
        for c in live.connectors
        if c.session is not None and c.session.departs_at is not None
    ]


def _limits(live: LiveMessage) -> list[Part]:
    rows = [
        (
            limit.id,
            limit.target,
            _phases(limit.limit_a),
            limit.reason.replace("_", " "),
            f"{limit.ends_at:%H:%M:%S} UTC, then {limit.on_expiry}" if limit.ends_at else "",
        )
        for limit in live.limits
    ]
    return [Grid("", ("limit", "on", "A", "by", "until"), rows, _NUMBERS - {"limit"})] if rows else []


def feeders(nodes: Iterable[FeederMessage]) -> Branch:
    """The fuse tree; nodes come parents first."""
    branches: dict[str, Branch] = {}
    top = Branch("fuses: load / rating A (reserved)")
    for node in nodes:
        branch = Branch(_feeder(node))
        branches[node.id] = branch
        branches.get(node.parent or "", top).children.append(branch)
    return top


def _feeder(node: FeederMessage) -> str:
    load = _phases(node.load_a) if node.load_a is not None else "not measured"
    age = f", {node.meter_age_s:.1f} s old" if node.meter_age_s is not None else ""
    name = f"{node.id} ({node.name})" if node.name not in ("", node.id) else node.id
    return f"{name}: {load} / {_phases(node.rating_a)} ({_phases(node.reserved_a)}){age}"


def _phases(amps: tuple[float, float, float]) -> str:
    return " ".join(f"{a:.0f}" for a in amps)


def _connector(c: ConnectorMessage) -> tuple[str, ...]:
    state = c.status if c.online else f"{c.status}, silent"
    if c.suspended_by is not None:
        state += f" (held by {c.suspended_by})"
    # What a charger that does not answer drew at its last reading is not what it draws.
    amps = f"{max(c.current_a):.1f}" if c.online and c.current_a is not None else "?"
    session = c.session.id if c.session is not None else ""
    energy = c.session.energy_wh if c.session is not None else None
    return (
        c.id,
        state,
        amps,
        f"{c.grant.limit_a:.1f}" if c.limit_w is None else f"{c.grant.limit_a:.1f} ({c.limit_w / 1000:.1f} kW)",
        why(c.grant),
        session,
        f"{energy / 1000:.3f}" if energy is not None else "",
        fee(c.session.total, c.session.currency) if c.session is not None else "",
    )


def chains(live: LiveMessage) -> Branch:
    """Why each connector has its current: the binding cause first, then what that one came from."""
    names = {feeder.id: feeder.name for feeder in live.feeders}
    top = Branch("why this current")
    for c in live.connectors:
        top.children.append(
            Branch(f"{c.id}: {c.grant.limit_a:.1f} A", children=[_cause(s, names) for s in c.grant.chain])
        )
    return top


def _cause(step: CauseMessage, names: Mapping[str, str]) -> Branch:
    if step.cause not in set(Cause):
        return Branch(f"{step.cause} {step.limit_a:.1f} A")
    feeder = names.get(step.feeder or "", step.feeder or "")
    return Branch(told(Cause(step.cause), step.limit_a, feeder, step.limit).en.replace("\u00a0", " "))


def _arm(arm: ArmMessage) -> tuple[str, ...]:
    way = {None: "not known", True: "something", False: "nothing"}[arm.occupied]
    if arm.emergency:
        way += ", EMERGENCY"
    may = "allowed" if arm.blocked is None else f"refused: {arm.blocked}"
    if arm.waits:
        may = "by itself, as soon as the bay is free"
    last = f" ({arm.why})" if arm.why else ""
    return arm.id, arm.name, arm.state + last, way, may


def why(grant: GrantMessage) -> str:
    """The binding cause of a grant in words."""
    if not grant.chain:
        return ""
    step = grant.chain[0]
    where = step.limit or step.feeder
    return step.cause.replace("_", " ") + (f" at {where}" if where else "")
