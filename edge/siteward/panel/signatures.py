"""Signed meter values on the session page, judged by their own bytes, and the file by which anybody checks them."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.errors import ClientError
from siteward.client.signed import all_marks, container, entry_name, mark_words, signed_values, verdict_words
from siteward.model.ids import is_id
from siteward.panel.desk import Desk
from siteward.panel.words import say
from siteward.trust.ocmf import verified


@dataclass(frozen=True, slots=True)
class Signed:
    """What the page shows: each record with its register in Wh and its verdict; doubts; what is only remarked."""

    rows: tuple[tuple[str, int | None, str], ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    records: bool


def signatures(evidence: EvidenceMessage, language: str) -> Signed | None:
    """The signed values of a session in a language, None where no meter was asked for any."""
    entries = signed_values(evidence.events)
    if not entries:
        return None
    verdicts = [None if entry.document is None else verified(entry.document, entry.key) for entry in entries]
    marks = all_marks(evidence.events)
    return Signed(
        rows=tuple(
            (say(entry_name(entry), language), entry.register_wh, say(verdict_words(entry, verdict), language))
            for entry, verdict in zip(entries, verdicts, strict=True)
        ),
        doubts=tuple(say(mark_words(mark), language) for mark in marks if not mark.quiet),
        notes=tuple(say(mark_words(mark), language) for mark in marks if mark.quiet),
        records=any(entry.document is not None for entry in entries),
    )


class Signatures:
    """Handler of the file; every role may have it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def container(self, request: Request) -> Response:
        """GET /sessions/{id}/signed.xml: the records of a session, byte for byte, for the transparency software."""
        self._desk.who(request)
        name = request.path_params["session"]
        if not is_id(name):
            raise HTTPException(404)
        try:
            evidence = await self._desk.core.evidence(name)
        except ClientError as error:
            raise HTTPException(503) from error
        entries = () if evidence is None else signed_values(evidence.events)
        if not any(entry.document is not None for entry in entries):
            raise HTTPException(404)
        headers = {"content-disposition": f'attachment; filename="{name}.xml"'}
        return Response(container(name, entries), media_type="application/xml", headers=headers)
