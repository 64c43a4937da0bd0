"""Whatever is posted to the local API, over real control and a real store: an answer with a code, no fault of ours."""

import asyncio
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from siteward.api.app import Api, build_app
from siteward.client.messages import ErrorMessage, EventsMessage, ReplyMessage
from siteward.model.batch import Batch
from siteward.model.ids import CommandId
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Reply, Request, Source, Stage
from siteward.store.open import open_store
from siteward.store.store import Store
from siteward_sync.replies import from_core, from_event
from siteward_sync.window import batches
from tests.fixtures.anything import TEXTS, bent
from tests.fixtures.clock import RealClock
from tests.fixtures.commands import GOOD, TARGETS
from tests.fixtures.core import FakeCore
from tests.fixtures.story_rig import Rig
from tests.fixtures.tariffs import depot

CALLERS = (Source.CLOUD, Source.CLI, Source.PANEL, Source.LOCAL)
LATER = "2099-01-01T00:00:00Z"
LONGEST = 4000
"""Bytes of an answer: it goes to the platform over brokers that take no large ones, and stays in the journal."""


class RigCore(FakeCore):
    """Real control, moved by hand, before a real store: a request has had its turn when its answer is back."""

    def __init__(self, folder: Path, clock: RealClock, store: Store) -> None:
        self.rig = Rig()
        super().__init__(folder, clock, self.rig.site)
        self.store = store

    async def submit(self, request: Request, raw: bytes) -> Reply:
        known = await self.store.accept(request, raw)
        if known is not None:
            return known
        rig = self.rig
        length_s = None if request.deadline is None else request.deadline - request.received_at
        deadline = None if length_s is None else rig.at + length_s
        await self.turn(replace(request, received_at=rig.at, received_wall=rig.wall, deadline=deadline))
        return Reply(request.id, Stage.RECEIVED)

    async def turn(self, *requests: Request) -> None:
        """One turn, and its batch on the disk."""
        draft = self.rig.turn(*requests).draft
        rows, kept = tuple(draft.rows.values()), tuple(draft.kept)
        facts, replies = tuple(draft.facts), tuple(draft.replies)
        await self.store.commit(Batch(self.rig.clock, facts, replies, rows, (), draft.stored_limits(), kept))

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_THE_STORE:
            return getattr(object.__getattribute__(self, "store"), name)
        return object.__getattribute__(self, name)


_OF_THE_STORE = frozenset(
    {"refuse", "request", "events", "ack", "sessions", "session", "charged", "tariffs", "evidence", "alarm_log"}
    | {"users", "put_user", "audit"}
)

COMMANDS: tuple[dict[str, Any], ...] = (
    *({"name": name, "params": params} for name, good in GOOD.items() for params in good),
    {"name": CommandName.SET_TARIFF, "params": {"tariff": json.loads(json.dumps(depot()))}},
    {"name": CommandName.UNLOCK_CONNECTOR},
    {"name": CommandName.SET_CONFIG, "params": {"x": 1}},
)


@st.composite
def posts(draw: st.DrawFn) -> tuple[Source, str, str, bytes]:
    """Caller, method, path and body of a call; most are commands with some wrong value in them."""
    caller, kind = draw(st.sampled_from(CALLERS)), draw(st.integers(0, 9))
    if kind < 7:
        body: Any = dict(draw(st.sampled_from(COMMANDS)))
        body |= {"commandId": f"c-{draw(st.integers(0, 10**9))}", "target": draw(st.sampled_from(TARGETS))}
        body |= {"stationId": "T-1", "issuedAt": "2026-01-01T00:00:00Z", "expiresAt": LATER, "orderId": "O-7"}
        return caller, "POST", "/v1/requests", json.dumps(draw(bent(body))).encode()
    word = draw(st.sampled_from([text for text in TEXTS if 0 < len(text) < 100]))
    method, path, body = draw(
        st.sampled_from(
            [
                (
                    "POST",
                    "/v1/audit",
                    {"type": "audit.refused", "data": {"a": [1]}, "actor": {"user": "a", "role": "viewer"}},
                ),
                ("POST", "/v1/outbox/ack", {"journalId": "J", "seq": 1}),
                ("POST", "/v1/uplink", {"connected": True, "failing": ["a"]}),
                (
                    "PUT",
                    "/v1/users/ann",
                    {"user": {"name": "ann", "role": "viewer", "passwordHash": "", "mustChange": True}},
                ),
                ("GET", "/v1/events?after={}&limit={}", None),
                ("GET", "/v1/sessions?before={}&limit={}", None),
                ("GET", "/v1/alarms/log?before={}&limit={}", None),
                ("GET", "/v1/requests/{}?wait=0", None),
                ("GET", "/v1/sessions/{}/bill", None),
                ("GET", "/v1/sessions/{}", None),
                ("GET", "/v1/lines/{}/frames?last={}", None),
                ("GET", "/v1/{}", None),
            ]
        )
    )
    data = b"" if body is None else json.dumps(draw(bent(body))).encode()
    number = draw(st.sampled_from(["0", "-1", "nan", "inf", "1e999", "9" * 400, "x", ""]))
    return caller, method, path.format(*([word] if "?" not in path.partition("{}")[0] else [number]), number), data


async def call(app: Api, method: str, path: str, body: bytes) -> tuple[int, bytes]:
    """One call as the server hands it on; an exception is what it would answer 500 to."""
    where, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": unquote_to_bytes(where).decode("utf-8", "replace"),
        "headers": [],
    }
    scope |= {"query_string": query.encode(), "http_version": "1.1", "scheme": "http", "root_path": "", "server": None}
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


async def _judge(app: Api, path: str, status: int, answer: bytes) -> None:
    """A good answer, or a refusal with a known code; a command that was taken has had one final answer by now."""
    assert status < 500, (path, status, answer)
    if status >= 400:
        assert ErrorMessage.model_validate_json(answer).code in set(Refusal)
        assert len(answer) < LONGEST
    elif path == "/v1/requests":
        reply = ReplyMessage.model_validate_json(answer)
        if reply.code != Refusal.UNKNOWN_COMMAND:
            _, answer = await call(app, "GET", f"/v1/requests/{reply.command_id}", b"")
            reply = ReplyMessage.model_validate_json(answer)
        assert reply.stage in {Stage.REJECTED, Stage.EXPIRED, Stage.DONE, Stage.ACCEPTED, Stage.FAILED}
        assert reply.code in {None, *Refusal}
        assert from_core(reply, "m-1").stage == reply.stage
        assert len(answer) < LONGEST


async def _journal_is_whole(core: RigCore, app: Api) -> None:
    """Everything that came of it is a chain that holds, goes to the platform, and comes back after a restart."""
    assert (await core.store.verify()).ok
    after = 0
    while events := EventsMessage.model_validate_json(
        (await call(app, "GET", f"/v1/events?after={after}", b""))[1]
    ).events:
        list(batches(events, 65_000))
        for event in events:
            from_event(event)
            finals = event["type"] in ("command.rejected", "command.done", "command.failed", "command.expired")
            assert not finals or len(json.dumps(event, ensure_ascii=False).encode()) < LONGEST
        after = int(events[-1]["seq"])
    for request in (await core.store.recover()).unfinished:
        # What comes back after a restart is what was asked for: NaN must not have become "not given".
        assert await core.store.request(CommandId(request.id)) is not None


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@given(st.lists(posts(), min_size=60, max_size=90))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_any_body_is_answered_and_the_journal_stays_whole(calls: list[tuple[Source, str, str, bytes]]) -> None:
    """S-99, I10, law 2: no body, path or query is a fault of core, behind which sync would hold every later command."""

    async def story() -> None:
        clock = RealClock()
        with tempfile.TemporaryDirectory() as folder:
            store = await open_store(Path(folder) / "siteward.db", clock)
            core = RigCore(Path(folder), clock, store)
            await core.turn_once()
            ending = asyncio.Event()
            apps = {caller: build_app(core, caller, clock, ending) for caller in CALLERS}
            for caller, method, path, body in calls:
                status, answer = await call(apps[caller], method, path, body)
                await _judge(apps[caller], path, status, answer)
            for _ in range(3):
                await core.turn()
            await _journal_is_whole(core, apps[Source.CLOUD])
            await store.close()

    asyncio.run(story())


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_no_json_has_is_no_parameter(word: str) -> None:
    """S-99, I8: kept as JSON a bound of NaN is none at all, and after a crash the session began without it."""
    body = f'{{"commandId":"c-1","name":"START_CHARGE","target":"A1","params":{{"x":[{{"maxEnergy_wh":{word}}}]}}}}'

    async def story() -> None:
        clock = RealClock()
        with tempfile.TemporaryDirectory() as folder:
            store = await open_store(Path(folder) / "siteward.db", clock)
            app = build_app(RigCore(Path(folder), clock, store), Source.CLI, clock)
            status, answer = await call(app, "POST", "/v1/requests", body.encode())
            await store.close()
        assert status == 400
        assert ErrorMessage.model_validate_json(answer).code == Refusal.MALFORMED

    asyncio.run(story())
