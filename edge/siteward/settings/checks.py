"""What no single table shows: double ids, names that lead nowhere, and a fuse tree that is no tree (fault 66)."""

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from siteward.settings.access_tables import RelayTable
from siteward.settings.document import Draft
from siteward.settings.faults import Faults, nearest
from siteward.settings.limit_checks import check_limits
from siteward.settings.positions import Path
from siteward.settings.schema import ChargerTable, FeederTable, MeterTable, SiteTable
from siteward.settings.services import CloudTable, PanelTable, ShareTable, is_loopback

_PHASES = ("L1", "L2", "L3")


def check_plan(draft: Draft) -> None:
    """Add every fault of the tables among each other, devices left out."""
    _unique(draft)
    _subjects(draft)
    _references(draft)
    _timezone(draft)
    _cloud(draft)
    _panel(draft)
    _share(draft)
    _roots(draft)
    _cycles(draft)
    for path, feeder in draft.of("feeder", FeederTable):
        _base_load(path, feeder, draft.faults)
        _bounds(path, feeder, draft.faults)
    _ratings(draft)
    check_limits(draft)


_WITH_ID = (
    *("line", "meter", "feeder", "charger", "limit", "relay", "barrier", "lock"),
    *("access", "reader", "emergency", "bay"),
)
_NAMED = ("connector", "feeder", "meter", "relay", "barrier", "lock", "emergency", "bay", "reader")
"""Things that commands and alarms name."""


def _unique(draft: Draft) -> None:
    seen: dict[tuple[str, str], Path] = {}
    for section, placed in _all_with_id(draft):
        path, name = placed
        first = seen.setdefault((section, name), path)
        if first != path:
            line = draft.faults.lines.get((*first, "id"), 1)
            draft.faults.add((*path, "id"), f"'{name}' is used twice; the first one is in line {line}")


def _subjects(draft: Draft) -> None:
    """Commands and alarms name connectors, feeders and meters alike, so one id must mean one thing."""
    seen: dict[str, str] = {}
    for section, (path, name) in _all_with_id(draft):
        if section not in _NAMED:
            continue
        first = seen.setdefault(name, section)
        if first != section:
            draft.faults.add((*path, "id"), f"'{name}' is also a {first}; commands and alarms could mean either")
        if name == "station":
            draft.faults.add((*path, "id"), "'station' means the whole station in commands; choose another id")


def _all_with_id(draft: Draft) -> Iterable[tuple[str, tuple[Path, str]]]:
    for section in _WITH_ID:
        for placed in draft.tables.get(section, ()):
            yield section, (placed.path, placed.table.id)
    for path, charger in draft.of("charger", ChargerTable):
        for index, connector in enumerate(charger.connector):
            yield "connector", ((*path, "connector", index), connector.id)


def _references(draft: Draft) -> None:
    def refer(path: Path, kind: str, name: str | None) -> None:
        known = draft.names.get(kind, frozenset())
        if name is not None and name not in known:
            draft.faults.add(path, _no_such(kind, name, known))

    for path, meter in draft.of("meter", MeterTable):
        refer((*path, "line"), "line", meter.line)
    for path, relay in draft.of("relay", RelayTable):
        refer((*path, "line"), "line", relay.line)
    for path, feeder in draft.of("feeder", FeederTable):
        refer((*path, "parent"), "feeder", feeder.parent)
        refer((*path, "meter"), "meter", feeder.meter)
    for path, charger in draft.of("charger", ChargerTable):
        refer((*path, "line"), "line", charger.line)
        refer((*path, "feeder"), "feeder", charger.feeder)
        for index, connector in enumerate(charger.connector):
            refer((*path, "connector", index, "meter"), "meter", connector.meter)
    _meters_once(draft)


def _no_such(kind: str, name: str, known: frozenset[str]) -> str:
    near = nearest(name, known)
    hint = f"nearest is '{near}'" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    return f"there is no {kind} '{name}'; {hint}"


def _meters_once(draft: Draft) -> None:
    """One meter measures one fuse and bills one outlet; a second user of it is a slip of the pen."""
    uses: list[tuple[str, Path, str | None]] = []
    for path, feeder in draft.of("feeder", FeederTable):
        uses.append(("feeder", (*path, "meter"), feeder.meter))
    for path, charger in draft.of("charger", ChargerTable):
        for index, connector in enumerate(charger.connector):
            uses.append(("connector", (*path, "connector", index, "meter"), connector.meter))
    seen: set[tuple[str, str]] = set()
    for kind, path, meter in uses:
        if meter is None:
            continue
        if (kind, meter) in seen:
            draft.faults.add(path, f"meter '{meter}' already measures another {kind}")
        seen.add((kind, meter))


def _timezone(draft: Draft) -> None:
    for path, site in draft.of("site", SiteTable):
        try:
            ZoneInfo(site.timezone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            known = available_timezones()
            near = nearest(site.timezone, known)
            hint = f"; nearest is '{near}'" if near else "; write it like Europe/Berlin"
            if known:
                draft.faults.add((*path, "timezone"), f"there is no time zone '{site.timezone}'{hint}")
            else:
                draft.faults.add((*path, "timezone"), "this machine has no time zones; install the package tzdata")


def _cloud(draft: Draft) -> None:
    for path, cloud in draft.of("cloud", CloudTable):
        plain = cloud.url.startswith("mqtt:")
        host = cloud.url.removeprefix("mqtt://").rpartition(":")[0] or cloud.url.removeprefix("mqtt://")
        if plain and not cloud.insecure and not is_loopback(host.strip("[]")):
            draft.faults.add(
                (*path, "url"),
                "plain MQTT may leave this machine only with insecure = true; write mqtts:// for TLS",
            )
        for key in ("ca_file", "certificate_file", "key_file"):
            if not plain and getattr(cloud, key) is None:
                draft.faults.add((*path, key), "is missing; mqtts needs ca_file, certificate_file and key_file")
        if cloud.require_signed and cloud.command_keys is None:
            draft.faults.add(
                (*path, "require_signed"), "no key is known; command_keys names the file of `siteward keys`"
            )


def _panel(draft: Draft) -> None:
    for path, panel in draft.of("panel", PanelTable):
        if (panel.certificate_file is None) != (panel.key_file is None):
            draft.faults.add(path, "certificate_file and key_file belong together; give both or none")


def _share(draft: Draft) -> None:
    known = frozenset(c.id for _, charger in draft.of("charger", ChargerTable) for c in charger.connector)
    for path, share in draft.of("share", ShareTable):
        for name in share.writable:
            if name not in known:
                draft.faults.add((*path, "writable"), _no_such("connector", name, known))


def _roots(draft: Draft) -> None:
    roots = [(path, f) for path, f in draft.of("feeder", FeederTable) if f.parent is None]
    whole = len(draft.tables.get("feeder", ())) == len(draft.names.get("feeder", ()))
    if not roots and whole and draft.names.get("feeder"):
        draft.faults.add(("feeder",), "no feeder is the grid connection; leave out `parent` at the topmost one")
    for path, feeder in roots[1:]:
        draft.faults.add(
            path, f"'{feeder.id}' has no parent, and neither has '{roots[0][1].id}'; only the grid connection has none"
        )


def _cycles(draft: Draft) -> None:
    parents = {f.id: f.parent for _, f in draft.of("feeder", FeederTable)}
    for path, feeder in draft.of("feeder", FeederTable):
        way = [feeder.id]
        at = feeder.parent
        while at is not None and at not in way:
            way.append(at)
            at = parents.get(at)
        if at == feeder.id:
            draft.faults.add((*path, "parent"), f"goes in a circle: {' > '.join([*way, feeder.id])}")


def _base_load(path: Path, feeder: FeederTable, faults: Faults) -> None:
    worst = feeder.worst_base_load_a
    if worst is None and not feeder.chargers_only:
        faults.add(
            (*path, "worst_base_load_a"),
            "is missing; give the most that all load which is no charger can draw, or say chargers_only = true",
        )
    if worst is not None and feeder.chargers_only and any(worst):
        faults.add((*path, "chargers_only"), "contradicts worst_base_load_a; keep one of the two")
    for index, phase in enumerate(_PHASES):
        if worst is not None and worst[index] > feeder.rating_a[index]:
            faults.add(
                (*path, "worst_base_load_a"),
                f"{worst[index]:g} A on {phase} is above the fuse of {feeder.rating_a[index]:g} A; "
                "no controller can protect it",
            )


def _bounds(path: Path, feeder: FeederTable, faults: Faults) -> None:
    """Neutral and imbalance: what is known of the other load must be enough to hold them (B13)."""
    if feeder.neutral_a is None and feeder.neutral_base_a is not None:
        faults.add((*path, "neutral_base_a"), "says nothing without neutral_a")
    base = feeder.neutral_base_a
    if base is None:
        base = max(feeder.worst_base_load_a or [0.0])
    if feeder.neutral_a is not None and base > feeder.neutral_a:
        faults.add(
            (*path, "neutral_a"),
            f"is {feeder.neutral_a:g} A, but other load may put {base:g} A on it; give neutral_base_a where it is less",
        )
    if feeder.imbalance_a is not None and feeder.meter is None and not feeder.chargers_only:
        faults.add((*path, "imbalance_a"), "needs the feeder's meter, or chargers_only = true: nobody sees its phases")


def _ratings(draft: Draft) -> None:
    """A fuse above its parent's protects nothing that the parent does not, and hides which one will blow."""
    parents = {f.id: f for _, f in draft.of("feeder", FeederTable)}
    for path, feeder in draft.of("feeder", FeederTable):
        parent = parents.get(feeder.parent or "")
        if parent is not None:
            _not_above(
                (*path, "rating_a"),
                feeder.rating_a,
                parent,
                draft.faults,
                lambda a: f"write {a:g}, because the smaller fuse decides",
            )


def _not_above(
    path: Path, amps: list[float], upper: FeederTable, faults: Faults, advice: Callable[[float], str]
) -> None:
    for index, phase in enumerate(_PHASES):
        if amps[index] > upper.rating_a[index]:
            faults.add(
                path,
                f"{amps[index]:g} A on {phase} is above the {upper.rating_a[index]:g} A of '{upper.id}'; "
                f"{advice(upper.rating_a[index])}",
            )
