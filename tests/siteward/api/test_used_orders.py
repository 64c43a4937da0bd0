"""S-14, S-75, 0064: the door refuses an order that was charged however long ago; a turn knows only the latest."""

from dataclasses import replace
from pathlib import Path

from siteward.client.client import Client
from siteward.client.messages import RequestMessage
from siteward.model.ids import ConnectorId
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.sessions import OrderState
from tests.fixtures.core import FakeCore, running_core


def settled(core: FakeCore) -> str:
    """Order O-1 was charged at A03-1 and is paid; returns its session."""
    record = core.start(ConnectorId("A03-1"), "cloud", "O-1")
    core.session_list[record.id] = replace(record, state=OrderState.SETTLED)
    return record.id


def start(command: str, order: str | None = "O-1") -> RequestMessage:
    """A start at another connector."""
    return RequestMessage(command_id=command, name="START_CHARGE", target="A04-1", order_id=order)


async def test_a_settled_order_is_refused_in_both_languages_and_reaches_no_turn(tmp_path: Path) -> None:
    """Ruling 30: with the session that was charged; the answer is kept for its commandId as any other."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        session = settled(core)
        said = await client.submit(start("again"))
        sentence = REFUSALS[Refusal.ORDER_USED]
        assert (said.stage, said.code) == ("rejected", "ORDER_USED")
        assert (said.message, said.message_zh) == (f"{sentence.en} session {session}", sentence.zh)
        assert await client.submit(start("again")) == said
        assert not [row for row in core.session_list.values() if row.connector == "A04-1" and row.state.open]
        kept = RequestMessage(command_id="keep", name="RESERVE", target="A04-1", order_id="O-1")
        assert (await client.submit(kept)).code == "ORDER_USED"


async def test_other_orders_and_other_commands_pass(tmp_path: Path) -> None:
    """A stop that names a settled order is judged by the turn, which knows that it is over."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        settled(core)
        stop = RequestMessage(command_id="stop", name="STOP_CHARGE", target="A04-1", order_id="O-1")
        for request in (stop, start("other", "O-2"), start("none", None)):
            assert (await client.submit(request)).stage == "received", request


async def test_an_order_that_failed_may_be_sent_again(tmp_path: Path) -> None:
    """0064: no energy came of it."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        session = settled(core)
        failed = {row.id: row for row in core.session_list.values() if row.id == session}
        core.session_list |= {key: replace(row, state=OrderState.FAILED) for key, row in failed.items()}
        assert (await client.submit(start("again"))).stage == "received"


async def test_a_known_command_keeps_its_answer(tmp_path: Path) -> None:
    """S-75: the start that opened the session is answered as it was, now that its order is used."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        assert (await client.submit(start("first"))).stage == "received"
        done = await client.request("first", wait_s=5)
        core.finish(ConnectorId("A04-1"))
        assert await client.submit(start("first")) == done
        assert (await client.submit(start("second"))).code == "ORDER_USED"
