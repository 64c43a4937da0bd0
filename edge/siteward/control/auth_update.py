"""SET_AUTH_LIST as it is asked for: a whole list, one part of it, or a difference, read field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from siteward.control.authorise import token_of
from siteward.control.params import BadParam
from siteward.model.auth import LIST_MOST, PARTS_MOST, UPDATE_MOST, Token
from siteward.model.ids import is_id
from siteward.model.instants import instant
from siteward.model.requests import Request

FULL, DIFFERENTIAL, PART = "full", "differential", "part"
_VERSION_MOST = 2**53 - 1
_KEYS = {"id", "group", "validUntil", "blocked"}


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a full list an update is: `number` of `of`, and how many cards the whole list has."""

    number: int
    of: int
    count: int


@dataclass(frozen=True, slots=True)
class Update:
    """An update as asked for; base is the version that a difference is laid over, part is None for all at once."""

    version: int
    full: bool
    base: int | None
    tokens: tuple[Token, ...]
    removed: tuple[str, ...]
    part: Part | None = None


def read_update(request: Request) -> Update:
    """Read SET_AUTH_LIST. Raises BadParam."""
    params = request.params or {}
    kind = params.get("update", FULL)
    if kind not in (FULL, DIFFERENTIAL):
        raise BadParam(f"update: {kind!r} is neither {FULL} nor {DIFFERENTIAL}")
    full = kind == FULL
    tokens = tuple(_token(entry, number) for number, entry in enumerate(_list(params, "tokens")))
    removed = tuple(token_of(_id(entry, f"remove[{number}]")) for number, entry in enumerate(_list(params, "remove")))
    if full and removed:
        raise BadParam("remove: a full list replaces everything; leave it out")
    if len(tokens) + len(removed) > UPDATE_MOST:
        raise BadParam(f"tokens: at most {UPDATE_MOST} in one update; send a full list in parts")
    if len({token.id for token in tokens} | set(removed)) < len(tokens) + len(removed):
        raise BadParam("tokens: one of them is named twice")
    base = None if full else _version(params, "baseVersion")
    return Update(_version(params, "version"), full, base, tokens, removed, _part(params, full))


def _part(params: Mapping[str, object], full: bool) -> Part | None:
    if not {"part", "parts", "count"} & set(params):
        return None
    if not full:
        raise BadParam(f"part: only a {FULL} list comes in parts")
    of = _whole(params, "parts", 1, PARTS_MOST)
    return Part(_whole(params, "part", 1, of), of, _whole(params, "count", 0, LIST_MOST))


def _version(params: Mapping[str, object], name: str) -> int:
    return _whole(params, name, 0 if name == "baseVersion" else 1, _VERSION_MOST)


def _whole(params: Mapping[str, object], name: str, low: int, most: int) -> int:
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= most:
        to = "on" if most == _VERSION_MOST else f"to {most}"
        raise BadParam(f"{name}: {value!r} is no whole number from {low} {to}")
    return value


def _list(params: Mapping[str, object], name: str) -> list[object]:
    value = params.get(name, [])
    if not isinstance(value, list | tuple):
        raise BadParam(f"{name}: {value!r} is no list")
    return list(value)


def _id(value: object, where: str) -> str:
    if not isinstance(value, str) or not is_id(value):
        raise BadParam(f"{where}: {value!r} is no id of 1 to 64 of A-Z a-z 0-9 . _ -")
    return value


def _token(entry: object, number: int) -> Token:
    where = f"tokens[{number}]"
    if not isinstance(entry, Mapping):
        raise BadParam(f"{where}: {entry!r} is no object with an id")
    strange = sorted(set(map(str, entry)) - _KEYS)
    if strange:
        raise BadParam(f"{where}.{strange[0]}: unknown; known are {', '.join(sorted(_KEYS))}")
    group, blocked = entry.get("group", ""), entry.get("blocked", False)
    if group != "" and (not isinstance(group, str) or not is_id(group)):
        raise BadParam(f"{where}.group: {group!r} is no id")
    if not isinstance(blocked, bool):
        raise BadParam(f"{where}.blocked: {blocked!r} is neither true nor false")
    return Token(token_of(_id(entry.get("id"), f"{where}.id")), str(group), _moment(entry, where), blocked)


def _moment(entry: Mapping[str, object], where: str) -> datetime | None:
    value = entry.get("validUntil")
    if value is None:
        return None
    try:
        return instant(str(value), UTC)
    except ValueError as error:
        raise BadParam(f"{where}.validUntil: {value!r} is no time of RFC 3339") from error
