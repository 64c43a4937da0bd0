"""Where to connect and how: the options of a link, its safety rule, its TLS context and its pauses."""

import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from siteward_sync.errors import UnsafeLink

WEEK_S = 7 * 86400


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the broker's authority, our certificate chain and its key."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """A broker and a session on it. Without `tls` only this machine is spoken to, unless `insecure`.

    session_expiry_s: how long the broker keeps our queue; receive_maximum: un-acked messages that we take at once;
    retry_first_s, retry_max_s: pauses between connections grow from one to the other and are random below it;
    stable_s: a connection that stood so long starts the pauses anew; want_retained: ask again for stored messages at
    every connection.
    """

    client_id: str
    host: str
    port: int
    subscriptions: tuple[str, ...] = ()
    will: Will | None = None
    will_delay_s: int = 5
    tls: TlsFiles | None = None
    insecure: bool = False
    keepalive_s: int = 20
    connect_s: float = 5.0
    session_expiry_s: int = WEEK_S
    receive_maximum: int = 100
    retry_first_s: float = 2.0
    retry_max_s: float = 60.0
    stable_s: float = 30.0
    want_retained: bool = False

    def pause_s(self, failures: int, dice: float) -> float:
        """Pause before the next connection; dice is 0..1 and spreads a fleet whose broker came back (fault 40)."""
        return min(self.retry_max_s, self.retry_first_s * 2.0 ** min(failures, 16)) * dice


class _Socket(ssl.SSLSocket):
    """Closes itself when the handshake fails; the MQTT library would leave it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only be this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def tls_context(options: LinkOptions) -> ssl.SSLContext | None:
    """Return the context, None for plain TCP. Raises UnsafeLink: there is no fall-back from TLS to plain."""
    if options.tls is None:
        if is_loopback(options.host) or options.insecure:
            return None
        raise UnsafeLink(
            f"cloud: {options.host} is not this machine and no TLS files are set; run `siteward enroll`, "
            "or set cloud.insecure = true to send everything readable by anybody on the way"
        )
    files = options.tls
    try:
        context = ssl.create_default_context(cafile=str(files.ca))
        context.sslsocket_class = _Socket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(str(files.cert), str(files.key))
    except (OSError, ssl.SSLError) as error:
        raise UnsafeLink(f"cloud: the TLS files cannot be used: {error}") from error
    return context
