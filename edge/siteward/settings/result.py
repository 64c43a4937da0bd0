"""What the rest of siteward gets from a site file: the Site and the settings of the three processes."""

from dataclasses import dataclass, field
from pathlib import Path

from siteward.model.alarms import Severity
from siteward.model.site import Site


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """The platform's broker. Files are None where the system's or none is used; heartbeat_s is 5 to 15.

    command_keys holds the keys whose commands are taken; require_signed: no other command is.
    """

    host: str
    port: int
    tls: bool
    insecure: bool = False
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    heartbeat_s: float = 10.0
    backfill_share: float = 1.0
    command_keys: Path | None = None
    require_signed: bool = False


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """Where the panel listens, under which further names, and with which certificate (None: a self-signed one)."""

    host: str = "127.0.0.1"
    port: int = 8443
    certificate_file: Path | None = None
    key_file: Path | None = None
    names: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class ShareSettings:
    """Where readings are re-exported, to whom, and the connectors whose limit a third party may write."""

    host: str = "127.0.0.1"
    port: int = 1502
    clients: tuple[str, ...] = ("127.0.0.1",)
    writable: tuple[str, ...] = ()
    limit_hold_s: float = 60.0


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """A way by which alarms reach people; sender, recipients and user are of an e-mail (`siteward_sync.outputs`)."""

    id: str
    kind: str
    url: str
    severity: Severity
    ends: bool
    group_s: float
    language: str
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str | None = None
    secret_file: Path | None = None
    insecure: bool = False
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """What is kept, and for how long."""

    trace_hours: int = 24


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole site file; `cloud` is None for a station that works alone, `share` for one that shares nothing."""

    site: Site
    cloud: CloudSettings | None = None
    panel: PanelSettings = field(default_factory=PanelSettings)
    storage: StorageSettings = field(default_factory=StorageSettings)
    share: ShareSettings | None = None
    outputs: tuple[OutputSettings, ...] = ()
