"""Which link a line of site.toml needs."""

from urllib.parse import urlsplit

from siteward.model.errors import ConfigError
from siteward.model.site import Line, LinkKind, SerialSettings
from siteward_drivers.link import Link
from siteward_drivers.link_tcp import TcpLink
from siteward_drivers.profile_schema import Transport
from siteward_drivers.tcp_pool import TcpPool

_SCHEMES = {"tcp": Transport.TCP, "rtu+tcp": Transport.RTU}


def framing(line: Line) -> Transport:
    """Framing of a line: RTU on serial ports and gateways, TCP on sockets. Raises ConfigError for a strange port."""
    if line.is_serial:
        return Transport.RTU
    scheme = line.port.partition("://")[0]
    if scheme not in _SCHEMES:
        raise ConfigError(f"line {line.id}: port: {line.port!r} begins with neither /, tcp:// nor rtu+tcp://")
    return _SCHEMES[scheme]


def speed(line: Line, own: SerialSettings | None = None) -> SerialSettings | None:
    """How characters travel on a line, None where they cost nothing (Modbus TCP). `own`: a device's own settings."""
    return None if framing(line) is Transport.TCP else own or line.settings


def open_link(line: Line, pool: TcpPool | None = None) -> Link:
    """Make the (still closed) link of a line. Raises ConfigError for a port that cannot be one.

    Connections that share a `pool` share their wake-ups.
    """
    transport = framing(line)
    if line.is_serial:
        return _port_link(line)
    try:
        parts = urlsplit(line.port)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"line {line.id}: port: {line.port!r}: {error}") from error
    if not host:
        raise ConfigError(f"line {line.id}: port: {line.port!r} names no host")
    if transport is Transport.RTU and port is None:
        raise ConfigError(f"line {line.id}: port: {line.port!r} names no TCP port of the gateway")
    return TcpLink(host, port or 502, pool)


def _port_link(line: Line) -> Link:
    port = (line.port, line.baud, line.parity, line.stop_bits, line.simulated, line.rs485)
    # Each brings a library or a clockwork of its own, and a site has one kind, or none (goal 14).
    if line.link is LinkKind.THREAD:
        from siteward_drivers.link_thread import ThreadLink

        return ThreadLink(*port, line.real_time)
    if line.link is LinkKind.SERIAL:
        from siteward_drivers.link_serial import SerialLink

        return SerialLink(*port)
    try:
        # An extra: most stations do without it.
        from siteward_drivers.link_serialx import SerialxLink
    except ModuleNotFoundError as error:
        why = "link: serialx is not installed; install siteward[serialx], or take another link"
        raise ConfigError(f"line {line.id}: {why}") from error
    return SerialxLink(*port)
