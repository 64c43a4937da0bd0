"""The one client of the local API: HTTP over core's Unix socket, errors mapped, nothing retried."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from siteward.client.bill_messages import EvidenceMessage, TariffsMessage
from siteward.client.curve_messages import CurveMessage
from siteward.client.errors import CoreDown, Refused, Unreachable
from siteward.client.messages import (
    AckMessage,
    ActorMessage,
    AuditMessage,
    ErrorMessage,
    EventsMessage,
    HealthMessage,
    KeysMessage,
    LiveMessage,
    Message,
    ReplyMessage,
    RequestMessage,
    SessionMessage,
    SessionsMessage,
    UplinkMessage,
)
from siteward.client.records import (
    AlarmLogMessage,
    AlarmRecordMessage,
    AuthListMessage,
    UserChangeMessage,
    UserMessage,
    UsersMessage,
    WireCallMessage,
    WireHeardMessage,
)
from siteward.model.frames import FrameFormat
from siteward.model.refusals import Refusal

M = TypeVar("M", bound=Message)
_POOL = httpx.Limits(max_connections=6, max_keepalive_connections=2, keepalive_expiry=3.0)
"""Below core's 8 connections a socket; idle ones are dropped before core drops them."""

STREAM_SILENCE_S = 10.0
"""A live stream that says nothing for so long is dead: core sends at least one line each 5 s while it turns."""

CALL_WAIT_S = 25.0
"""A call on a busy wire waits longer than the wire's owner lets it wait (20 s)."""


class Client:
    """Use as an async context manager; every call may raise CoreDown or Refused, timeout_s bounds each of them."""

    def __init__(self, socket: Path, timeout_s: float = 5.0) -> None:
        self._socket = socket
        self._timeout_s = timeout_s
        transport = httpx.AsyncHTTPTransport(uds=str(socket), limits=_POOL)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://core", timeout=timeout_s, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Drop every connection."""
        await self._http.aclose()

    async def live(self) -> LiveMessage:
        """The live view of the last turn."""
        return self._parse(LiveMessage, await self._call("GET", "/v1/live"))

    async def stream(self) -> AsyncIterator[LiveMessage]:
        """Live views as they come, at most 2 a second, latest wins. Ends only by CoreDown or Refused."""
        timeout = httpx.Timeout(self._timeout_s, read=STREAM_SILENCE_S)
        with self._mapped():
            async with self._http.stream("GET", "/v1/live/stream", timeout=timeout) as answer:
                if answer.is_error:
                    await answer.aread()
                    raise _refusal(answer)
                async for line in answer.aiter_lines():
                    if line:
                        yield self._parse(LiveMessage, line)
        raise CoreDown(f"core ended the live stream on {self._socket}")

    async def submit(self, request: RequestMessage) -> ReplyMessage:
        """Hand in one request; the answer says how far it is (received, or the stored outcome of a known id)."""
        return await self.submit_raw(request.model_dump_json(by_alias=True, exclude_none=True).encode())

    async def submit_raw(self, raw: bytes) -> ReplyMessage:
        """Hand in the bytes of a contract command as they arrived."""
        return self._parse(ReplyMessage, await self._call("POST", "/v1/requests", content=raw))

    async def request(self, command_id: str, wait_s: float = 0) -> ReplyMessage | None:
        """Latest stage of a request; waits up to wait_s for its final one. None = core does not know the id."""
        try:
            path = f"/v1/requests/{quote(command_id, safe='')}"
            return self._parse(ReplyMessage, await self._call("GET", path, {"wait": wait_s}, wait_s=wait_s))
        except Refused as no:
            if no.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def events(self, after: int, limit: int = 500, wait_s: float = 0) -> EventsMessage:
        """Journal events with seq > after, in order; waits up to wait_s for the first of them."""
        params = {"after": after, "limit": limit, "wait": wait_s}
        return self._parse(EventsMessage, await self._call("GET", "/v1/events", params, wait_s=wait_s))

    async def ack(self, ack: AckMessage) -> None:
        """Tell core that the platform has everything up to ack.seq of ack.journal_id."""
        await self._call("POST", "/v1/outbox/ack", content=ack.to_json().encode())

    async def sessions(self, limit: int = 50, before: str | None = None) -> tuple[SessionMessage, ...]:
        """Sessions, newest first; before = id of the last one of the page before."""
        params: dict[str, Any] = {"limit": limit} | ({"before": before} if before else {})
        return self._parse(SessionsMessage, await self._call("GET", "/v1/sessions", params)).sessions

    async def session(self, session: str) -> SessionMessage | None:
        """One session, None when there is none of that id."""
        try:
            return self._parse(SessionMessage, await self._call("GET", f"/v1/sessions/{quote(session, safe='')}"))
        except Refused as no:
            if no.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def evidence(self, session: str) -> EvidenceMessage | None:
        """What a session's bill is made from, None when there is none of that id."""
        try:
            path = f"/v1/sessions/{quote(session, safe='')}/bill"
            return self._parse(EvidenceMessage, await self._call("GET", path))
        except Refused as no:
            if no.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def curve(self, session: str, points: int = 700) -> CurveMessage | None:
        """What is kept of a session's power in about so many points, None when there is none of that id."""
        try:
            path = f"/v1/sessions/{quote(session, safe='')}/curve"
            return self._parse(CurveMessage, await self._call("GET", path, {"points": points}))
        except Refused as no:
            if no.status == httpx.codes.NOT_FOUND:
                return None
            raise

    async def tariffs(self) -> tuple[dict[str, Any], ...]:
        """Every version of every tariff, as tariff.installed says it."""
        return self._parse(TariffsMessage, await self._call("GET", "/v1/tariffs")).tariffs

    async def alarm_log(self, limit: int = 50, before: int | None = None) -> tuple[AlarmRecordMessage, ...]:
        """Handling records of alarms, newest first; before = number of the last one of the page before."""
        params: dict[str, Any] = {"limit": limit} | ({} if before is None else {"before": before})
        return self._parse(AlarmLogMessage, await self._call("GET", "/v1/alarms/log", params)).alarms

    async def uplink(self, report: UplinkMessage) -> None:
        """Tell core how the connection to the platform and the outputs of alarms are (sync only)."""
        await self._call("POST", "/v1/uplink", content=report.to_json().encode())

    async def frames(self, line: str, form: FrameFormat, last_s: float) -> bytes:
        """What travelled on a line in the last seconds, as a file of that form."""
        params = {"format": form.value, "last": last_s}
        return (await self._answer("GET", f"/v1/lines/{quote(line, safe='')}/frames", params)).content

    async def call(self, line: str, call: WireCallMessage) -> WireHeardMessage:
        """Have core read on a wire that it owns; the call waits for its share of the wire's time."""
        path = f"/v1/lines/{quote(line, safe='')}/call"
        text = await self._call("POST", path, content=call.to_json().encode(), wait_s=CALL_WAIT_S)
        return self._parse(WireHeardMessage, text)

    async def site(self) -> dict[str, Any]:
        """The validated site with its hash, keys as on the wire."""
        with self._mapped():
            site: dict[str, Any] = httpx.Response(200, text=await self._call("GET", "/v1/site")).json()
            return site

    async def health(self) -> HealthMessage:
        """Core's own figures."""
        return self._parse(HealthMessage, await self._call("GET", "/v1/health"))

    async def auth_list(self) -> AuthListMessage:
        """The list of cards in force (panel and cli only)."""
        return self._parse(AuthListMessage, await self._call("GET", "/v1/auth"))

    async def keys(self) -> KeysMessage:
        """Whose signed commands are taken now (panel and cli only)."""
        return self._parse(KeysMessage, await self._call("GET", "/v1/keys"))

    async def users(self) -> tuple[UserMessage, ...]:
        """Every user with password hash (panel and cli only)."""
        return self._parse(UsersMessage, await self._call("GET", "/v1/users")).users

    async def put_user(self, user: UserMessage, actor: ActorMessage | None) -> None:
        """Create or replace a user, in the name of actor (None only on the cli's socket)."""
        body = UserChangeMessage(user=user, actor=actor).to_json().encode()
        await self._call("PUT", f"/v1/users/{quote(user.name, safe='')}", content=body)

    async def audit(self, type: str, data: Mapping[str, Any], actor: ActorMessage | None = None) -> None:  # noqa: A002
        """Write an audit.* event into the journal (a login, a refused message)."""
        body = AuditMessage(type=type, data=dict(data), actor=actor).to_json().encode()
        await self._call("POST", "/v1/audit", content=body)

    async def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        wait_s: float = 0,
    ) -> str:
        """Text of a good answer; wait_s is added to the time-out of a long poll."""
        return (await self._answer(method, path, params, content, wait_s)).text

    async def _answer(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        wait_s: float = 0,
    ) -> httpx.Response:
        with self._mapped():
            answer = await self._http.request(
                method, path, params=params, content=content, timeout=self._timeout_s + wait_s
            )
        if answer.is_error:
            raise _refusal(answer)
        return answer

    def _parse(self, kind: type[M], text: str) -> M:
        try:
            return kind.model_validate_json(text)
        except ValidationError as wrong:
            raise CoreDown(f"core on {self._socket} sent no valid {kind.__name__}: {wrong}") from wrong

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException as late:
            raise CoreDown(f"core did not answer in time on {self._socket}") from late
        except (httpx.HTTPError, httpx.StreamError, ValueError) as gone:
            raise CoreDown(f"core is not there on {self._socket}: {gone}") from gone


class Outside:
    """Posts to a server outside this machine: for outputs of alarms, never from core. Redirects are not followed.

    `trust` says whose certificates count.
    """

    def __init__(self, timeout_s: float, trust: ssl.SSLContext) -> None:
        self._http = httpx.AsyncClient(timeout=timeout_s, verify=trust)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Status of the answer, whose body is not read. Raises Unreachable."""
        try:
            async with self._http.stream("POST", url, content=content, headers=dict(headers)) as answer:
                return answer.status_code
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ValueError) as error:
            raise Unreachable(str(error) or type(error).__name__) from error


def _refusal(answer: httpx.Response) -> Refused | CoreDown:
    """The error that an answer of 400 or more stands for."""
    try:
        body = ErrorMessage.model_validate_json(answer.content)
    except ValidationError:
        return CoreDown(f"core answered {answer.status_code} without a readable reason")
    if body.code == Refusal.CORE_DOWN:
        return CoreDown(body.message)
    return Refused(body.code, body.message, body.message_zh, answer.status_code)
