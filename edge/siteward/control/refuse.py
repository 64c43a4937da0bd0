"""The one way in which a verb says no while a request is judged, and the noes that several of them share."""

from siteward.control.draft import Draft
from siteward.model.errors import SitewardError
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Source


class Refused(SitewardError):
    """The request is rejected with a code; never leaves `commands.take`."""

    def __init__(self, code: Refusal, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def must_be_in_time(request: Request, trusted: bool) -> None:
    """Raise Refused for a dated word of the platform while no `trusted` clock tells whether it is too late (B21)."""
    if request.source is Source.CLOUD and request.deadline is not None and not trusted:
        raise Refused(Refusal.CLOCK_UNTRUSTED)


def must_be_uncharged(draft: Draft, request: Request) -> None:
    """Raise Refused for an order that was charged (0064): not settled in the journal yet, or settled in this turn.

    The door has looked at all that is older; what came to no energy may be tried again.
    """
    if request.order is None:
        return
    for record in (*draft.finished.values(), *draft.rows.values()):
        if record.order == request.order and record.state.used:
            raise Refused(Refusal.ORDER_USED, f"session {record.id}")
