"""The two ways out: SMTP with TLS in a thread, HTTPS with a signature; each either delivers or says why not."""

import asyncio
import smtplib
import ssl
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from siteward.client.client import Outside
from siteward.client.errors import Unreachable
from siteward_sync.errors import NotDelivered
from siteward_sync.link_options import is_loopback
from siteward_sync.outputs.box import Notice
from siteward_sync.outputs.digest import Station, body, delivery_id, payload, signature, subject_line
from siteward_sync.outputs.faults import told
from siteward_sync.outputs.options import OutputKind, OutputOptions

TIMEOUT_S = 20.0
_PORTS = {"smtp": 587, "smtps": 465, "https": 443, "http": 80}


async def deliver(
    options: OutputOptions, station: Station, batch: tuple[Notice, ...], left_out: int, wall: datetime, mark: str = ""
) -> str:
    """Send one message; an empty batch is a test. Returns who did not get it, if only some. Raises NotDelivered."""
    name = delivery_id(station, options.id, batch, mark)
    if options.kind is OutputKind.EMAIL:
        mail = _mail(options, station, batch, left_out, wall, name)
        return await asyncio.to_thread(_send, options, mail)
    await _post(options, payload(station, batch, left_out, _stamp(wall)), wall, name)
    return ""


def _mail(
    options: OutputOptions, station: Station, batch: tuple[Notice, ...], left_out: int, wall: datetime, name: str
) -> EmailMessage:
    mail = EmailMessage()
    # A line break in a name would be a header of its own.
    mail["Subject"] = " ".join(subject_line(station, batch, options.language).split())
    mail["From"], mail["To"] = options.sender, ", ".join(options.recipients)
    mail["Date"] = format_datetime(wall)
    mail["Message-ID"] = f"<{name}@{station.id.lower()}.siteward>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body(station, batch, left_out, options.language))
    return mail


def _send(options: OutputOptions, mail: EmailMessage) -> str:
    parts = urlsplit(options.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    secret, context = _secret(options), _trust(options)
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=context)
        else:
            server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
        try:
            if parts.scheme == "smtp" and (options.ca_file or not (options.insecure or is_loopback(host))):
                # Raises where the server offers no TLS: a password is never sent in the clear.
                server.starttls(context=context)
            if options.user is not None:
                server.login(options.user, secret.decode())
            refused = server.send_message(mail)
        finally:
            # What the server says to a farewell undoes no delivery.
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise NotDelivered(f"{host}:{port}: {told(error, options.user, secret)}") from error
    # Those who were accepted have it: another try would tell them twice, so only the journal tells of the others.
    return f"{host}:{port} refused {', '.join(sorted(refused))}" if refused else ""


async def _post(options: OutputOptions, content: bytes, wall: datetime, name: str) -> None:
    stamp = _stamp(wall)
    headers = {
        "Content-Type": "application/json",
        "X-Siteward-Delivery": name,
        "X-Siteward-Timestamp": stamp,
    }
    secret, parts = _secret(options), urlsplit(options.url)
    if options.secret_file is not None:
        headers["X-Siteward-Signature"] = signature(secret, stamp, content)
    # A hundred authorities are read: not between the messages of the uplink.
    trust = await asyncio.to_thread(_trust, options)
    try:
        async with Outside(TIMEOUT_S, trust) as outside:
            status = await outside.post(options.url, content, headers)
    except Unreachable as error:
        # The path of a webhook is often its password: it is not named.
        port = parts.port or _PORTS[parts.scheme]
        raise NotDelivered(f"{parts.hostname}:{port}: {told(error, secret=secret)}") from error
    if not 200 <= status < 300:
        raise NotDelivered(f"{parts.hostname} answered {status}")


def _secret(options: OutputOptions) -> bytes:
    """Read at each sending, so that a new password needs no restart."""
    if options.secret_file is None:
        return b""
    try:
        return options.secret_file.read_bytes().strip()
    except OSError as error:
        raise NotDelivered(f"{options.secret_file}: {error.strerror}") from error


def _trust(options: OutputOptions) -> ssl.SSLContext:
    """Whose certificates count: those of the authority that is named, else of the computer's own."""
    try:
        return ssl.create_default_context(cafile=options.ca_file)
    except OSError as error:
        reason = "holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise NotDelivered(f"{options.ca_file}: {reason}") from error


def _stamp(wall: datetime) -> str:
    return wall.isoformat(timespec="milliseconds").replace("+00:00", "Z")
