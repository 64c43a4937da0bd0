"""Whether each limit of the file says one thing, about something that is there, and can be judged (S-22)."""

from itertools import pairwise

from siteward.settings.document import Draft
from siteward.settings.faults import Faults, nearest
from siteward.settings.limit_tables import LimitTable
from siteward.settings.positions import Path
from siteward.settings.schema import FeederTable

_PHASES = ("L1", "L2", "L3")
_KINDS = ("schedule", "input", "sensor", "demand_w")
_ONLY_WITH = {
    "failsafe_a": ("input", "sensor"),
    "release_s": ("input",),
    "curve": ("sensor",),
    "window_min": ("demand_w",),
    "sliding": ("demand_w",),
    "margin_percent": ("demand_w",),
}


def check_limits(draft: Draft) -> None:
    """Add every fault of the limits."""
    feeders = {f.id: f for _, f in draft.of("feeder", FeederTable)}
    for path, limit in draft.of("limit", LimitTable):
        _target(path, limit, draft)
        kinds = [kind for kind in _KINDS if getattr(limit, kind) not in (None, [])]
        if len(kinds) > 1:
            draft.faults.add((*path, kinds[1]), f"beside {kinds[0]}: one limit follows one thing; write two limits")
            continue
        for name, needs in _ONLY_WITH.items():
            if name in limit.model_fields_set and not set(needs) & set(kinds):
                draft.faults.add((*path, name), f"means nothing without {' or '.join(needs)}; take it out")
        _amounts(path, limit, kinds, feeders, draft.faults)
        _sense(path, limit, kinds, feeders, draft)


def _target(path: Path, limit: LimitTable, draft: Draft) -> None:
    if limit.feeder is not None and limit.connector is not None:
        draft.faults.add((*path, "connector"), "beside feeder: a limit bounds one thing; write two limits")
    if limit.feeder is None and limit.connector is None:
        draft.faults.add((*path, "feeder"), "is missing; name the feeder or the connector that is bounded")
    for kind in ("feeder", "connector"):
        _refer((*path, kind), kind, getattr(limit, kind), draft)
    _refer((*path, "sensor"), "connector", limit.sensor, draft)


def _refer(path: Path, kind: str, name: str | None, draft: Draft) -> None:
    known = draft.names.get(kind, frozenset())
    if name is not None and name not in known:
        near = nearest(name, known)
        hint = f"nearest is '{near}'" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
        draft.faults.add(path, f"there is no {kind} '{name}'; {hint}")


def _amounts(path: Path, limit: LimitTable, kinds: list[str], feeders: dict[str, FeederTable], faults: Faults) -> None:
    """Where a current is asked for, where it says nothing, and that none is above the fuse."""
    if not kinds and limit.limit_a is None:
        faults.add((*path, "limit_a"), "is missing; it says: the most that may flow there on L1, L2, L3")
    if not kinds and limit.connector is not None:
        faults.add((*path, "connector"), "has a limit that always holds; write it as max_a of its charger")
    if limit.limit_a is not None and kinds in (["sensor"], ["demand_w"]):
        faults.add((*path, "limit_a"), f"says nothing beside {kinds[0]}; take it out")
    feeder = feeders.get(limit.feeder or "")
    if feeder is None:
        return
    rows = [((*path, "limit_a"), limit.limit_a), ((*path, "failsafe_a"), limit.failsafe_a)]
    rows += [((*path, "schedule", i, "limit_a"), period.limit_a) for i, period in enumerate(limit.schedule)]
    rows += [((*path, "input", i, "limit_a"), step.limit_a) for i, step in enumerate(limit.input)]
    for where, amps in rows:
        for name, value, rating in zip(_PHASES, amps or (), feeder.rating_a, strict=False):
            if value > rating:
                above = f"{value:g} A on {name} is above the {rating:g} A of '{feeder.id}'"
                faults.add(where, f"{above}; a limit bounds only below the fuse")


def _sense(path: Path, limit: LimitTable, kinds: list[str], feeders: dict[str, FeederTable], draft: Draft) -> None:
    """What only several keys together show."""
    faults = draft.faults
    points = [step.point for step in limit.input]
    for i, point in enumerate(points):
        if point in points[:i]:
            faults.add((*path, "input", i, "point"), f"'{point}' is already a step of this limit")
    for i, period in enumerate(limit.schedule):
        if period.begin == "24:00":
            faults.add((*path, "schedule", i, "begin"), "is the end of a day; write 00:00 of the next one")
    if kinds == ["sensor"]:
        _curve((*path, "curve"), limit.curve, faults)
    if kinds == ["demand_w"]:
        feeder = feeders.get(limit.feeder or "")
        if limit.connector is not None:
            faults.add((*path, "connector"), "has no demand window; name the feeder whose meter counts")
        if feeder is not None and feeder.meter is None:
            faults.add((*path, "demand_w"), f"needs a meter at feeder '{feeder.id}' that counts the energy")


def _curve(path: Path, curve: list[list[float]] | None, faults: Faults) -> None:
    if curve is None:
        faults.add(path, "is missing; write points such as [[60, 32], [80, 6]]")
    elif any(b[0] <= a[0] or b[1] > a[1] for a, b in pairwise(curve)):
        faults.add(path, "must get hotter from point to point, and never allow more at more heat")
    elif curve[-1][1] < 0.0:
        faults.add(path, "holds a negative current")
