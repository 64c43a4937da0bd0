"""Calls that read the journal and take the platform's acknowledgements."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.answers import Denied, body, json_text, message, number, parse
from siteward.api.backend import Records
from siteward.api.waits import unless
from siteward.client.messages import AckMessage, SessionMessage, SessionsMessage
from siteward.client.records import AlarmLogMessage, AlarmRecordMessage
from siteward.model.events import EventPage
from siteward.model.ids import JournalId, SessionId, is_id
from siteward.model.refusals import Refusal

EVENTS_MAX = 1000
"""Most events of one answer; a window of the uplink (contract section 4)."""

ALARMS_MAX = 500
"""Most handling records of one answer."""

WAIT_MAX_S = 30.0
"""Longest long poll."""


class Reads:
    """Endpoints over the journal and the sessions."""

    def __init__(self, records: Records, stop: asyncio.Event) -> None:
        self._records = records
        self._stop = stop

    async def events(self, request: Request) -> Response:
        """GET /v1/events: the stored texts, byte for byte."""
        after = int(number(request, "after", 0, 0, 1 << 53))
        limit = int(number(request, "limit", 500, 1, EVENTS_MAX))
        wait_s = number(request, "wait", 0, 0, WAIT_MAX_S)
        page = await unless(self._stop, self._records.events(after, limit, wait_s))
        if page is None:
            raise Denied(Refusal.CORE_DOWN, "core is stopping")
        return json_text(_page_text(page))

    async def alarms(self, request: Request) -> Response:
        """GET /v1/alarms/log."""
        limit = int(number(request, "limit", 50, 1, ALARMS_MAX))
        before = int(number(request, "before", 0, 0, 1 << 53)) or None
        rows = await self._records.alarm_log(limit, before)
        return message(AlarmLogMessage(alarms=tuple(AlarmRecordMessage.model_validate(row) for row in rows)))

    async def ack(self, request: Request) -> Response:
        """POST /v1/outbox/ack: answered when it is durable; an ack of another epoch is refused, never applied."""
        ack = parse(AckMessage, await body(request))
        if not await self._records.ack(JournalId(ack.journal_id), ack.seq):
            raise Denied(Refusal.BAD_PARAMS, "not this journal, or more than it holds")
        return Response(status_code=204)

    async def sessions(self, request: Request) -> Response:
        """GET /v1/sessions."""
        before = request.query_params.get("before")
        if before is not None and not is_id(before):
            raise Denied(Refusal.BAD_PARAMS, "before is no id")
        limit = int(number(request, "limit", 50, 1, 500))
        rows = await self._records.sessions(limit, SessionId(before) if before else None)
        return message(SessionsMessage(sessions=tuple(SessionMessage.model_validate(row) for row in rows)))

    async def session(self, request: Request) -> Response:
        """GET /v1/sessions/{id}."""
        found = await self._records.session(SessionId(request.path_params["id"]))
        if found is None:
            raise Denied(Refusal.NO_SUCH_SESSION)
        return message(SessionMessage.model_validate(found))


def _page_text(page: EventPage) -> str:
    """JSON of an EventsMessage around the stored texts."""
    head = f'"journalId":"{page.journal}","lastSeq":{page.last_seq},"ackedSeq":{page.acked_seq}'
    return f'{{{head},"events":[{",".join(page.texts)}]}}'
