"""S-55, S-83: signed commands from the platform's key to core's door, over a real broker; forgeries are answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from siteward.api.door import Door, KeyRing
from siteward.client.command_keys import write_keys
from siteward.model.requests import Stage
from siteward_sync.codec import open_envelope, seal
from siteward_sync.receiver import Platform, Signer
from siteward_sync.topics import COMMANDS, STATUS, topic
from tests.fixtures.broker import Broker, broker
from tests.fixtures.core import FakeCore
from tests.fixtures.jws import KEY, OTHER, command, envelope, stamp
from tests.siteward_sync.rig import core_at, platform, raw_link, synced, until

__all__ = ["broker"]
pytestmark = pytest.mark.station


@asynccontextmanager
async def signing(broker: Broker, folder: Path, signer: Signer | None) -> AsyncIterator[tuple[FakeCore, Platform]]:
    """A station that trusts the key `peer`, and a platform that signs with what it has."""
    file = folder / "command-keys.json"
    file.write_bytes(write_keys({"peer": KEY.public}))
    async with (
        core_at(folder, door=Door(KeyRing(file))) as core,
        platform(broker, folder, signer) as served,
        synced(core, broker),
    ):
        await until(lambda: (served.records.latest(core.site().id, STATUS) or {}).get("online"))
        yield core, served


async def told(served: Platform, station: str, name: str, **more: Any) -> list[tuple[str, str | None]]:
    """Stages and codes of the replies to a command."""
    async with asyncio.timeout(8):
        sent = await served.send(station, name, **more)
        return [(reply["stage"], reply.get("code")) for reply in await served.replies(station, sent)]


async def test_a_platform_that_signs_is_obeyed(broker: Broker, tmp_path: Path) -> None:
    """Contract section 4: received first, then what follows, with the id that stands in the payload."""
    async with signing(broker, tmp_path, Signer("peer", KEY)) as (core, served):
        stages = await told(served, core.site().id, "REPORT_NOW")
        assert [stage for stage, _ in stages] == ["received", "accepted", "done"]


@pytest.mark.parametrize(
    ("signer", "code"),
    [(None, "UNSIGNED"), (Signer("peer", OTHER), "BAD_SIGNATURE"), (Signer("x", KEY), "BAD_SIGNATURE")],
)
async def test_a_platform_that_does_not_is_told(
    broker: Broker, tmp_path: Path, signer: Signer | None, code: str
) -> None:
    """S-83: refused with a code and a sentence in both languages, so that its people see what to mend."""
    async with signing(broker, tmp_path, signer) as (core, served):
        assert await told(served, core.site().id, "REPORT_NOW") == [("rejected", code)]


async def test_who_claims_the_id_of_another_changes_nothing(broker: Broker, tmp_path: Path) -> None:
    """S-56, I10: a forger before and after the real one; the real one runs, and is told to end one way only."""
    async with signing(broker, tmp_path, Signer("peer", KEY)) as (core, served):
        station = core.site().id
        real = command(station, core.clock.wall(), commandId="c-real")
        async with raw_link(broker, "hears", topic(station, "up/replies")) as (hears, replies):

            async def say(message: str, raw: bytes) -> None:
                await hears.publish(topic(station, COMMANDS), seal(station, message, core.clock.wall(), raw))

            async def hear(message: str) -> dict[str, Any]:
                while True:
                    got = await asyncio.wait_for(replies.get(), 8)
                    hears.ack(got)
                    value = open_envelope(got.payload).value
                    if value.get("inReplyTo") == message:
                        return value

            await say("m-1", envelope(real, key=OTHER))
            first = await hear("m-1")
            assert (first["stage"], first["code"]) == ("rejected", "BAD_SIGNATURE")
            assert first["messageZh"] == "签名无效。"
            await say("m-2", envelope(real))
            assert (await hear("m-2"))["stage"] == "received"
            async with asyncio.timeout(8):
                await served.replies(station, "c-real", Stage.DONE)
            await say("m-3", envelope(real, key=OTHER))
            assert (await hear("m-3"))["stage"] == "done"
            await say("m-4", json.dumps({"jws": "a.b"}).encode())
            bad = await hear("m-4")
            assert (bad["code"], "commandId" in bad) == ("BAD_SIGNATURE", False)
        assert len(core.requests) == len({r.id for r in core.requests.values()})


async def test_a_signed_command_that_waits_for_core_ends_with_its_time(broker: Broker, tmp_path: Path) -> None:
    """Flows: held until it expires, by the time that it claims; nothing runs late."""
    async with signing(broker, tmp_path, Signer("peer", KEY)) as (core, served):
        station = core.site().id
        core.ending.set()
        await core.stopped.wait()
        async with asyncio.timeout(10):
            sent = await served.send(station, "REPORT_NOW", valid_s=1.0)
            replies = await served.replies(station, sent)
        assert [(reply["stage"], reply["code"]) for reply in replies] == [("expired", "EXPIRED")]
        assert sent not in core.requests


async def test_a_forgery_that_waits_for_core_holds_nobody_up(broker: Broker, tmp_path: Path) -> None:
    """S-56: while core is gone the real command waits beside the one that claims its id."""
    async with signing(broker, tmp_path, None) as (core, _):
        station = core.site().id
        core.ending.set()
        await core.stopped.wait()
        soon = core.clock.wall() + timedelta(seconds=2)
        real = command(station, core.clock.wall(), commandId="c-real", expiresAt=stamp(soon))
        async with raw_link(broker, "hears", topic(station, "up/replies")) as (hears, replies):
            for message, key in (("m-1", OTHER), ("m-2", KEY)):
                raw = envelope(real, key=key)
                await hears.publish(topic(station, COMMANDS), seal(station, message, core.clock.wall(), raw))
            codes = {}
            while len(codes) < 2:
                got = await asyncio.wait_for(replies.get(), 8)
                hears.ack(got)
                value = open_envelope(got.payload).value
                codes[value["inReplyTo"]] = value["code"]
        assert codes == {"m-1": "EXPIRED", "m-2": "EXPIRED"}
