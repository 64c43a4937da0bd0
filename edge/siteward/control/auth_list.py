"""SET_AUTH_LIST: a whole list of tokens or the difference to the one installed, told whole in the journal (B17)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from siteward.control.authorise import token_of
from siteward.control.draft import Draft
from siteward.control.params import BadParam
from siteward.control.refuse import Refused
from siteward.control.session import stamp
from siteward.model.auth import LIST_MOST, UPDATE_MOST, AuthList, ListHead, Token
from siteward.model.events import EventType, Fact
from siteward.model.ids import is_id
from siteward.model.kept import EVERY, KeptKind
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Role, Source, Stage

FULL, DIFFERENTIAL = "full", "differential"
_VERSION_MOST = 2**53 - 1
_KEYS = {"id", "group", "validUntil", "blocked"}


@dataclass(frozen=True, slots=True)
class Update:
    """An update as asked for; base is the version that a difference is to be laid over."""

    version: int
    full: bool
    base: int | None
    tokens: tuple[Token, ...]
    removed: tuple[str, ...]


def set_list(draft: Draft, request: Request) -> None:
    """Install an update: all of it or nothing, done once it is durable with its answer."""
    _may_write(draft, request)
    update = read_update(request)
    before = draft.book.list
    if update.version <= before.head.version or (not update.full and update.base != before.head.version):
        if _same(before, update):
            draft.answer(request, Stage.ACCEPTED)
            draft.answer(request, Stage.DONE, result=_result(before))
            return
        raise Refused(Refusal.LIST_VERSION, f"installed is version {before.head.version}")
    after = _installed(before, update, draft.snapshot.wall)
    if len(after.tokens) > LIST_MOST:
        raise Refused(Refusal.LIST_FULL, f"at most {LIST_MOST}")
    _keep(draft, before, update, after)
    draft.facts.append(_fact(request, update, after, draft.snapshot.wall))
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result=_result(after))


def _may_write(draft: Draft, request: Request) -> None:
    """The platform, the console, and installers at the panel; never a card."""
    if request.source not in (Source.CLOUD, Source.CLI, Source.PANEL):
        raise Refused(Refusal.NOT_AUTHORISED)
    if request.source is Source.PANEL and (request.actor is None or request.actor.role is not Role.INSTALLER):
        raise Refused(Refusal.NOT_AUTHORISED)
    if request.source is Source.CLOUD and request.deadline is not None and not draft.snapshot.clock.trusted:
        raise Refused(Refusal.CLOCK_UNTRUSTED)


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
        raise BadParam(f"tokens: at most {UPDATE_MOST} in one update; send the rest as a difference")
    if len({token.id for token in tokens} | set(removed)) < len(tokens) + len(removed):
        raise BadParam("tokens: one of them is named twice")
    return Update(_version(params, "version"), full, None if full else _version(params, "baseVersion"), tokens, removed)


def _version(params: Mapping[str, object], name: str) -> int:
    value = params.get(name)
    low = 0 if name == "baseVersion" else 1
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= _VERSION_MOST:
        raise BadParam(f"{name}: {value!r} is no whole number from {low} on")
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
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise BadParam(f"{where}.validUntil: {value!r} is no time of RFC 3339") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(before: AuthList, update: Update) -> bool:
    """Whether the list is what the update would leave: a repetition has no second effect (S-75)."""
    if update.version != before.head.version:
        return False
    if update.full:
        return dict(before.tokens) == {token.id: token for token in update.tokens}
    kept = all(before.tokens.get(token.id) == token for token in update.tokens)
    return kept and not any(name in before.tokens for name in update.removed)


def _installed(before: AuthList, update: Update, wall: datetime) -> AuthList:
    tokens = {} if update.full else dict(before.tokens)
    for name in update.removed:
        tokens.pop(name, None)
    tokens |= {token.id: token for token in update.tokens}
    return AuthList(ListHead(update.version, wall), tokens)


def _keep(draft: Draft, before: AuthList, update: Update, after: AuthList) -> None:
    """A card that was taken off the list is not let in for having been seen."""
    if update.full:
        draft.keep(KeptKind.ENTRY, EVERY)
    for token in update.tokens:
        draft.keep(KeptKind.ENTRY, token.id, token)
    for name in update.removed:
        draft.keep(KeptKind.ENTRY, name)
    draft.keep(KeptKind.LIST, "list", after.head)
    gone = (set(before.tokens) | set(update.removed)) - set(after.tokens)
    seen = {name: at for name, at in draft.book.seen.items() if name not in gone}
    for name in sorted(gone & set(draft.book.seen)):
        draft.keep(KeptKind.SEEN, name)
    draft.book = replace(draft.book, list=after, seen=seen)


def _fact(request: Request, update: Update, after: AuthList, wall: datetime) -> Fact:
    """The whole update: the list of any day follows from the journal alone."""
    data: dict[str, object] = {
        "commandId": request.id,
        "source": request.source.value,
        "version": update.version,
        "update": FULL if update.full else DIFFERENTIAL,
        "tokens": [entry_of(token) for token in update.tokens],
        "count": len(after.tokens),
    }
    if not update.full:
        data |= {"baseVersion": update.base, "removed": list(update.removed)}
    if request.actor is not None:
        data["user"] = request.actor.user
    return Fact(EventType.AUDIT_AUTH_LIST, data, occurred_at=wall)


def entry_of(token: Token) -> dict[str, object]:
    """A token as the contract writes it; what is not said is left out."""
    entry: dict[str, object] = {"id": token.id}
    if token.group:
        entry["group"] = token.group
    if token.valid_until is not None:
        entry["validUntil"] = stamp(token.valid_until)
    if token.blocked:
        entry["blocked"] = True
    return entry


def _result(installed: AuthList) -> dict[str, object]:
    return {"version": installed.head.version, "tokens": len(installed.tokens)}
