"""What one output of alarms is: where it sends, from which severity on, in which language."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from siteward.model.alarms import Severity


class OutputKind(StrEnum):
    """How an output sends."""

    EMAIL = "email"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """One output. url: smtp://, smtps:// or https://; secret_file holds the password or the key of the signature.

    severity: from which on it sends; ends: whether it tells the end as well; group_s: how long it gathers what comes
    together; language "en", "zh" or "both". sender, recipients and user are of an e-mail. insecure: no TLS needed.
    ca_file: the only authority trusted; with it TLS is asked for on this machine, too.
    """

    id: str
    kind: OutputKind
    url: str
    severity: Severity = Severity.MEDIUM
    ends: bool = True
    group_s: float = 30.0
    language: str = "both"
    sender: str = ""
    recipients: tuple[str, ...] = ()
    user: str | None = None
    secret_file: Path | None = None
    insecure: bool = False
    ca_file: Path | None = None
