"""Tariffs at the door: SET_TARIFF read and its signature checked, and calls that read tariffs and bills."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request as Call
from starlette.responses import Response

from siteward.api.answers import Denied, message
from siteward.api.backend import Records
from siteward.client.bill_messages import EvidenceMessage, TariffsMessage
from siteward.client.canonical import NotCanonical, canonical
from siteward.client.command_keys import BadKeys, read_bytes
from siteward.client.messages import SessionMessage
from siteward.client.tariff_form import BadTariff, installed, read_tariff
from siteward.model.errors import SitewardError
from siteward.model.ids import SessionId
from siteward.model.refusals import Refusal
from siteward.model.tariff import Tariff


class NoTariff(SitewardError):
    """Why the params of SET_TARIFF are refused: code and detail."""

    def __init__(self, code: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def tariff_of(params: Mapping[str, Any] | None, signer: str | None) -> Tariff:
    """The tariff of SET_TARIFF's params {tariff, signature?}. Raises NoTariff.

    With a signer the signature is one of Ed25519 over the RFC 8785 form of `tariff`, in base64.
    """
    document = (params or {}).get("tariff")
    if not isinstance(document, dict):
        raise NoTariff(Refusal.BAD_PARAMS, "tariff: is missing; it holds the whole tariff")
    if signer is not None:
        _proven(document, (params or {}).get("signature"), signer)
    try:
        return read_tariff(document)
    except BadTariff as bad:
        raise NoTariff(Refusal.BAD_PARAMS, "; ".join(str(bad).splitlines())) from bad


def says(text: str, tariff: Tariff) -> bool:
    """Whether what was installed once is this tariff."""
    try:
        return installed(json.loads(text)) == tariff
    except BadTariff:
        return False


def _proven(document: dict[str, Any], signature: object, signer: str) -> None:
    # Only a site with a signer needs cryptography in core (goal 14).
    from siteward.trust.crypto import verified

    if not isinstance(signature, str):
        raise NoTariff(Refusal.UNSIGNED, "signature: is missing")
    try:
        good = verified(read_bytes(signer), canonical(document), base64.b64decode(signature, validate=True))
    except (BadKeys, binascii.Error, ValueError, NotCanonical):
        good = False
    if not good:
        raise NoTariff(Refusal.BAD_SIGNATURE, "signature: does not fit the tariff and this station's signer")


class Bills:
    """Endpoints over tariffs and what bills are made from."""

    def __init__(self, records: Records) -> None:
        self._records = records

    async def tariffs(self, _: Call) -> Response:
        """GET /v1/tariffs: every version that was installed."""
        return message(TariffsMessage(tariffs=tuple(json.loads(text) for text in await self._records.tariffs())))

    async def evidence(self, call: Call) -> Response:
        """GET /v1/sessions/{id}/bill: the journal's events of a session and the tariffs that price it."""
        name = SessionId(call.path_params["id"])
        found = await self._records.session(name)
        if found is None:
            raise Denied(Refusal.NO_SUCH_SESSION)
        events, tariffs = await self._records.evidence(name)
        return message(
            EvidenceMessage(
                session=SessionMessage.model_validate(found),
                events=tuple(json.loads(text) for text in events),
                tariffs=tuple(json.loads(text) for text in tariffs),
            )
        )
