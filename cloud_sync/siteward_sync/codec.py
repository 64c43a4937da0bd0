"""Bytes to messages and back: refuses size, depth, number and encoding bombs before anything else looks at them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError

from siteward.client.strict import DECODER, NotStrict, check_tree
from siteward.model.ids import is_id
from siteward.model.refusals import Refusal
from siteward_sync.errors import BadMessage
from siteward_sync.protocol.v1.base import PROTOCOL_VERSION, Head, Wire, rfc3339

DOWN_LIMIT = 64 * 1024
"""Largest message, in bytes, that a station reads, and largest batch of events that it sends."""

UP_LIMIT = 1024 * 1024
"""Largest message, in bytes, that a platform reads: a heartbeat of a big site is longer than a batch."""

_GLIMPSE = 4096
_HEAD_KEYS = ("protocolVersion", "stationId", "messageId", "sentAt")
_VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}", re.ASCII)
_SPACE = re.compile(r"[ \t\r\n]*")

W = TypeVar("W", bound=Wire)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose envelope is good: `raw` is the payload's own text, byte for byte, `value` the same parsed."""

    head: Head
    raw: bytes
    value: dict[str, Any]


def _refuse(why: str) -> NoReturn:
    raise BadMessage(Refusal.MALFORMED, why)


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """Members of the outermost object: each value with its own source text."""

    def skip(at: int) -> int:
        match = _SPACE.match(text, at)
        return match.end() if match else at

    found: dict[str, tuple[Any, str]] = {}
    at = skip(0)
    if text[at : at + 1] != "{":
        _refuse("not a JSON object")
    at = skip(at + 1)
    closing = text[at : at + 1] == "}"
    while not closing:
        key, at = DECODER.raw_decode(text, at)
        at = skip(at)
        if not isinstance(key, str) or key in found or text[at : at + 1] != ":":
            _refuse("not a JSON object")
        start = skip(at + 1)
        value, end = DECODER.raw_decode(text, start)
        found[key] = (value, text[start:end])
        at = skip(end)
        if text[at : at + 1] not in (",", "}"):
            _refuse("not a JSON object")
        closing = text[at] == "}"
        at = skip(at + 1) if not closing else at
    if skip(at + 1) != len(text):
        _refuse("more than one JSON value")
    return found


def _parse(data: bytes) -> dict[str, tuple[Any, str]]:
    """Members of the message, every bomb refused. Raises BadMessage."""
    try:
        members = _members(data.decode("utf-8"))
        for key, (value, _) in members.items():
            key.encode()
            check_tree(value)
    except NotStrict as bad:
        raise BadMessage(Refusal.MALFORMED, str(bad)) from bad
    except (ValueError, RecursionError) as error:
        raise BadMessage(Refusal.MALFORMED, f"not JSON: {type(error).__name__}") from error
    return members


def _id_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and is_id(value) else None


def open_envelope(data: bytes, *, limit: int = DOWN_LIMIT) -> Opened:
    """Check size, JSON, version and envelope. Raises BadMessage: the code to answer and the ids that were readable."""
    if len(data) > limit:
        why = f"{len(data)} bytes, at most {limit} are read"
        ids = (_glimpsed(data, name) for name in (b"messageId", b"commandId"))
        raise BadMessage(Refusal.TOO_LARGE, why, message_id=next(ids), command_id=next(ids))
    members = _parse(data)
    payload, raw = members.get("payload", (None, ""))
    message_id = _id_or_none(members.get("messageId", (None,))[0])
    command_id = _id_or_none(payload.get("commandId")) if isinstance(payload, dict) else None

    def refuse(code: Refusal, why: str) -> NoReturn:
        raise BadMessage(code, why, message_id=message_id, command_id=command_id)

    version = members.get("protocolVersion", (None,))[0]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        refuse(Refusal.MALFORMED, "protocolVersion is missing or no version")
    if version.partition(".")[0] != PROTOCOL_VERSION.partition(".")[0]:
        refuse(Refusal.UNSUPPORTED_VERSION, f"protocolVersion {version}")
    if not isinstance(payload, dict):
        refuse(Refusal.MALFORMED, "payload is no object")
    try:
        head = Head.model_validate_json(_join({key: members[key][1] for key in _HEAD_KEYS if key in members}))
    except ValidationError as error:
        refuse(Refusal.MALFORMED, f"envelope: {_first(error)}")
    return Opened(head, raw.encode(), payload)


def _glimpsed(data: bytes, name: bytes) -> str | None:
    """An id from the beginning of what is too large to be read; it says whom to answer, and nothing else."""
    found = re.search(rb'"%s"\s*:\s*"([A-Za-z0-9._-]{1,64})"' % name, data[:_GLIMPSE])
    return None if found is None else found[1].decode()


def _join(members: dict[str, str]) -> str:
    return "{" + ",".join(f'"{key}":{raw}' for key, raw in members.items()) + "}"


def _first(error: ValidationError) -> str:
    """First complaint of a validation, without the value: it may be hostile or private."""
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"[:200]


def read_payload(opened: Opened, model: type[W]) -> W:
    """Payload as a message of contract v1. Raises BadMessage (MALFORMED)."""
    return read_text(opened.raw, model, opened.head.message_id, _id_or_none(opened.value.get("commandId")))


def read_text(text: bytes, model: type[W], message_id: str | None, command_id: str | None = None) -> W:
    """JSON as a message of contract v1; the ids are for the answer. Raises BadMessage (MALFORMED)."""
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        why = f"payload: {_first(error)}"
        raise BadMessage(Refusal.MALFORMED, why, message_id=message_id, command_id=command_id) from error


def seal(station: str, message_id: str, sent_at: datetime, payload: bytes) -> bytes:
    """Bytes of a message around a payload that is JSON already."""
    head = (
        f'{{"protocolVersion":"{PROTOCOL_VERSION}","stationId":"{station}",'
        f'"messageId":"{message_id}","sentAt":"{rfc3339(sent_at)}","payload":'
    )
    return head.encode() + payload + b"}"
