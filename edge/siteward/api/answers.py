"""Answers of the local API: messages and refusals as HTTP responses, bodies read with a size limit."""

from typing import TypeVar

from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from siteward.client.messages import ErrorMessage, Message, ReplyMessage
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Reply

M = TypeVar("M", bound=Message)

BODY_MAX = 64 * 1024
"""Largest accepted body in bytes."""

STATUS: dict[Refusal, int] = {
    Refusal.MALFORMED: 400,
    Refusal.BAD_PARAMS: 400,
    Refusal.TOO_LARGE: 413,
    Refusal.NOT_AUTHORISED: 403,
    Refusal.WRONG_STATION: 403,
    Refusal.UNKNOWN_TARGET: 404,
    Refusal.NO_SUCH_SESSION: 404,
    Refusal.NOT_SUPPORTED: 404,
    Refusal.RATE_LIMITED: 429,
    Refusal.STORE_FAILED: 503,
    Refusal.CORE_DOWN: 503,
}
"""HTTP status of each refusal that can be an answer by itself."""


class Denied(Exception):
    """Ends a call with a refusal; detail says what exactly, in English, after the catalogue's sentence."""

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(refusal.value)
        self.refusal = refusal
        self.detail = detail


def json_text(text: str | bytes, status: int = 200) -> Response:
    """Response with JSON text that is already made."""
    return Response(text, status_code=status, media_type="application/json", headers={"cache-control": "no-store"})


def message(body: Message, status: int = 200) -> Response:
    """Response with a message."""
    return json_text(body.to_json(), status)


def refusal(code: Refusal, detail: str = "") -> Response:
    """Response that says no, with both sentences."""
    sentence = REFUSALS[code]
    text = f"{sentence.en} ({detail})" if detail else sentence.en
    return message(ErrorMessage(code=code, message=text, message_zh=sentence.zh), STATUS.get(code, 400))


def reply_message(reply: Reply) -> ReplyMessage:
    """A command's reply as a message; sentences of the catalogue are filled in where it has none of its own."""
    sentence = REFUSALS[Refusal(reply.code)] if reply.code and reply.code in Refusal.__members__ else None
    return ReplyMessage(
        command_id=reply.command,
        stage=reply.stage,
        code=reply.code,
        message=reply.message or (sentence.en if sentence else None),
        message_zh=sentence.zh if sentence else None,
        result=dict(reply.result) if reply.result is not None else None,
    )


async def body(request: Request) -> bytes:
    """The request's body. Raises Denied(TOO_LARGE) as soon as the limit is passed, whatever content-length says."""
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > BODY_MAX:
                raise Denied(Refusal.TOO_LARGE, f"at most {BODY_MAX} bytes")
    except ClientDisconnect as gone:
        raise Denied(Refusal.MALFORMED, "broken off") from gone
    return bytes(raw)


def parse(kind: type[M], raw: bytes) -> M:
    """The message in a body. Raises Denied(MALFORMED) naming the first thing that is wrong."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Denied(Refusal.MALFORMED, f"{where}: {first['msg']}" if where else first["msg"]) from wrong


def number(request: Request, name: str, default: float, low: float, high: float) -> float:
    """A query parameter as a number, brought into its range. Raises Denied(BAD_PARAMS) for what is no number."""
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError as wrong:
        raise Denied(Refusal.BAD_PARAMS, f"{name} is no number") from wrong
    if value != value:
        raise Denied(Refusal.BAD_PARAMS, f"{name} is no number")
    return min(max(value, low), high)
