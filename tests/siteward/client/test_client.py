"""The client against the real API on real sockets: every call, every error mapped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import AckMessage, ActorMessage, RequestMessage
from siteward.client.records import UserMessage
from siteward.model.requests import Role, Source
from siteward.model.users import User
from tests.fixtures.core import running_core

INSTALLER = ActorMessage(user="ann", role="installer", address="192.0.2.7")


@asynccontextmanager
async def serving(path: Path, answer: bytes) -> AsyncIterator[None]:
    """Something on core's socket that answers every request with the same bytes and waits for the caller to go."""
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        ended.set()

    async with await asyncio.start_unix_server(talk, path):
        yield
        await asyncio.wait_for(ended.wait(), 2)


async def test_live_view_survives_the_wire(tmp_path: Path) -> None:
    """GET /v1/live: what core sees is what a caller gets, causes and sessions included."""
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        live = await client.live()
        assert [c.id for c in live.connectors] == [c.id for c in core.site().connectors]
        charging = live.connectors[0]
        assert charging.session is not None
        assert charging.grant.chain[0].cause == "fuse"
        assert live.feeders[0].rating_a == (160.0, 160.0, 160.0)
        assert live.alarms[0].text_zh


async def test_stream_gives_at_most_two_a_second_and_the_latest_wins(tmp_path: Path) -> None:
    """flows.md: JSON lines, at most 2 a second, latest wins; turns run five times a second here."""
    async with running_core(tmp_path), Client(tmp_path / "sync.sock") as client:
        turns: list[int] = []
        begin = asyncio.get_running_loop().time()
        async for view in client.stream():
            turns.append(view.health.turn)
            if len(turns) == 4:
                break
        assert asyncio.get_running_loop().time() - begin >= 1.45
        assert turns == sorted(set(turns))
        assert turns[-1] - turns[0] >= 6


async def test_request_is_received_then_done(tmp_path: Path) -> None:
    """The life of one command as a caller sees it."""
    async with running_core(tmp_path) as core, Client(tmp_path / "cli.sock") as client:
        asked = RequestMessage(command_id="c-1", name="START_CHARGE", target="A03-1")
        assert (await client.submit(asked)).stage == "received"
        final = await client.request("c-1", wait_s=5)
        assert final is not None
        assert final.stage == "done"
        assert final.result == {"waitingFor": "current"}
        assert core.requests["c-1"].source is Source.CLI
        again = await client.submit(asked)
        assert again.stage == "done"
        assert await client.request("never-seen") is None


async def test_events_are_read_in_pages_and_acknowledged(tmp_path: Path) -> None:
    """Outbox: events in seq order, acks cumulative, an ack of another epoch refused."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        page = await client.events(after=1, limit=2)
        assert [event["seq"] for event in page.events] == [2, 3]
        await client.ack(AckMessage(journal_id=page.journal_id, seq=3))
        assert core.acked_seq == 3
        with pytest.raises(Refused) as refused:
            await client.ack(AckMessage(journal_id="other", seq=4))
        assert refused.value.code == "BAD_PARAMS"


async def test_sessions_site_users_health_audit(tmp_path: Path) -> None:
    """The remaining reads and writes of the panel."""
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        core.user_list["ann"] = User("ann", Role.INSTALLER, "hash", must_change=True)
        rows = await client.sessions(limit=1)
        older = await client.sessions(limit=5, before=rows[0].id)
        assert len(older) == 1
        assert await client.session(rows[0].id) is not None
        assert await client.session("nothing") is None
        site = await client.site()
        assert site["hash"] == core.site().hash
        assert site["chargers"][0]["connectors"][0]["max_a"] == 16.0
        assert (await client.users())[0].must_change
        await client.put_user(UserMessage(name="bob", role="viewer", password_hash="x", must_change=False), INSTALLER)
        assert core.user_list["bob"].role is Role.VIEWER
        assert (await client.health()).store_ok
        await client.audit("audit.login", {"result": "refused"}, None)
        assert core.audits[-1][3] is Source.PANEL


async def test_no_core_is_core_down(tmp_path: Path) -> None:
    """A caller retries: no socket file, nobody behind it, an answer that never comes."""
    async with Client(tmp_path / "panel.sock") as client:
        with pytest.raises(CoreDown):
            await client.live()
        with pytest.raises(CoreDown):
            async for _ in client.stream():
                pass

    async with serving(tmp_path / "panel.sock", b""), Client(tmp_path / "panel.sock", timeout_s=0.2) as client:
        with pytest.raises(CoreDown, match="in time"):
            await client.health()


async def test_core_that_answers_nonsense_is_core_down(tmp_path: Path) -> None:
    """A garbled answer is never a value."""
    answer = b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"turn":1'
    async with serving(tmp_path / "panel.sock", answer), Client(tmp_path / "panel.sock") as client:
        with pytest.raises(CoreDown, match="HealthMessage"):
            await client.health()


async def test_expired_command_is_answered_and_never_submitted(tmp_path: Path) -> None:
    """I9: with a trusted clock nothing runs after its expiry."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        wall = core.clock.wall()
        asked = RequestMessage(
            command_id="late", name="START_CHARGE", target="A03-1", expires_at=wall - timedelta(seconds=1)
        )
        reply = await client.submit(asked)
        assert (reply.stage, reply.code) == ("expired", "EXPIRED")
        assert reply.message_zh


async def test_stop_ends_the_session(tmp_path: Path) -> None:
    """A stop through the API changes what the next views show."""
    async with running_core(tmp_path) as core, Client(tmp_path / "cli.sock") as client:
        stop = RequestMessage(command_id="c-1", name="STOP_CHARGE", target="A01-1")
        assert (await client.submit(stop)).stage == "received"
        final = await client.request("c-1", wait_s=5)
        assert final is not None
        assert final.stage == "done"
        await core.turn_once()
        assert (await client.live()).connectors[0].session is None
