"""Whatever arrives on the topics of a station: each message is answered, let go, and holds up nothing behind it."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from siteward.client.client import Client
from siteward.model.refusals import Refusal
from siteward.model.requests import Stage
from siteward_sync.audit import Auditor
from siteward_sync.codec import UP_LIMIT, open_envelope
from siteward_sync.downlink import Downlink, Mailbox
from siteward_sync.link import Received
from siteward_sync.replies import Order
from siteward_sync.speaker import Speaker
from siteward_sync.topics import ACKS, COMMANDS, topic
from siteward_sync.uplink import Uplink
from tests.fixtures.anything import ODD, Place, bent, places, put
from tests.fixtures.clock import RealClock
from tests.fixtures.core import FakeCore, running_core
from tests.siteward_sync.rubbish import GOOD

STATION = "SZ-0001"
ACK: dict[str, Any] = GOOD | {"payload": {"journalId": "J", "seq": 1}}
COMMAND: dict[str, Any] = GOOD | {"payload": {**GOOD["payload"], "params": {"x": 1}, "orderId": "O-1"}}  # type: ignore[dict-item]

TOPICS = (topic(STATION, COMMANDS), topic(STATION, ACKS), topic("SZ-0002", COMMANDS), topic(STATION, "down/other"))


class Wire:
    """Stands for the link: keeps what is sent and what the broker may forget."""

    up, epoch, max_packet = True, 1, 1 << 28

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.acked: asyncio.Queue[int] = asyncio.Queue()

    async def until_up(self) -> int:
        return 1

    async def publish(self, name: str, payload: bytes, **more: object) -> None:
        self.sent.append(payload)

    def ack(self, message: Received) -> bool:
        self.acked.put_nowait(message.mid)
        return True


def damaged(text: bytes, at: int, byte: int) -> bytes:
    """One byte is another."""
    return text[: at % len(text)] + bytes((byte,)) + text[at % len(text) + 1 :]


def said(document: Any) -> bytes:
    """Bytes of a document, NaN and all."""
    return json.dumps(document).encode()


def one_odd(path: Place, value: Any) -> bytes:
    """A good command but for one value."""
    return said(put(COMMAND, path, value))


MESSAGES = st.one_of(
    bent(COMMAND, 3).map(said),
    bent(ACK).map(said),
    st.builds(damaged, bent(COMMAND, 1).map(said), st.integers(0, 400), st.integers(0, 255)),
    st.builds(
        lambda path, value: said(put(COMMAND, path, value)),
        st.sampled_from(list(places(COMMAND))),
        st.sampled_from(ODD),
    ),
)


async def _answered(core: FakeCore, folder: Path, messages: list[tuple[bytes, str, bool]]) -> None:
    """Hand the messages in one after the other; each is let go within a second, with an answer of the contract."""
    clock, wire, box = RealClock(), Wire(), Mailbox()
    async with Client(folder / "sync.sock") as client:
        speaker, auditor = Speaker(wire, clock), Auditor(client, clock)  # type: ignore[arg-type]
        uplink = Uplink(client, wire, speaker, auditor, clock, STATION)  # type: ignore[arg-type]
        down = Downlink(box, client, wire, speaker, auditor, uplink, Order(), clock, STATION)  # type: ignore[arg-type]
        tasks = [asyncio.create_task(down.run_commands()), asyncio.create_task(down.run_acks())]
        for mid, (data, name, retained) in enumerate(messages):
            wire.sent.clear()
            box.take(Received(name, data, 1, retained, mid, 1))
            waiting = asyncio.create_task(wire.acked.get())
            await asyncio.wait({waiting, *tasks}, timeout=5.0, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                assert not task.done(), (task.exception(), data)
            assert waiting.done(), ("held up", data)
            assert waiting.result() == mid
            _judge(wire.sent, name)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _judge(sent: list[bytes], name: str) -> None:
    """At most one answer, each with a known stage and code, short enough for every broker."""
    assert len(sent) <= 1
    assert sent or name == topic(STATION, ACKS)
    for data in sent:
        reply = open_envelope(data, limit=UP_LIMIT).value
        assert reply["stage"] in set(Stage)
        assert reply.get("code") in {None, *Refusal}
        assert len(data) < 4000


@given(st.lists(st.tuples(MESSAGES, st.sampled_from(TOPICS), st.booleans()), min_size=40, max_size=60))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_any_message_is_answered_and_holds_up_nothing(messages: list[tuple[bytes, str, bool]]) -> None:
    """S-99, faults 42, 46-48, law 2: a retained message of a stranger must not end the uplink at each connection."""

    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with running_core(Path(folder)) as core:
                await _answered(core, Path(folder), messages)

    asyncio.run(story())


def test_a_retained_command_of_an_impossible_id_is_answered() -> None:
    """Fault 42: it comes again at each connection; it ended the process at each of them."""
    wrong = put(COMMAND, ("payload", "commandId"), "no id")

    async def story() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with running_core(Path(folder)) as core:
                await _answered(core, Path(folder), [(said(wrong), TOPICS[0], True), (said(COMMAND), TOPICS[0], False)])

    asyncio.run(story())
