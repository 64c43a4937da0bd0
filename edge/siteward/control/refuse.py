"""The one way in which a verb says no while a request is judged."""

from siteward.model.errors import SitewardError
from siteward.model.refusals import Refusal


class Refused(SitewardError):
    """The request is rejected with a code; never leaves `commands.take`."""

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
