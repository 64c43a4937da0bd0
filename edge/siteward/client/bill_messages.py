"""Message models of the local API about tariffs and bills."""

from typing import Any

from siteward.client.messages import Message, SessionMessage


class TariffsMessage(Message):
    """GET /v1/tariffs: data of tariff.installed of every version, by id, the newest first."""

    tariffs: tuple[dict[str, Any], ...]


class EvidenceMessage(Message):
    """GET /v1/sessions/{id}/bill: what a bill is made from, as the journal has it; tariffs as in tariff.installed."""

    session: SessionMessage
    events: tuple[dict[str, Any], ...]
    tariffs: tuple[dict[str, Any], ...]
