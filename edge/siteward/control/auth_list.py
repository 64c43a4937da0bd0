"""SET_AUTH_LIST: a list of tokens, whole, in parts, or as a difference, told whole in the journal (B17)."""

from dataclasses import replace
from datetime import datetime

from siteward.control.auth_parts import drop_staged, with_part
from siteward.control.auth_update import DIFFERENTIAL, FULL, PART, Update, read_update
from siteward.control.draft import Draft
from siteward.control.refuse import Refused, must_be_in_time
from siteward.control.session import stamp
from siteward.model.auth import LIST_MOST, AuthList, ListHead, Token
from siteward.model.events import EventType, Fact
from siteward.model.kept import EVERY, SWAP, KeptKind
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Role, Source, Stage


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
    after = _staged(draft, update) if update.part is not None else _at_once(draft, update)
    if after is not before:
        draft.facts.append(_fact(request, update, after, draft.snapshot.wall))
    draft.answer(request, Stage.ACCEPTED)
    draft.answer(request, Stage.DONE, result=_result(after))


def _at_once(draft: Draft, update: Update) -> AuthList:
    """A whole list or a difference in one command. A newer list that is on its way in parts goes on coming."""
    before = draft.book.list
    after = _installed(before, update, draft.snapshot.wall)
    if len(after.tokens) > LIST_MOST:
        raise Refused(Refusal.LIST_FULL, f"at most {LIST_MOST}")
    if update.full:
        draft.keep(KeptKind.ENTRY, EVERY)
    for token in update.tokens:
        draft.keep(KeptKind.ENTRY, token.id, token)
    for name in update.removed:
        draft.keep(KeptKind.ENTRY, name)
    if before.staged is not None and before.staged.stage.version <= update.version:
        drop_staged(draft)
    return _in_force(draft, replace(after, staged=draft.book.list.staged), frozenset(update.removed))


def _staged(draft: Draft, update: Update) -> AuthList:
    """One part of a list; the last one puts the list in the place of the old one, in the same commit."""
    staged = with_part(draft, update)
    if staged is draft.book.list.staged:
        return draft.book.list
    if staged.stage.missing:
        draft.book = replace(draft.book, list=replace(draft.book.list, staged=staged))
        return draft.book.list
    draft.keep(KeptKind.ENTRY, SWAP)
    draft.keep(KeptKind.STAGE, EVERY)
    return _in_force(draft, AuthList(ListHead(update.version, draft.snapshot.wall), staged.tokens))


def _may_write(draft: Draft, request: Request) -> None:
    """The platform, the console, and installers at the panel; never a card."""
    if request.source not in (Source.CLOUD, Source.CLI, Source.PANEL):
        raise Refused(Refusal.NOT_AUTHORISED)
    if request.source is Source.PANEL and (request.actor is None or request.actor.role is not Role.INSTALLER):
        raise Refused(Refusal.NOT_AUTHORISED)
    must_be_in_time(request, draft.snapshot.clock.trusted)


def _same(before: AuthList, update: Update) -> bool:
    """Whether the list is what the update would leave: a repetition has no second effect (S-75)."""
    if update.version != before.head.version:
        return False
    if update.full and update.part is None:
        return dict(before.tokens) == {token.id: token for token in update.tokens}
    kept = all(before.tokens.get(token.id) == token for token in update.tokens)
    return kept and not any(name in before.tokens for name in update.removed)


def _installed(before: AuthList, update: Update, wall: datetime) -> AuthList:
    tokens = {} if update.full else dict(before.tokens)
    for name in update.removed:
        tokens.pop(name, None)
    tokens |= {token.id: token for token in update.tokens}
    return AuthList(ListHead(update.version, wall), tokens)


def _in_force(draft: Draft, after: AuthList, removed: frozenset[str] = frozenset()) -> AuthList:
    """The list counts from here on. A card that was taken off it is not let in for having been seen."""
    draft.keep(KeptKind.LIST, "list", after.head)
    gone = (draft.book.list.tokens.keys() | removed) - after.tokens.keys()
    seen = {name: at for name, at in draft.book.seen.items() if name not in gone}
    for name in sorted(gone & draft.book.seen.keys()):
        draft.keep(KeptKind.SEEN, name)
    draft.book = replace(draft.book, list=after, seen=seen)
    return after


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
    if update.part is not None:
        # The parts of a version make up its list once one of them says that it is installed.
        data |= {"update": PART, "part": update.part.number, "parts": update.part.of}
        data |= {"installed": after.head.version == update.version}
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
    """What is in force after the command, and what is missing of a list that comes in parts."""
    result: dict[str, object] = {"version": installed.head.version, "tokens": len(installed.tokens)}
    if installed.staged is not None:
        stage = installed.staged.stage
        result["staged"] = {"version": stage.version, "parts": stage.parts, "missing": list(stage.missing)}
    return result
