"""What can go wrong when talking to core: it is not there (retry), or it said no."""

from siteward.model.errors import SitewardError


class ClientError(SitewardError):
    """Root of the client's errors."""


class CoreDown(ClientError):
    """Retry: core does not run, does not answer in time, or broke off in mid-answer."""


class CoreFailed(CoreDown):
    """Core is there and has a fault of its own with this one call: another call may go well."""


class Unreachable(ClientError):
    """A server outside this machine did not answer, or not in time."""


class Refused(ClientError):
    """Core answered no: a code of the closed list, its sentences in both languages, and the HTTP status."""

    def __init__(self, code: str, message: str, message_zh: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.message_zh = message_zh
        self.status = status
