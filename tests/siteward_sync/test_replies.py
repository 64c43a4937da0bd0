"""Replies out of journal events and out of core's answers (S-10, I10)."""

import asyncio

import pytest

from siteward.client.messages import ReplyMessage
from siteward_sync.replies import Order, from_core, from_event

DONE = {"seq": 5, "type": "command.done", "data": {"commandId": "c-1", "result": {"waitingFor": "queue"}}}


def test_a_command_event_becomes_the_reply_of_its_stage() -> None:
    """The last part of the type is the stage; a code brings its sentence in both languages."""
    reply = from_event(DONE)
    assert reply is not None
    assert reply.to_json() == b'{"commandId":"c-1","stage":"done","result":{"waitingFor":"queue"}}'
    refused = from_event({"type": "command.rejected", "data": {"commandId": "c-2", "code": "CONNECTOR_BUSY"}})
    assert refused is not None
    assert refused.message == "The connector is already in use."
    assert refused.message_zh == "该充电枪正在使用中。"


@pytest.mark.parametrize(
    "event",
    [
        {"type": "session.finished", "data": {"commandId": "c-1"}},
        {"type": "command.unheard", "data": {"commandId": "c-1"}},
        {"type": "command.done", "data": {}},
        {"type": "command.done", "data": {"commandId": "no id"}},
        {"type": "command.done", "data": {"commandId": "c-1", "source": "panel"}},
        {"type": "journal.stub", "reason": "expired"},
    ],
)
def test_other_events_are_no_replies(event: dict[str, object]) -> None:
    """A panel's command is not the cloud's to hear about on up/replies."""
    assert from_event(event) is None


def test_a_code_of_a_newer_core_is_passed_on() -> None:
    """An unknown code has no sentence of ours, but it is not hidden."""
    reply = from_core(ReplyMessage(command_id="c", stage="failed", code="NEW_CODE", message="So it is."), "m-1")
    assert (reply.code, reply.message, reply.message_zh, reply.in_reply_to) == ("NEW_CODE", "So it is.", None, "m-1")


async def test_received_goes_first() -> None:
    """What core journals about a command waits until its first reply is out."""
    order, log = Order(), []

    async def later() -> None:
        await order.turn_of("c-1")
        log.append("accepted")

    order.begin("c-1")
    waiting = asyncio.create_task(later())
    await asyncio.sleep(0)
    await order.turn_of("c-2")
    log.append("received")
    order.end("c-1")
    await waiting
    assert log == ["received", "accepted"]
