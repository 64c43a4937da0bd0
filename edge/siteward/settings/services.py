"""The tables of site.toml that are about siteward itself: [cloud], [panel], [share], [storage]."""

import ipaddress
from typing import Annotated, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, Field

from siteward.settings.keys import MISSING, Table, key

HostName = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,253}$")]


def split_address(text: str) -> SplitResult | None:
    """Split `scheme://host:port`; None when host or port make no sense or more than that is given."""
    try:
        parts = urlsplit(text)
        usable = bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return None
    return parts if usable and not (parts.path.strip("/") or parts.query or parts.fragment) else None


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _broker_url(text: str) -> str:
    parts = split_address(text)
    if parts is None or parts.scheme not in ("mqtt", "mqtts"):
        raise ValueError("write mqtts://host:8883 (TLS) or mqtt://127.0.0.1:1883 (plain, this machine only)")
    return text


def _listen(text: str) -> str:
    parts = split_address(f"https://{text}")
    if parts is None or parts.port is None:
        raise ValueError("write address:port, such as 127.0.0.1:8443 or 0.0.0.0:8443")
    return text


class CloudTable(Table):
    """[cloud]: the platform's MQTT broker."""

    url: Annotated[str, AfterValidator(_broker_url)] = key(
        MISSING,
        "Broker: `mqtts://host:port` or, on this machine only, `mqtt://host:port`.",
        reason="Port 8883 with TLS and 1883 without, unless another is written.",
        max_length=200,
    )
    insecure: bool = key(
        False,
        "Allow a broker without TLS that is not on this machine.",
        reason="Orders and commands would travel readable and forgeable; only for a closed network.",
    )
    ca_file: str | None = key(
        None,
        "Certificate authority that signed the broker's certificate; asked for mqtts.",
        reason="The station trusts its platform's authority and no other.",
        min_length=1,
    )
    certificate_file: str | None = key(
        None,
        "Client certificate of this station; asked for mqtts.",
        reason="The platform knows the station by it.",
        min_length=1,
    )
    key_file: str | None = key(
        None,
        "File with the key of that certificate, readable by sync only; asked for mqtts.",
        reason="systemd hands it over as a credential; it is never part of this file.",
        min_length=1,
    )
    command_keys: str | None = key(
        None,
        "JWK Set of the public keys whose commands are taken; `siteward keys` writes it.",
        reason="Whoever can reach the broker could otherwise command the station.",
        min_length=1,
    )
    require_signed: bool | None = key(
        None,
        "Refuse commands that are not signed; yes where command_keys is given, unless this says otherwise.",
        reason="No is for the days in which a platform learns to sign; a signature that is there is checked anyway.",
    )
    heartbeat_s: float = key(
        10.0,
        "Time between two heartbeats.",
        unit="s",
        reason="The platform takes three missed beats for offline.",
        ge=5,
        le=15,
    )
    backfill_share: float = key(
        1.0,
        "Share of the link that events of an offline time may use.",
        reason="On a metered link take 0.2.",
        ge=0.01,
        le=1,
    )


class ShareTable(Table):
    """[share]: readings for a third party over Modbus TCP."""

    listen: Annotated[str, AfterValidator(_listen)] = key(
        "127.0.0.1:1502",
        "Address and port to listen on.",
        reason="Modbus TCP has no passwords: open it to the network of the third party only.",
        max_length=80,
    )
    clients: tuple[HostName, ...] = key(
        ("127.0.0.1",),
        "Addresses of the machines that may connect.",
        reason="Anybody else is hung up on.",
        min_length=1,
        max_length=16,
        strict=False,
    )
    writable: tuple[str, ...] = key(
        (),
        "Connectors whose register of the wished limit may be written.",
        reason="A third party may only lower what it was trusted with; no other register can be written.",
        max_length=200,
        strict=False,
    )
    limit_hold_s: float = key(
        60.0,
        "How long a written limit holds unless it is written again.",
        unit="s",
        reason="A third party that died must not hold a connector for ever.",
        ge=10,
        le=3600,
    )


class PanelTable(Table):
    """[panel]: the pages for people, over HTTPS."""

    listen: Annotated[str, AfterValidator(_listen)] = key(
        "127.0.0.1:8443",
        "Address and port to listen on.",
        reason="The panel stays on this machine until the installer opens it to the local network.",
        max_length=80,
    )
    certificate_file: str | None = key(
        None,
        "Certificate for HTTPS; a self-signed one is made when it is not given.",
        reason="A site with its own authority can avoid the browser's warning.",
        min_length=1,
    )
    key_file: str | None = key(
        None,
        "Private key of that certificate, readable by panel only.",
        reason="systemd hands it over as a credential; it is never part of this file.",
        min_length=1,
    )
    names: tuple[HostName, ...] = key(
        (),
        "Further host names under which browsers reach the panel.",
        reason="Any other name is refused, so that a foreign page cannot steer a technician's browser here.",
        max_length=16,
        strict=False,
    )
    language: Literal["en", "zh"] = key(
        "en",
        "Language of the pages for browsers that ask for neither English nor Chinese.",
        reason="English is read at most sites; each person can switch on every page.",
    )


class StorageTable(Table):
    """[storage]: what is kept, and for how long."""

    trace_hours: int = key(
        24,
        "How long the trace of what control saw each second is kept.",
        unit="h",
        reason="Long enough to look at yesterday's trip, small enough for an SD card.",
        ge=1,
        le=168,
    )
