"""`check`: what a site file says, how full its wires are, and whether its fuses hold without siteward."""

from pathlib import Path
from typing import Any

from siteward.cli import check_alarms, check_arms, check_cloud, check_entry
from siteward.cli.paint import Branch, Grid, Part, Screen
from siteward.control.proof import Proof, Shortfall, prove
from siteward.control.tree import rest_current
from siteward.model.rules import Contacts, Derating, LimitRule, Schedule
from siteward.model.sentences import Sentence
from siteward.model.site import Charger, Connector, Feeder, Site
from siteward.settings.load import load_settings
from siteward_drivers.arm_timing import ArmPlan, plan_arms
from siteward_drivers.plan import FULL, SLOW_REACTION_S, LinePlan, plan_lines
from siteward_drivers.registry import load_profiles

_PROVEN = "every fuse holds when siteward is dead for ever, and when the mains return and all chargers restart at once"
_NUMBERS = frozenset({"unit", "requests", "wire ms", "every s", "load"})


def check_file(screen: Screen, file: Path, profiles: Path | None) -> int:
    """Judge a site file; 1 when its wires are too full, its fuses not proven or its arms too slow.

    Raises ConfigError for a faulty one.
    """
    own = profiles or file.parent / "profiles"
    catalogue = load_profiles(own if own.is_dir() else None)
    settings = load_settings(file, catalogue)
    site, told = settings.site, [*check_entry.notes(settings.site), *check_cloud.notes(settings.cloud, file.parent)]
    plans, arms = plan_lines(site, catalogue), plan_arms(site, catalogue)
    refusals = [*_unproven(prove(site)), *(_too_full(plan) for plan in plans if plan.too_full)]
    refusals += check_arms.refusals(arms)
    notes = [*_slow(plans), *check_arms.notes(arms), *_unbilled(site), *_unguarded(site)]
    if screen.as_json:
        notes += [note.en for note in told]
        refusals += [refusal.en for refusal in check_entry.refusals(site)]
        inside = {"arms": check_arms.report(arms), "entry": check_entry.report(site)}
        screen.data(_report(site, plans, refusals, notes) | inside)
    else:
        screen.show(_page(file, site, plans, arms, refusals, notes, told))
    return 1 if refusals or check_entry.refusals(site) else 0


def _in_both(head: str, sentences: list[Sentence]) -> list[str]:
    """Each sentence in English, below it in Chinese."""
    return [line for said in sentences for line in (f"{head}{said.en}", f"{' ' * len(head)}{said.zh}")]


def _page(
    file: Path,
    site: Site,
    plans: tuple[LinePlan, ...],
    arms: tuple[ArmPlan, ...],
    refusals: list[str],
    notes: list[str],
    told: list[Sentence],
) -> list[Part]:
    verdict = "is refused" if refusals or check_entry.refusals(site) else "holds"
    proven = [] if any(r.startswith("feeder") for r in refusals) else [_PROVEN]
    return [
        f"{site.name} ({site.id}), {len(site.connectors)} connectors, hash {site.hash}",
        _tree(site),
        _poll(plans),
        *(f"{plan.line}: {plan.load:.0%} of {FULL:.0%} used{_reaction(plan)}" for plan in plans),
        *check_arms.grid(arms),
        *check_entry.grids(site),
        *check_alarms.grid(site),
        *proven,
        *(f"note: {note}" for note in notes),
        *_in_both("note: ", told),
        *(f"REFUSED: {refusal}" for refusal in refusals),
        *_in_both("REFUSED: ", check_entry.refusals(site)),
        f"{file} {verdict}",
    ]


def _reaction(plan: LinePlan) -> str:
    return f", worst reaction {plan.worst_reaction_s:.1f} s" if plan.worst_reaction_s else ""


def _tree(site: Site) -> Branch:
    branches: dict[str, Branch] = {}
    top = Branch("fuses")
    for feeder in site.feeders:
        branch = Branch(_feeder(feeder))
        branches[feeder.id] = branch
        (branches[feeder.parent] if feeder.parent is not None else top).children.append(branch)
        branch.children += [
            Branch(_limit(limit.id, limit.limit_a)) for limit in site.limits if limit.feeder == feeder.id
        ]
        branch.children += [Branch(_rule(rule)) for rule in site.rules if rule.feeder == feeder.id]
    for charger in site.chargers:
        for connector in charger.connectors:
            branch = Branch(_connector(charger, connector, site.phase_voltage_v))
            branch.children += [Branch(_rule(rule)) for rule in site.rules if rule.connector == connector.id]
            branches[connector.feeder].children.append(branch)
    return top


def _amps(values: tuple[float, float, float]) -> str:
    same = len(set(values)) == 1
    return f"{values[0]:g} A" if same else "/".join(f"{value:g}" for value in values) + " A"


def _feeder(feeder: Feeder) -> str:
    base = "chargers only" if feeder.chargers_only else f"worst base {_amps(feeder.worst_base_load_a)}"
    meter = f"meter {feeder.meter}" if feeder.meter is not None else "no meter"
    name = "" if feeder.name == feeder.id else f" ({feeder.name})"
    return f"{feeder.id}{name}: {_amps(feeder.rating_a)}, {base}, {meter}{_bounds(feeder)}"


def _bounds(feeder: Feeder) -> str:
    neutral = "" if feeder.neutral_a is None else f", neutral {feeder.neutral_a:g} A"
    return neutral if feeder.imbalance_a is None else f"{neutral}, phases at most {feeder.imbalance_a:g} A apart"


def _limit(name: str, amps: tuple[float, float, float]) -> str:
    return f"limit {name}: {_amps(amps)}"


def _rule(rule: LimitRule) -> str:
    by = rule.by
    if isinstance(by, Schedule):
        lowest = min(min(period.limit_a) for period in by.periods)
        many = "periods" if len(by.periods) > 1 else "period"
        what = f"timetable of {len(by.periods)} {many}, down to {lowest:g} A"
    elif isinstance(by, Contacts):
        many = "contacts" if len(by.steps) > 1 else "contact"
        what = f"{many} {', '.join(by.points)}, fail-safe {_amps(by.failsafe_a)}"
    elif isinstance(by, Derating):
        curve = ", ".join(f"{amps:g} A at {heat:g} C" for heat, amps in by.curve)
        what = f"by the temperature at {by.sensor}: {curve}; fail-safe {by.failsafe_a:g} A"
    else:
        kind = "aligned" if by.aligned else "sliding"
        what = f"mean of {by.demand_w / 1000:g} kW in {kind} windows of {by.window_s / 60:g} min, meter {by.meter}"
    return f"limit {rule.id}: {what}"


def _connector(charger: Charger, connector: Connector, nominal_v: float) -> str:
    power = _kilowatts(connector, nominal_v)
    phases = " ".join(connector.wiring)
    watchdog = connector.facts.failsafe
    fallback = f"falls back to {connector.failsafe_a:g} A after {watchdog.timeout_s:g} s" if watchdog else "no watchdog"
    return (
        f"{connector.id}: {charger.profile} on {charger.line} unit {charger.unit}, {phases}, "
        f"{connector.least_a:.3g} to {connector.cap_a:g} A (hardware {connector.hardware_max_a:g} A){power}, {fallback}"
    )


def _kilowatts(connector: Connector, nominal_v: float) -> str:
    """A DC charger in its own words: what its register is given for the least and the most."""
    power = connector.facts.power
    if power is None:
        return ""
    return f", DC {power.min_w / 1000:.1f} to {power.watts(connector.cap_a, nominal_v) / 1000:.1f} kW"


def _poll(plans: tuple[LinePlan, ...]) -> Grid:
    columns = ("wire", "unit", "device", "profile", "requests", "wire ms", "every s", "load")
    rows = [
        (
            plan.line,
            device.address or str(device.unit),
            device.device,
            device.profile,
            str(device.requests),
            f"{device.wire_s * 1000:.0f}",
            f"{device.period_s:g}",
            f"{device.load:.1%}",
        )
        for plan in plans
        for device in plan.devices
    ]
    return Grid("poll plan", columns, rows, _NUMBERS)


def _unproven(shortfalls: tuple[Shortfall, ...]) -> list[str]:
    """One sentence for each fuse and promise, told for its worst phase (turn.md R1, R3)."""
    worst: dict[tuple[str, Proof, bool], Shortfall] = {}
    for short in shortfalls:
        place = (short.feeder, short.proof, short.neutral)
        known = worst.setdefault(place, short)
        if short.missing_a > known.missing_a:
            worst[place] = short
    return [
        f"feeder {s.feeder}: {s.load_a:.1f} A on {'its neutral' if s.neutral else s.phase}, "
        f"allowed {s.allowed_a:.1f} A; {s.proposal}"
        for s in worst.values()
    ]


def _too_full(plan: LinePlan) -> str:
    return (
        f"wire {plan.line} would be {plan.load:.0%} full, more than {FULL:.0%}; move devices to another wire or raise "
        "its speed"
    )


def _slow(plans: tuple[LinePlan, ...]) -> list[str]:
    return [
        f"wire {plan.line} needs up to {plan.worst_reaction_s:.1f} s to bring all its chargers down, more than "
        f"{SLOW_REACTION_S:g} s; split it"
        for plan in plans
        if plan.too_slow
    ]


def _unbilled(site: Site) -> list[str]:
    """Ruling 9: without active energy nothing can be billed."""
    notes = []
    for connector in site.connectors:
        meters = [meter for meter in site.meters if meter.id == connector.meter]
        bills = meters[0].facts.bills_energy if meters else connector.facts.bills_energy
        if not bills:
            what = f"meter {meters[0].id} does" if meters else f"{connector.facts.profile} does"
            notes.append(f"{connector.id}: {what} not count active energy; its sessions have no energy to bill")
    return notes


def _unguarded(site: Site) -> list[str]:
    """R3: what a charger without a watchdog costs each fuse above it, for ever, when siteward is dead."""
    return [
        f"{connector.id}: {connector.facts.profile} has no watchdog; every fuse above it keeps "
        f"{rest_current(connector):g} A for it, since it may hold that for ever when siteward is dead"
        for connector in site.connectors
        if connector.facts.failsafe is None
    ]


def _report(site: Site, plans: tuple[LinePlan, ...], refusals: list[str], notes: list[str]) -> dict[str, Any]:
    return {
        "site": site.id,
        "siteHash": site.hash,
        "holds": not refusals,
        "refusals": refusals,
        "notes": notes,
        "feeders": [
            {
                "id": f.id,
                "parent": f.parent,
                "rating_a": f.rating_a,
                "worstBaseLoad_a": f.worst_base_load_a,
                "meter": f.meter,
                "neutral_a": f.neutral_a,
                "neutralBase_a": None if f.neutral_a is None else f.neutral_base_a,
                "imbalance_a": f.imbalance_a,
            }
            for f in site.feeders
        ],
        "connectors": [
            {
                "id": c.id,
                "feeder": c.feeder,
                "max_a": c.cap_a,
                "hardwareMax_a": c.hardware_max_a,
                "failsafe_a": c.failsafe_a,
                "least_a": round(c.least_a, 3),
                "max_w": None if power is None else round(power.watts(c.cap_a, site.phase_voltage_v)),
            }
            for c, power in ((c, c.facts.power) for c in site.connectors)
        ],
        "lines": [
            {
                "id": plan.line,
                "load": round(plan.load, 4),
                "worstReaction_s": round(plan.worst_reaction_s, 2),
                "devices": [
                    {
                        "id": d.device,
                        "unit": d.unit,
                        "address": d.address,
                        "wire_s": round(d.wire_s, 4),
                        "every_s": d.period_s,
                    }
                    for d in plan.devices
                ],
            }
            for plan in plans
        ],
    }
