"""The local API on real sockets: limits, rights, refusals at the door, and the way it stops."""

import asyncio
import json
import socket
import stat
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from siteward.api.serve import CONNECTIONS_MAX, open_socket
from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.client.messages import ActorMessage, RequestMessage
from siteward.client.records import UserMessage
from siteward.model.errors import ConfigError
from siteward.model.events import ClockQuality, EventType
from siteward.model.requests import Role, Source
from siteward.model.users import User
from tests.fixtures.clock import RealClock
from tests.fixtures.core import running_core


def http(path: Path) -> httpx.AsyncClient:
    """A bare caller."""
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=str(path)), base_url="http://core")


def start(name: str, **more: object) -> RequestMessage:
    """A start on a free connector."""
    return RequestMessage(command_id=name, name="START_CHARGE", target="A03-1", **more)  # type: ignore[arg-type]


async def test_sockets_are_for_owner_and_group_only(tmp_path: Path) -> None:
    """flows.md: one socket per caller, 0660, gone after the stop; a leftover is replaced."""
    (tmp_path / "cli.sock").write_text("leftover")
    async with running_core(tmp_path):
        names = {path.name for path in tmp_path.glob("*.sock")}
        assert names == {"cli.sock", "panel.sock", "sync.sock", "field.sock"}
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.sock")} == {0o660}
    assert not list(tmp_path.glob("*.sock"))


def test_socket_that_cannot_be_opened_says_what_to_do(tmp_path: Path) -> None:
    """A path beyond what the kernel takes, or a folder that is not there."""
    for path in (tmp_path / ("x" * 120), tmp_path / "none" / "cli.sock"):
        with pytest.raises(ConfigError, match="use a short path"):
            open_socket(path)


async def test_stop_takes_less_than_two_seconds_with_a_reader_attached(tmp_path: Path) -> None:
    """Finding 13: a stream, a long poll and an idle connection do not hold up the stop."""
    loop = asyncio.get_running_loop()
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        stream = client.stream()
        await anext(stream)
        poll = asyncio.create_task(client.events(after=10_000, wait_s=25))
        idle = socket.socket(socket.AF_UNIX)
        idle.connect(str(tmp_path / "cli.sock"))
        await asyncio.sleep(0.1)
        begin = loop.time()
        core.ending.set()
        await core.stopped.wait()
        assert loop.time() - begin < 2
        idle.close()
        with pytest.raises((CoreDown, Refused)):
            await poll
        with pytest.raises(CoreDown):
            async for _ in stream:
                pass


async def test_ninth_connection_is_closed_at_the_door(tmp_path: Path) -> None:
    """flows.md: at most 8 connections a socket; the other sockets do not notice."""
    async with running_core(tmp_path):
        held = [await asyncio.open_unix_connection(tmp_path / "cli.sock") for _ in range(CONNECTIONS_MAX)]
        reader, writer = await asyncio.open_unix_connection(tmp_path / "cli.sock")
        assert await asyncio.wait_for(reader.read(), 2) == b""
        async with Client(tmp_path / "panel.sock") as client:
            assert (await client.health()).turn > 0
        for _, one in [*held, (reader, writer)]:
            one.close()
            await one.wait_closed()
        await asyncio.sleep(0.05)
        async with Client(tmp_path / "cli.sock") as client:
            assert (await client.health()).turn > 0


@pytest.mark.parametrize("passes", range(5))
async def test_a_caller_who_comes_as_it_stops_is_turned_away(tmp_path: Path, passes: int) -> None:
    """flows.md: nobody would close that connection any more; whichever pass of the loop finds it."""
    loop = asyncio.get_running_loop()
    async with running_core(tmp_path) as core:
        with socket.socket(socket.AF_UNIX) as late:
            late.connect(str(tmp_path / "cli.sock"))
            late.setblocking(False)
            for _ in range(passes):
                await asyncio.sleep(0)
            core.ending.set()
            try:
                ended = await asyncio.wait_for(loop.sock_recv(late, 1), 0.8) == b""
            except ConnectionResetError:
                ended = True
            assert ended


async def test_slow_reader_loses_frames_and_holds_up_nobody(tmp_path: Path) -> None:
    """flows.md: latest wins; the one who does not read costs no memory and no time."""
    async with running_core(tmp_path), Client(tmp_path / "panel.sock") as client:
        slow = client.stream()
        first = await anext(slow)
        await asyncio.sleep(2)
        begin = asyncio.get_running_loop().time()
        live = await client.live()
        assert asyncio.get_running_loop().time() - begin < 0.5
        assert live.health.turn > first.health.turn + 5
        await slow.aclose()  # type: ignore[attr-defined]


BAD = {
    "no JSON": (b"{", 400, "MALFORMED"),
    "empty": (b"", 400, "MALFORMED"),
    "not UTF-8": (b'{"commandId":"\xff"}', 400, "MALFORMED"),
    "id with a path": (b'{"commandId":"../x","name":"STOP_CHARGE"}', 400, "MALFORMED"),
    "id look-alike": ('{"commandId":"\u0430bc","name":"STOP_CHARGE"}'.encode(), 400, "MALFORMED"),
    "no id": (b'{"name":"STOP_CHARGE"}', 400, "MALFORMED"),
    "role": (b'{"commandId":"c","name":"STOP_CHARGE","actor":{"user":"x","role":"root"}}', 400, "MALFORMED"),
    "deep": (b'{"commandId":"c","name":"RESET","params":{"a":' + b"[" * 5000 + b"]" * 5000 + b"}}", 400, "MALFORMED"),
    "long number": (b'{"commandId":"c","name":"RESET","issuedAt":' + b"9" * 20_000 + b"}", 400, "MALFORMED"),
    "too large": (b'{"commandId":"' + b"a" * 70_000, 413, "TOO_LARGE"),
    "another station": (b'{"commandId":"c","name":"STOP_CHARGE","stationId":"SZ-9"}', 403, "WRONG_STATION"),
}


@pytest.mark.parametrize("what", BAD)
async def test_bad_body_is_refused_with_a_code_and_both_sentences(tmp_path: Path, what: str) -> None:
    """Faults 46, 47: refused at once, never a crash; ids are ASCII only."""
    raw, status, code = BAD[what]
    async with running_core(tmp_path) as core, http(tmp_path / "field.sock") as caller:
        answer = await caller.post("/v1/requests", content=raw)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["messageZh"]
        assert not core.requests


async def test_body_without_length_is_cut_off_at_the_limit(tmp_path: Path) -> None:
    """A chunked body cannot get around the size limit."""

    async def endless() -> object:
        for _ in range(100):
            yield b"x" * 10_000

    async with running_core(tmp_path), http(tmp_path / "cli.sock") as caller:
        answer = await caller.post("/v1/requests", content=endless())  # type: ignore[arg-type]
        assert answer.status_code == 413


async def test_unknown_calls_and_methods_have_an_error_body(tmp_path: Path) -> None:
    """Every 4xx carries a code; query parameters are judged too."""
    async with running_core(tmp_path), http(tmp_path / "cli.sock") as caller:
        for method, path in (("GET", "/v1/nothing"), ("DELETE", "/v1/live"), ("GET", "/v1/live/../../etc/passwd")):
            answer = await caller.request(method, path)
            assert answer.status_code == 404
            assert answer.json()["code"] == "NOT_SUPPORTED"
        for query in ("after=x", "wait=nan", "limit=%00"):
            answer = await caller.get(f"/v1/events?{query}")
            assert answer.json()["code"] == "BAD_PARAMS"
        assert (await caller.get("/v1/events?limit=99999&after=-5")).status_code == 200


FORBIDDEN = [
    ("sync", "GET", "/v1/users"),
    ("sync", "PUT", "/v1/users/ann"),
    ("field", "GET", "/v1/users"),
    ("field", "GET", "/v1/events"),
    ("field", "POST", "/v1/outbox/ack"),
    ("panel", "POST", "/v1/outbox/ack"),
    ("cli", "POST", "/v1/outbox/ack"),
]


@pytest.mark.parametrize(("caller", "method", "path"), FORBIDDEN)
async def test_rights_hang_on_the_socket(tmp_path: Path, caller: str, method: str, path: str) -> None:
    """The socket is the caller: sync may not touch users, nobody but sync acknowledges."""
    async with running_core(tmp_path), http(tmp_path / f"{caller}.sock") as http_caller:
        answer = await http_caller.request(method, path, content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (403, "NOT_AUTHORISED")


async def test_core_checks_the_person_again(tmp_path: Path) -> None:
    """A viewer hands in nothing, a claimed role counts only if core's own list has it; refusals are on record."""
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        core.user_list = {"vic": User("vic", Role.VIEWER, "h"), "tom": User("tom", Role.TECHNICIAN, "h")}
        actors = [None, *(ActorMessage(user=u, role=r) for u, r in (
            ("vic", "viewer"), ("vic", "installer"), ("tom", "installer"), ("nobody", "technician")))]  # fmt: skip
        for number, actor in enumerate(actors):
            with pytest.raises(Refused, match="NOT_AUTHORISED"):
                await client.submit(start(f"c-{number}", actor=actor))
        assert not core.requests
        assert [audit[0] for audit in core.audits] == [EventType.AUDIT_REFUSED] * len(actors)
        tom = ActorMessage(user="tom", role="technician", address="192.0.2.9")
        assert (await client.submit(start("c-ok", actor=tom))).stage == "received"
        assert core.requests["c-ok"].actor is not None
        assert core.requests["c-ok"].actor.address == "192.0.2.9"


async def test_people_change_their_own_password_and_installers_everybody(tmp_path: Path) -> None:
    """A technician cannot make users, nor raise the own role."""
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        core.user_list = {"tom": User("tom", Role.TECHNICIAN, "h", must_change=True)}
        tom = ActorMessage(user="tom", role="technician")
        for name, role in (("eve", "viewer"), ("tom", "installer")):
            with pytest.raises(Refused, match="NOT_AUTHORISED"):
                await client.put_user(UserMessage(name=name, role=role, password_hash="n", must_change=False), tom)
        await client.put_user(UserMessage(name="tom", role="technician", password_hash="n", must_change=False), tom)
        assert core.user_list["tom"] == User("tom", Role.TECHNICIAN, "n")
        async with Client(tmp_path / "cli.sock") as console:
            await console.put_user(UserMessage(name="ann", role="installer", password_hash="x", must_change=True), None)
        assert core.user_list["ann"].must_change


async def test_cloud_names_no_person_and_no_source(tmp_path: Path) -> None:
    """The source comes from the socket, whatever the body says."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        raw = b'{"commandId":"c-1","name":"STOP_CHARGE","target":"A01-1","source":"cli",' \
              b'"actor":{"user":"ann","role":"installer"}}'  # fmt: skip
        assert (await client.submit_raw(raw)).stage == "received"
        assert core.requests["c-1"].source is Source.CLOUD
        assert core.requests["c-1"].actor is None
        assert core.raw["c-1"] == raw


async def test_unknown_command_is_a_reply_with_a_code(tmp_path: Path) -> None:
    """I10: every refused command gets an answer that sync can publish."""
    async with running_core(tmp_path), Client(tmp_path / "sync.sock") as client:
        reply = await client.submit(RequestMessage(command_id="c-1", name="MAKE_COFFEE"))
        assert (reply.stage, reply.code) == ("rejected", "UNKNOWN_COMMAND")
        assert reply.message_zh


async def test_untrusted_clock_lets_only_stops_limits_and_reads_through(tmp_path: Path) -> None:
    """Ruling 10: a cloud start that carries an expiry cannot be judged; a stop runs; the validity counts from now."""
    clock = RealClock(ClockQuality.UNSYNCED)
    clock.shift_s = -40 * 365 * 86400.0
    real = RealClock().wall()
    times = {"issued_at": real, "expires_at": real + timedelta(seconds=30)}
    async with running_core(tmp_path, clock) as core, Client(tmp_path / "sync.sock") as client:
        reply = await client.submit(start("c-1", **times))
        assert (reply.stage, reply.code) == ("rejected", "CLOCK_UNTRUSTED")
        stop = RequestMessage(command_id="c-2", name="STOP_CHARGE", target="A01-1", **times)
        assert (await client.submit(stop)).stage == "received"
        asked = core.requests["c-2"]
        assert asked.deadline is not None
        assert asked.deadline - asked.received_at == pytest.approx(30)
        async with Client(tmp_path / "cli.sock") as console:
            assert (await console.submit(start("c-3", **times))).stage == "received"


async def test_known_id_is_answered_before_anything_is_judged(tmp_path: Path) -> None:
    """Contract: a repeated commandId gets the stored outcome, also after its expiry."""
    clock = RealClock()
    async with running_core(tmp_path, clock) as core, Client(tmp_path / "sync.sock") as client:
        asked = start("c-1", expires_at=clock.wall() + timedelta(seconds=30))
        assert (await client.submit(asked)).stage == "received"
        assert (await client.request("c-1", wait_s=5)).stage == "done"  # type: ignore[union-attr]
        clock.shift_s = 60
        assert (await client.submit(asked)).stage == "done"
        assert len(core.requests) == 1


async def test_metrics_are_prometheus_text(tmp_path: Path) -> None:
    """Ruling 29: core's figures; every sample belongs to one declared family."""
    async with running_core(tmp_path) as core, http(tmp_path / "panel.sock") as caller:
        lines = (await caller.get("/metrics")).text.splitlines()
        families = [line.split()[2] for line in lines if line.startswith("# TYPE")]
        assert len(families) == len(set(families))
        samples = [line.split("{")[0].split()[0] for line in lines if not line.startswith("#")]
        assert set(samples) == set(families)
        assert f"siteward_journal_seq {len(core.texts)}" in lines
        assert all(float(line.rsplit(" ", 1)[1]) >= 0 for line in lines if not line.startswith("#"))


async def test_events_are_served_byte_for_byte(tmp_path: Path) -> None:
    """Contract: the stored bytes are what is sent."""
    async with running_core(tmp_path) as core, http(tmp_path / "sync.sock") as caller:
        core.add_event(EventType.CONFIG_CHANGED, {"名": "é", "n": 1})
        text = (await caller.get("/v1/events?after=0")).text
        assert ",".join(core.texts) in text
        assert json.loads(text)["lastSeq"] == len(core.texts)


async def test_frames_come_in_the_form_asked_for_and_strange_wishes_are_refused(tmp_path: Path) -> None:
    """S-24: media type and bytes as the recorder made them; an unknown line or form is said so."""
    async with running_core(tmp_path), http(tmp_path / "cli.sock") as caller:
        table = await caller.get("/v1/lines/rs485-1/frames", params={"last": 5})
        assert table.headers["content-type"].startswith("text/csv")
        assert table.content.startswith(b"csv of rs485-1, 5 s")
        capture = await caller.get("/v1/lines/rs485-1/frames", params={"format": "pcap"})
        assert capture.headers["content-type"] == "application/vnd.tcpdump.pcap"
        assert (await caller.get("/v1/lines/none/frames")).status_code == 404
        assert (await caller.get("/v1/lines/rs485-1/frames", params={"format": "exe"})).status_code == 400
