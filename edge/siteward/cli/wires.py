"""Whose a wire is: the site file's word for it, core's claim on it, and which chargers must not be spoken to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from siteward.cli.errors import CommandFailed
from siteward.cli.paths import LOCAL, Paths
from siteward.client.client import Client
from siteward.client.errors import ClientError, CoreDown
from siteward.client.messages import LineMessage, LiveMessage
from siteward.model.errors import ConfigError
from siteward.model.facts import ResetBy
from siteward.model.site import Charger, Line, Site
from siteward.settings.load import load_site
from siteward.store.lock import InstanceLock
from siteward.store.open import lock_path
from siteward_drivers.catalogue import Profiles
from siteward_drivers.feeding import reset_by
from siteward_drivers.registry import load_profiles
from siteward_drivers.scan_words import Expected

_USUAL = Path("/etc/siteward/site.toml")
_DEMO = Path("config/demo/site.toml")
_BY_READS = (ResetBy.ANY_REQUEST, ResetBy.ANY_TRAFFIC, ResetBy.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Plant:
    """What is known of the plant: its site file, if there is one, and the device profiles."""

    site: Site | None
    profiles: Profiles
    file: Path | None = None


def read_plant(file: Path | None, profiles: Path | None, here: Path) -> Plant:
    """Load the named site file, else the usual one, else the running demo's, else none.

    Raises ConfigError for a faulty one: which chargers are in service would not be known.
    """
    usual = _USUAL if _USUAL.exists() else here / _DEMO
    found = file or (usual if usual == _USUAL or ((here / LOCAL).is_dir() and usual.exists()) else None)
    own = profiles or (found.parent / "profiles" if found is not None else None)
    catalogue = load_profiles(own if own is not None and own.is_dir() else None)
    return Plant(load_site(found, catalogue) if found is not None else None, catalogue, found)


def find_line(site: Site | None, target: str) -> Line | None:
    """The line of that name or port, None when the site file has none."""
    lines = site.lines if site is not None else ()
    return next((line for line in lines if target == line.id or same_port(line.port, target)), None)


def same_port(one: str, other: str) -> bool:
    """Whether two names mean the same port: adapters have several, all links to one device."""
    if "://" in one or "://" in other:
        return one == other
    return one == other or Path(one).resolve() == Path(other).resolve()


@dataclass(frozen=True, slots=True)
class Care:
    """Chargers on a wire whose watchdog a read would feed while nobody controls them (R2, ruling 1)."""

    fed_by_own: tuple[Charger, ...] = ()
    fed_by_all: tuple[Charger, ...] = ()
    units: frozenset[int] = field(default_factory=frozenset)


def care(site: Site | None, line: Line | None) -> Care:
    """Which chargers of a wire a blind tool must leave alone."""
    if site is None or line is None:
        return Care()
    fed = [c for c in site.chargers if c.line == line.id and any(reset_by(k) in _BY_READS for k in c.connectors)]
    by_all = [c for c in fed if any(reset_by(k) is ResetBy.ANY_TRAFFIC for k in c.connectors)]
    return Care(tuple(fed), tuple(by_all), frozenset(charger.unit for charger in fed))


def expected(site: Site | None, line: Line | None) -> Expected | None:
    """What the site file says hangs on a wire, and on the others."""
    if site is None or line is None:
        return None
    devices: dict[str, dict[int, tuple[str, str]]] = {other.id: {} for other in site.lines}
    for meter in (meter for meter in site.meters if meter.address is None):
        devices[meter.line][meter.unit] = (meter.id, meter.profile)
    for charger in site.chargers:
        devices[charger.line][charger.unit] = (charger.id, charger.profile)
    return Expected(line.id, devices.pop(line.id), devices)


async def live_core(paths: Paths) -> LiveMessage | None:
    """Core's live view, None when no core runs. Raises CommandFailed when one runs but does not answer."""
    try:
        async with Client(paths.socket) as client:
            return await client.live()
    except CoreDown:
        return None
    except ClientError as error:
        raise CommandFailed(str(error), "core runs but refused its live view; see `siteward status`", "CORE") from error


@contextmanager
def instead_of_core(paths: Paths) -> Iterator[None]:
    """Hold core's place while a tool speaks on a wire: no core can start meanwhile, none that runs is overlooked.

    Raises CommandFailed when a core holds it. Where no core was ever set up there is no place to hold.
    """
    lock = lock_path(paths.database)
    if not lock.exists():
        yield
        return
    try:
        held = InstanceLock(lock)
    except ConfigError as error:
        raise CommandFailed(str(error), _STOP_FIRST, "LINE_IN_USE") from error
    with held:
        yield


def cores_line(live: LiveMessage | None, port: str) -> LineMessage | None:
    """The wire of a running core at that port or of that name, None when core has none or does not run."""
    lines = live.lines if live is not None else ()
    return next((line for line in lines if port == line.id or same_port(line.port, port)), None)


def refuse_cores_line(live: LiveMessage | None, port: str) -> None:
    """Raise CommandFailed when core owns the wire: two masters on one pair garble each other."""
    line = cores_line(live, port)
    if line is not None:
        raise CommandFailed(f"core owns wire {line.id} ({port})", _STOP_FIRST, "LINE_IN_USE")


_STOP_FIRST = (
    "stop it with `systemctl stop siteward-core`, wait until the chargers have fallen back to their fail-safe current, "
    "and try again; `siteward doctor` judges a wire while core runs"
)
