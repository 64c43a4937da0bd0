"""The call by which sync says how it is connected."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import body, parse
from siteward.api.backend import Station
from siteward.client.messages import UplinkMessage


class Uplink:
    """Endpoint of sync's own state; nothing of it is kept on the disk."""

    def __init__(self, station: Station) -> None:
        self._station = station

    async def report(self, request: Request) -> Response:
        """POST /v1/uplink."""
        said = parse(UplinkMessage, await body(request))
        self._station.uplink(said.connected, said.failing)
        return Response(status_code=204)
