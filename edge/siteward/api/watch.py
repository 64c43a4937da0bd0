"""Calls that look at the running station; none of them waits for a disk."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from siteward.api.answers import Denied, json_text, message
from siteward.api.backend import Station
from siteward.api.live import LiveText, stream
from siteward.api.metrics import prometheus
from siteward.api.present import plain
from siteward.client.messages import AlarmMessage, HealthMessage, LineMessage
from siteward.model.live import LiveView
from siteward.model.refusals import Refusal


class Watch:
    """Endpoints over the station's memory."""

    def __init__(self, station: Station, texts: LiveText, stop: asyncio.Event) -> None:
        self._station = station
        self._texts = texts
        self._stop = stop

    async def site(self, _: Request) -> Response:
        """GET /v1/site."""
        return json_text(json.dumps(plain(self._station.site()), ensure_ascii=False))

    async def live(self, _: Request) -> Response:
        """GET /v1/live."""
        return json_text(self._texts.of(self._view()))

    async def stream(self, _: Request) -> Response:
        """GET /v1/live/stream."""
        return StreamingResponse(stream(self._station, self._texts, self._stop), media_type="application/jsonl")

    async def alarms(self, _: Request) -> Response:
        """GET /v1/alarms."""
        rows = ",".join(AlarmMessage.model_validate(alarm).to_json() for alarm in self._view().alarms)
        return json_text(f'{{"alarms":[{rows}]}}')

    async def lines(self, _: Request) -> Response:
        """GET /v1/lines."""
        rows = ",".join(LineMessage.model_validate(line).to_json() for line in self._station.lines())
        return json_text(f'{{"lines":[{rows}]}}')

    async def health(self, _: Request) -> Response:
        """GET /v1/health."""
        return message(HealthMessage.model_validate(self._station.health()))

    async def metrics(self, _: Request) -> Response:
        """GET /metrics."""
        text = prometheus(self._station.health(), self._station.lines(), self._station.live())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    def _view(self) -> LiveView:
        view = self._station.live()
        if view is None:
            raise Denied(Refusal.CORE_DOWN, "no turn has ended yet")
        return view
