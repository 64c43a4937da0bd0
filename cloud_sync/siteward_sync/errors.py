"""The errors of the uplink: retry, answer the peer, or fix the configuration."""

from siteward.model.errors import SitewardError
from siteward.model.refusals import Refusal


class SyncError(SitewardError):
    """Root of every error of siteward_sync."""


class LinkDown(SyncError):
    """Retry after the next connection: the broker cannot be reached, or the connection ended first."""


class PublishRefused(SyncError):
    """The broker answered with a reason code: it will not deliver this message; `reason` is MQTT 5's number."""

    def __init__(self, topic: str, reason: int, text: str) -> None:
        super().__init__(f"the broker refused a message on {topic}: {text} ({reason})")
        self.topic = topic
        self.reason = reason


class UnsafeLink(SyncError):
    """Fix cloud settings: plain TCP to a host that is not this machine, or TLS files that cannot be used."""


class NotDelivered(SyncError):
    """Retry later: a message of an output did not arrive; the text says where and why."""


class BadMessage(SyncError):
    """Answer the peer: a message that cannot be accepted, with its refusal code.

    `message_id` and `command_id` are what could be read of it, None where nothing could.
    """

    def __init__(
        self, code: Refusal, why: str, *, message_id: str | None = None, command_id: str | None = None
    ) -> None:
        super().__init__(why)
        self.code = code
        self.message_id = message_id
        self.command_id = command_id
