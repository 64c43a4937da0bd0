"""`auth`: the list of cards: shown, imported from a file, changed by one card; core judges and journals each change."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from siteward.cli.act import done, order
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen
from siteward.client.client import Client
from siteward.client.records import AuthListMessage, TokenMessage
from siteward.model.auth import LIST_MOST, UPDATE_MOST
from siteward.model.requests import CommandName, Stage

COLUMNS = ("id", "group", "valid_until", "blocked")
"""Columns of a file of cards; only the first must be there."""

_YES, _NO = ("yes", "true", "1"), ("", "no", "false", "0")
_SET = CommandName.SET_AUTH_LIST
_BYTES_MOST = 4_000_000


async def listing(client: Client, screen: Screen) -> int:
    """Show the list in force."""
    found = await client.auth_list()
    if screen.as_json:
        screen.data(found.model_dump(mode="json", by_alias=True, exclude_none=True))
        return 0
    rows = [(t.id, t.group, _day(t.valid_until), "blocked" if t.blocked else "") for t in found.tokens]
    screen.show([_head(found), *([Grid("", ("card", "group", "valid until", ""), rows)] if rows else [])])
    return 0


def _head(found: AuthListMessage) -> str:
    reach = "the platform can be reached" if found.online else "the platform cannot be reached"
    if found.staged is not None:
        missing = ", ".join(map(str, found.staged.missing))
        reach += f"; version {found.staged.version} is on its way: of {found.staged.parts} parts {missing} are missing"
    if found.installed_at is None:
        return f"no list of cards is installed; {reach}"
    return f"list version {found.version} of {_day(found.installed_at)}, {len(found.tokens)} cards; {reach}"


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


async def bring(client: Client, screen: Screen, file: Path) -> int:
    """Replace the list by that of a file in one step; what a command cannot hold comes in parts that count together."""
    tokens = read_cards(file)
    version = (await client.auth_list()).version
    parts = [tokens[at : at + UPDATE_MOST] for at in range(0, len(tokens), UPDATE_MOST)] or [[]]
    whole = {"update": "full"} | ({"parts": len(parts), "count": len(tokens)} if len(parts) > 1 else {})
    for number, part in enumerate(parts[:-1], 1):
        reply = await order(client, _SET, None, {"version": version + 1, **whole, "part": number, "tokens": part}, 10.0)
        if Stage(reply.stage) is not Stage.DONE:
            raise CommandFailed(
                f"part {number} of {len(parts)}: {reply.stage}: {reply.message or reply.code or 'no end within 10 s'}",
                f"the list of before holds (version {version}); import again, parts that came are known",
                reply.code or "",
            )
    last = {"part": len(parts)} if len(parts) > 1 else {}
    return await _put(client, screen, version, {**whole, **last, "tokens": parts[-1]})


async def add(client: Client, screen: Screen, token: dict[str, Any]) -> int:
    """Add a card, or replace what the list says of it."""
    version = (await client.auth_list()).version
    return await _put(client, screen, version, _over(version, {"tokens": [token]}))


async def remove(client: Client, screen: Screen, name: str) -> int:
    """Take a card off the list."""
    found = await client.auth_list()
    if not any(token.id == name.upper() for token in found.tokens):
        raise CommandFailed(f"the list has no card {name}", "`siteward auth list` shows them", "CARD_UNKNOWN")
    return await _put(client, screen, found.version, _over(found.version, {"remove": [name]}))


def _over(version: int, params: Mapping[str, Any]) -> dict[str, Any]:
    return {"update": "differential", "baseVersion": version, **params}


async def _put(client: Client, screen: Screen, version: int, params: dict[str, Any]) -> int:
    reply = await order(client, _SET, None, {"version": version + 1, **params}, 10.0)
    return done(screen, _SET, "cards", reply)


def token_of(name: str, group: str = "", valid_until: datetime | None = None, blocked: bool = False) -> dict[str, Any]:
    """A card as SET_AUTH_LIST takes it."""
    said = TokenMessage(id=name, group=group, valid_until=valid_until, blocked=blocked)
    return said.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def read_cards(file: Path) -> list[dict[str, Any]]:
    """Cards of a CSV file with the columns id, group, valid_until, blocked. Raises CommandFailed naming the line."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be read ({error.strerror})", "check the path and the rights") from error
    if len(data) > _BYTES_MOST:
        raise CommandFailed(f"{file}: has more than {_BYTES_MOST} bytes", f"a list has at most {LIST_MOST} cards")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file}: is not UTF-8 text", "save it as UTF-8") from error
    cards = list(_cards(file, text.splitlines()))
    if len(cards) > LIST_MOST:
        raise CommandFailed(f"{file}: has {len(cards)} cards", f"a list has at most {LIST_MOST}", "LIST_FULL")
    return cards


def _cards(file: Path, lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    columns: tuple[str, ...] = COLUMNS
    for number, row in _rows(file, lines):
        cells = [cell.strip() for cell in row]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if number == 1 and cells[0].lower() == COLUMNS[0]:
            columns = _columns(file, cells)
            continue
        if len(cells) > len(columns):
            raise CommandFailed(f"{file}:{number}: has {len(cells)} cells", f"columns are {', '.join(columns)}")
        yield _card(file, number, dict(zip(columns, cells, strict=False)))


def _rows(file: Path, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows of the table with the line on which each ends."""
    reader = csv.reader(lines)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise CommandFailed(f"{file}:{reader.line_num}: {error}", "is a quotation mark missing its end?") from error
        yield reader.line_num, row


def _columns(file: Path, cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.lower() for cell in cells)
    strange = [name for name in names if name not in COLUMNS]
    if strange:
        raise CommandFailed(f"{file}:1: there is no column {strange[0]}", f"columns are {', '.join(COLUMNS)}")
    return names


def _card(file: Path, number: int, cells: Mapping[str, str]) -> dict[str, Any]:
    blocked, until = cells.get("blocked", "").lower(), cells.get("valid_until", "")
    if blocked not in _YES + _NO:
        raise CommandFailed(f"{file}:{number}: blocked is '{blocked}'", "write yes or no")
    return token_of(cells["id"], cells.get("group", ""), moment(until, f"{file}:{number}"), blocked in _YES)


def moment(text: str, where: str) -> datetime | None:
    """A day or a time; without an offset it is UTC. Raises CommandFailed."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandFailed(f"{where}: '{text}' is no time", "write 2026-12-31 or 2026-12-31T18:00+08:00") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
