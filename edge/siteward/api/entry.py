"""The call about who comes in: the list of cards."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import message
from siteward.api.backend import Station
from siteward.client.records import AuthListMessage, ListStageMessage, TokenMessage


class EntryCalls:
    """Endpoints over the station's memory."""

    def __init__(self, station: Station) -> None:
        self._station = station

    async def auth_list(self, _: Request) -> Response:
        """GET /v1/auth."""
        found = self._station.auth_list()
        return message(
            AuthListMessage(
                version=found.head.version,
                installed_at=found.head.installed_at,
                online=self._station.online,
                tokens=tuple(TokenMessage.model_validate(token) for _, token in sorted(found.tokens.items())),
                staged=None if found.staged is None else ListStageMessage.model_validate(found.staged.stage),
            )
        )
