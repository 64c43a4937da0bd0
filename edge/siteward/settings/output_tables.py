"""The table of site.toml for outputs of alarms: e-mail and webhook; panel and MQTT always tell of alarms."""

from typing import Annotated, Literal

from pydantic import AfterValidator

from siteward.settings.keys import MISSING, Id, Table, key
from siteward.settings.services import split_address


def _mail_box(text: str) -> str:
    name, mark, host = text.rpartition("@")
    if not (name and mark and host) or any(c.isspace() or c in ",;<>" for c in text):
        raise ValueError("write one address, such as ops@example.org")
    return text


def _url(text: str) -> str:
    scheme, mark, rest = text.partition("://")
    host = rest.split("/", 1)[0]
    if not mark or split_address(f"{scheme}://{host}") is None:
        raise ValueError("write smtp://host:587, smtps://host:465 or https://host/path")
    return text


class OutputTable(Table):
    """[[output]]: a way by which alarms reach people beside the panel and the platform; sync sends them."""

    id: Id = key(MISSING, "Id of the output.", reason="Its alarm and its test name it.")
    kind: Literal["email", "webhook"] = key(
        MISSING, "How it sends.", reason="An e-mail is for people, a webhook for programs, chats and paging services."
    )
    url: Annotated[str, AfterValidator(_url)] = key(
        MISSING,
        "Server: `smtp://host:587` (with STARTTLS), `smtps://host:465`, or the `https://` address of a webhook.",
        reason="Without TLS only this machine is spoken to, unless `insecure` says otherwise.",
        max_length=300,
    )
    severity: Literal["highest", "high", "medium", "low"] = key(
        "medium",
        "From which severity on it sends.",
        reason="Who is called at night for everything soon hears nothing.",
    )
    ends: bool = key(True, "Whether it tells the end of an alarm as well.", reason="Then nobody drives out in vain.")
    group_s: float = key(
        30.0,
        "How long it gathers what comes together before it sends; the highest severity waits for nothing.",
        unit="s",
        reason="One message tells a whole event.",
        ge=0,
        le=600,
    )
    language: Literal["en", "zh", "both"] = key(
        "both", "Language of the messages.", reason="Both unless all who read it share one."
    )
    sender: Annotated[str, AfterValidator(_mail_box)] | None = key(
        None, "Address that an e-mail comes from; asked for e-mail.", reason="Servers refuse strangers."
    )
    to: tuple[Annotated[str, AfterValidator(_mail_box)], ...] = key(
        (),
        "Addresses that an e-mail goes to; asked for e-mail.",
        reason="A shared mailbox outlives its people.",
        max_length=32,
        strict=False,
    )
    user: str | None = key(
        None,
        "Name to log in to the mail server with.",
        reason="Most servers ask for one.",
        min_length=1,
        max_length=200,
    )
    secret_file: str | None = key(
        None,
        "File with the password of the mail server, or with the key that signs a webhook (HMAC-SHA256).",
        reason="systemd hands it over as a credential; it is never part of this file.",
        min_length=1,
    )
    ca_file: str | None = key(
        None,
        "Certificate authority that signed the server's certificate, and the only one trusted then; the computer's own "
        "authorities when it is not given. A server on this machine is spoken to with TLS, too.",
        reason="A company's own mail server has a certificate that no public authority signed.",
        min_length=1,
    )
    insecure: bool = key(
        False,
        "Allow a server without TLS that is not on this machine.",
        reason="Passwords and alarms would travel readable; only for a closed network.",
    )
