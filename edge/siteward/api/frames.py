"""The call that hands out what travelled on a wire lately."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import Denied, number
from siteward.api.backend import Station
from siteward.model.frames import FrameFormat
from siteward.model.ids import LineId
from siteward.model.refusals import Refusal

_MEDIA = {FrameFormat.CSV: "text/csv; charset=utf-8", FrameFormat.PCAP: "application/vnd.tcpdump.pcap"}


class Frames:
    """Endpoint over the recorders of the lines."""

    def __init__(self, station: Station) -> None:
        self._station = station

    async def export(self, request: Request) -> Response:
        """GET /v1/lines/{id}/frames?format=csv|pcap&last=seconds."""
        asked = request.query_params.get("format", FrameFormat.CSV.value)
        if asked not in set(FrameFormat):
            raise Denied(Refusal.BAD_PARAMS, f"format is {' or '.join(FrameFormat)}")
        form = FrameFormat(asked)
        line = request.path_params["id"]
        data = await self._station.frames(LineId(line), form, number(request, "last", 300, 1, 3600))
        if data is None:
            raise Denied(Refusal.UNKNOWN_TARGET, f"no line {line!r} with a record")
        return Response(data, media_type=_MEDIA[form], headers={"cache-control": "no-store"})
