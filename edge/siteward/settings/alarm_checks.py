"""Whether each rule of alarms of the file says something that can be watched, about something that is there (S-22)."""

from collections.abc import Collection, Mapping

from siteward.model.ports import ProfileCatalogue
from siteward.model.watch import CODES, Figure, Watched
from siteward.settings.alarm_build import holds_nominal, merged, shipped
from siteward.settings.alarm_tables import AlarmTable
from siteward.settings.document import Draft
from siteward.settings.faults import nearest
from siteward.settings.positions import Path
from siteward.settings.schema import ChargerTable, SiteTable

_ASKED = {
    "on": "what the rule is about",
    "what": "the figure that is watched",
    "severity": "how soon somebody must act",
}
_DEVICES = {
    Watched.CHARGER: ("charger", "connector"),
    Watched.METER: ("meter",),
    Watched.FEEDER: ("feeder",),
    Watched.STATION: (),
    Watched.UPLINK: (),
}


def check_alarms(draft: Draft, catalogue: ProfileCatalogue) -> None:
    """Add every fault of the rules of alarms."""
    standard = shipped()
    seen: dict[str, Path] = {}
    for path, table in draft.of("alarm", AlarmTable):
        if table.id in seen:
            line = draft.faults.lines.get((*seen[table.id], "id"), 1)
            draft.faults.add((*path, "id"), f"'{table.id}' is used twice; the first one is in line {line}")
        seen.setdefault(table.id, path)
        if table.off:
            _off(path, table, standard, draft)
        else:
            _rule(path, merged(table, standard), draft, catalogue)


def _off(path: Path, table: AlarmTable, standard: Mapping[str, AlarmTable], draft: Draft) -> None:
    if table.id not in standard:
        draft.faults.add((*path, "id"), f"there is no shipped rule '{table.id}'; {_hint(table.id, standard)}")
    elif more := sorted(table.model_fields_set - {"id", "off"}):
        draft.faults.add((*path, more[0]), "says nothing beside off = true; take it out")


def _rule(path: Path, table: AlarmTable, draft: Draft, catalogue: ProfileCatalogue) -> None:
    missing = [name for name in _ASKED if getattr(table, name) is None]
    for name in missing:
        draft.faults.add((*path, name), f"is missing; it says: {_ASKED[name]}")
    if table.on is None or table.what is None:
        return
    on, what = Watched(table.on), Figure(table.what)
    codes = CODES.get((on, what))
    if codes is None:
        known = sorted(figure.value for kind, figure in CODES if kind is on)
        draft.faults.add((*path, "what"), f"a {on.value} has no figure '{what.value}'; it has: {', '.join(known)}")
        return
    if table.below is not None and codes.below is None:
        draft.faults.add((*path, "below"), f"'{what.value}' cannot be too low; write above")
    _bounds(path, table, draft)
    _narrowing(path, table, on, draft, catalogue)


def _bounds(path: Path, table: AlarmTable, draft: Draft) -> None:
    if table.above is None and table.below is None:
        draft.faults.add((*path, "above"), "is missing; write above, below or both")
    elif table.above is not None and table.below is not None and table.below >= table.above:
        draft.faults.add((*path, "below"), f"is {table.below:g}, not less than above ({table.above:g})")
    else:
        for _, site in draft.of("site", SiteTable):
            if not holds_nominal(table, site.phase_voltage_v):
                text = f"the site's own {site.phase_voltage_v:g} V (site.phase_voltage_v) would always be an alarm"
                draft.faults.add((*path, "above"), text)


def _narrowing(path: Path, table: AlarmTable, on: Watched, draft: Draft, catalogue: ProfileCatalogue) -> None:
    kinds = _DEVICES[on]
    if table.device is not None:
        known = frozenset().union(*(draft.names.get(kind, frozenset()) for kind in kinds))
        if not kinds:
            draft.faults.add((*path, "device"), f"means nothing on a rule about the {on.value}; take it out")
        elif table.device not in known:
            what = " or ".join(kinds)
            draft.faults.add((*path, "device"), f"there is no {what} '{table.device}'; {_hint(table.device, known)}")
    if table.supply is not None and on is not Watched.CHARGER:
        draft.faults.add((*path, "supply"), "means something of chargers only; take it out")
    if table.profile is not None:
        _profile(path, table.profile, on, draft, catalogue)


def _profile(path: Path, profile: str, on: Watched, draft: Draft, catalogue: ProfileCatalogue) -> None:
    if on not in (Watched.CHARGER, Watched.METER):
        draft.faults.add((*path, "profile"), "means something of chargers and meters only; take it out")
        return
    known = catalogue.names(on.value)
    if profile not in known:
        used = {charger.profile for _, charger in draft.of("charger", ChargerTable)}
        hint = _hint(profile, known if len(known) < 8 else used & set(known) or known)
        draft.faults.add((*path, "profile"), f"there is no {on.value} profile '{profile}'; {hint}")


def _hint(word: str, known: Collection[str]) -> str:
    near = nearest(word, known)
    if near:
        return f"nearest is '{near}'"
    names = sorted(known)
    return f"there are: {', '.join(names[:8]) or 'none'}" + (", ..." if len(names) > 8 else "")
