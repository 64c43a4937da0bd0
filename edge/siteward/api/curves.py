"""The call that reads the power of a session."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import Denied, message, number
from siteward.api.backend import Backend
from siteward.client.curve_messages import CurveMessage
from siteward.model.ids import SessionId
from siteward.model.refusals import Refusal

POINTS_MAX = 2000
"""Most points of one answer: more than a screen has pixels."""


class Curves:
    """Endpoint over the trace."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def curve(self, request: Request) -> Response:
        """GET /v1/sessions/{id}/curve?points=700: what was offered and what was drawn."""
        name = SessionId(request.path_params["id"])
        points = int(number(request, "points", 700, 10, POINTS_MAX))
        if await self._backend.session(name) is None:
            raise Denied(Refusal.NO_SUCH_SESSION)
        return message(CurveMessage.model_validate(await self._backend.curve(name, points)))
