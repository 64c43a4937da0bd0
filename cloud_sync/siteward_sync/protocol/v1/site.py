"""`up/site`: the inventory of a station."""

from siteward_sync.protocol.v1.base import Amps, Id, PerPhaseAmps, Wire


class SiteConnector(Wire):
    """One outlet: its code, kind of current, plug, and ratings (rated_v line to neutral, rated_w all phases)."""

    id: Id
    code: str | None = None
    current_type: str
    type: str
    feeder: str | None = None
    phases: int | None = None
    rated_v: int | None = None
    rated_a: Amps | None = None
    rated_w: int | None = None


class SiteCharger(Wire):
    """A charging device with its connectors."""

    id: Id
    profile: str | None = None
    connectors: tuple[SiteConnector, ...]


class SiteMeter(Wire):
    """A meter; serial is absent until it was read from the device."""

    id: Id
    profile: str | None = None
    serial: str | None = None


class SiteFeeder(Wire):
    """A fuse and where it hangs."""

    id: Id
    name: str | None = None
    parent: str | None = None
    rating_a: PerPhaseAmps


class SiteBarrier(Wire):
    """A boom barrier, as OPEN_BARRIER and CLOSE_BARRIER name it."""

    id: Id
    name: str | None = None


class SiteLock(Wire):
    """A parking lock, as RAISE_LOCK and LOWER_LOCK name it; connector_id is the outlet whose bay it keeps."""

    id: Id
    name: str | None = None
    connector_id: Id | None = None


class SiteInventory(Wire):
    """Everything that a platform must create on its side to know this station."""

    name: str
    timezone: str | None = None
    software: str
    site_hash: str
    chargers: tuple[SiteCharger, ...]
    meters: tuple[SiteMeter, ...]
    feeders: tuple[SiteFeeder, ...]
    barriers: tuple[SiteBarrier, ...] = ()
    locks: tuple[SiteLock, ...] = ()
