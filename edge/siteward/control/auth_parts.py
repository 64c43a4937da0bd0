"""A list of cards that comes in parts: each is kept beside the list in force until all are here (B17)."""

from dataclasses import replace

from siteward.control.auth_update import Part, Update
from siteward.control.draft import Draft
from siteward.control.params import BadParam
from siteward.model.auth import ListStage, StagedList, StagedToken, Token
from siteward.model.kept import EVERY, KeptKind


def with_part(draft: Draft, update: Update) -> StagedList:
    """What is staged once this part is kept; another list than the one on its way begins anew with it.

    Raises BadParam where the parts do not make up the list that they announce; nothing stays staged then.
    """
    part = update.part
    if part is None:
        raise BadParam("part: there is none")
    held = draft.book.list.staged
    if held is not None and not _belongs(held, update, part):
        drop_staged(draft)
        held = None
    if held is None:
        held = StagedList(ListStage(update.version, part.of, part.count))
    repeated = any(number == part.number for number, _ in held.stage.have)
    staged = held if repeated else _joined(draft, held, part, update.tokens)
    if not staged.stage.missing and len(staged.tokens) != part.count:
        drop_staged(draft)
        raise BadParam(f"count: {part.count} were announced, {len(staged.tokens)} came; send all parts again")
    return staged


def drop_staged(draft: Draft) -> None:
    """Forget a list that is on its way."""
    draft.keep(KeptKind.STAGED, EVERY)
    draft.keep(KeptKind.STAGE, EVERY)
    draft.book = replace(draft.book, list=replace(draft.book.list, staged=None))


def _belongs(held: StagedList, update: Update, part: Part) -> bool:
    """Whether the part is one of the list on its way: same version and size, and nothing else came under its number."""
    stage = held.stage
    if (stage.version, stage.parts, stage.count) != (update.version, part.of, part.count):
        return False
    size = dict(stage.have).get(part.number)
    same = all(held.tokens.get(token.id) == token for token in update.tokens)
    return size is None or (size == len(update.tokens) and same)


def _joined(draft: Draft, held: StagedList, part: Part, tokens: tuple[Token, ...]) -> StagedList:
    twice = next((token.id for token in tokens if token.id in held.tokens), None)
    if twice is not None:
        drop_staged(draft)
        raise BadParam(f"tokens: {twice} is in another part, too; send all parts again")
    have = tuple(sorted((*held.stage.have, (part.number, len(tokens)))))
    stage = replace(held.stage, have=have)
    for token in tokens:
        row = StagedToken(token.id, token.group, token.valid_until, token.blocked)
        draft.keep(KeptKind.STAGED, token.id, row)
    draft.keep(KeptKind.STAGE, "list", stage)
    return StagedList(stage, {**held.tokens, **{token.id: token for token in tokens}})
