"""`siteward auth` and the verbs about who comes in, against a real local API (contract section 3, B17)."""

import json
from pathlib import Path
from typing import Any

import pytest

from siteward.cli.cards import read_cards
from siteward.cli.errors import CommandFailed
from siteward.model.auth import LIST_MOST, AuthList, ListStage, StagedList
from siteward.model.refusals import Refusal
from siteward.model.requests import Reply, Request, Stage
from tests.fixtures.core import FakeCore
from tests.siteward.cli.shell import Shell


def newest(core: FakeCore) -> Any:
    """The newest request that reached core."""
    return list(core.requests.values())[-1]


async def test_cards_are_added_listed_and_removed(core: FakeCore, shell: Shell) -> None:
    """B17: each change is one update over the version that is installed."""
    assert "no list of cards is installed" in (await shell.said("auth", "list"))[1]
    added = await shell.said("auth", "add", "04a2b3c4", "--group", "fleet", "--until", "2027-01-31")
    assert added[0] == 0, added
    assert newest(core).params == {
        "version": 1,
        "update": "differential",
        "baseVersion": 0,
        "tokens": [{"id": "04a2b3c4", "group": "fleet", "validUntil": "2027-01-31T00:00:00Z"}],
    }
    assert (await shell.said("auth", "add", "FFEE", "--blocked"))[0] == 0
    status, said = await shell.said("auth", "list")
    assert status == 0
    for text in (
        "list version 2",
        "2 cards",
        "04A2B3C4",
        "fleet",
        "2027-01-31 00:00 UTC",
        "blocked",
        "cannot be reached",
    ):
        assert text in said
    listed = json.loads((await shell.said("auth", "list", "--json"))[1])
    assert [token["id"] for token in listed["tokens"]] == ["04A2B3C4", "FFEE"]
    assert (await shell.said("auth", "remove", "ffee"))[0] == 0
    assert list(core.cards.tokens) == ["04A2B3C4"]
    status, said = await shell.said("auth", "remove", "ffee")
    assert status == 1
    assert "no card ffee" in said


async def test_a_file_replaces_the_list_in_one_step_however_long_it_is(
    core: FakeCore, shell: Shell, tmp_path: Path
) -> None:
    """B17: one version in parts; a command holds 500 cards."""
    file = tmp_path / "cards.csv"
    rows = "\n".join(f"CARD{n},fleet,,no" for n in range(1203))
    file.write_text(f"id,group,valid_until,blocked\n# a note\n{rows}\n", encoding="utf-8")
    status, said = await shell.said("auth", "import", str(file))
    assert status == 0, said
    assert (core.cards.head.version, len(core.cards.tokens)) == (1, 1203)
    sent = [request.params for request in core.requests.values() if request.params]
    assert [(p["update"], p["version"], p["part"], p["parts"], p["count"], len(p["tokens"])) for p in sent] == [
        ("full", 1, 1, 3, 1203, 500),
        ("full", 1, 2, 3, 1203, 500),
        ("full", 1, 3, 3, 1203, 203),
    ]


async def test_an_import_that_breaks_off_says_that_the_old_list_holds(
    core: FakeCore, shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B17: the part that was refused is named, and nothing behind it is sent; the next try has the same version."""
    file = tmp_path / "cards.csv"
    file.write_text("\n".join(f"CARD{n}" for n in range(1203)), encoding="utf-8")
    do = core._do

    def at_part_two(request: Request) -> None:
        if (request.params or {}).get("part") == 2:
            core._reply(Reply(request.id, Stage.REJECTED, Refusal.STORE_FAILED.value, "The store failed."))
        else:
            do(request)

    monkeypatch.setattr(core, "_do", at_part_two)
    status, said = await shell.said("auth", "import", str(file))
    assert status == 1
    for words in ("part 2 of 3: rejected: The store failed.", "the list of before holds (version 0)", "import again"):
        assert words in " ".join(said.split())
    assert len(core.requests) == 2
    core.cards = AuthList(staged=StagedList(ListStage(1, 3, 1203, ((1, 500),))))
    said = " ".join((await shell.said("auth", "list"))[1].split())
    assert "version 1 is on its way: of 3 parts 2, 3 are missing" in said
    monkeypatch.undo()
    assert (await shell.said("auth", "import", str(file)))[0] == 0
    assert (core.cards.head.version, len(core.cards.tokens)) == (1, 1203)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("id,colour\nA,red\n", "1: there is no column colour"),
        ("A,g,2026-13-01\n", "1: '2026-13-01' is no time"),
        ("A\nB,,,perhaps\n", "2: blocked is 'perhaps'"),
        ("A,b,,no,too many\n", "1: has 5 cells"),
    ],
)
def test_a_broken_file_is_refused_by_its_line(text: str, wrong: str, tmp_path: Path) -> None:
    """Errors say where and what to do next."""
    file = tmp_path / "cards.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(CommandFailed, match=wrong):
        read_cards(file)


def test_files_of_all_kinds_are_read(tmp_path: Path) -> None:
    """A list of numbers alone is one, and so is what a spreadsheet of any country writes."""
    file = tmp_path / "cards.csv"
    file.write_bytes(b"\xef\xbb\xbfid,blocked,group\r\n04A2,yes,staff\r\n\r\n04A3,,\r\n")
    assert read_cards(file) == [{"id": "04A2", "group": "staff", "blocked": True}, {"id": "04A3"}]
    file.write_text("04A2\n04A3\n", encoding="utf-8")
    assert read_cards(file) == [{"id": "04A2"}, {"id": "04A3"}]
    with pytest.raises(CommandFailed, match="cannot be read"):
        read_cards(tmp_path / "none.csv")
    file.write_bytes(b"\xff\xfe0")
    with pytest.raises(CommandFailed, match="UTF-8"):
        read_cards(file)


@pytest.mark.parametrize(
    ("words", "name", "target", "params"),
    [
        (["reserve", "A01-1"], "RESERVE", "A01-1", {"hold_s": 900.0}),
        (
            ["reserve", "A01-1", "--card", "04A2", "--minutes", "30"],
            "RESERVE",
            "A01-1",
            {"hold_s": 1800.0, "token": "04A2"},
        ),
        (["reserve", "A01-1", "--for", "Ms Li"], "RESERVE", "A01-1", {"hold_s": 900.0, "who": "Ms Li"}),
        (["reserve", "A01-1", "--next"], "RESERVE", "A01-1", {"hold_s": 900.0, "next": True}),
        (["reserve", "A01-1", "--cancel"], "CANCEL_RESERVATION", "A01-1", None),
        (["service", "A01-1", "--out"], "SET_AVAILABILITY", "A01-1", {"operative": False}),
        (["service", "station", "--in"], "SET_AVAILABILITY", "station", {"operative": True}),
        (["unlock", "A01-1"], "UNLOCK_CONNECTOR", "A01-1", None),
        (["reset", "hall"], "RESET", "hall", None),
    ],
)
async def test_verbs_become_the_contract_s_commands(
    core: FakeCore, shell: Shell, words: list[str], name: str, target: str, params: dict[str, object] | None
) -> None:
    """Flows: one vocabulary for panel, command line, card and platform."""
    status, said = await shell.said(*words)
    assert status == 0, said
    request = newest(core)
    assert (request.name.value, request.target, request.params) == (name, target, params)


def test_a_file_with_too_many_cards_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    """B17: the station would refuse its first part; the file is named, and how many it may have."""
    file = tmp_path / "cards.csv"
    file.write_text("".join(f"C{n}\n" for n in range(LIST_MOST + 1)))
    with pytest.raises(CommandFailed) as no:
        read_cards(file)
    assert no.value.code == Refusal.LIST_FULL
    assert (str(file) in str(no.value), str(LIST_MOST) in no.value.advice) == (True, True)
    file.write_text("".join(f"C{n}\n" for n in range(LIST_MOST)))
    assert len(read_cards(file)) == LIST_MOST
