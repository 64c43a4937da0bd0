"""A list of cards in parts: nobody is judged by it before it is whole, and then it is swapped at once (B17, S-75)."""

from typing import Any

import pytest

from siteward.model.events import EventType
from siteward.model.kept import KeptKind
from tests.fixtures.story_rig import Rig
from tests.siteward.control.test_cards import card_rig, tap

NEW = [{"id": f"NEW{n}", "group": "fleet"} for n in range(7)]
OLD = {"CA4D", "B10C", "01D0"}


def send(rig: Rig, command: str, number: int, **other: object) -> list[str]:
    """One of three parts of the new list, and what became of it."""
    part: dict[str, Any] = {"version": 5, "part": number, "parts": 3, "count": len(NEW)}
    part["tokens"] = NEW[(number - 1) * 3 : number * 3]
    rig.turn(rig.request("SET_AUTH_LIST", command, **{**part, **other}))
    return rig.log.stages(command)


def cards(rig: Rig) -> set[str]:
    """The cards in force."""
    return set(rig.memory.book.list.tokens)


def again(rig: Rig, **how: bool) -> None:
    """The controller dies and comes back."""
    rig.crash(**how)
    rig.turns(1)


def test_the_old_list_holds_until_the_last_part_is_here() -> None:
    """Parts may come in any order; each answer says what is missing; the last one changes everything at once."""
    rig = card_rig()
    for number, missing in ((3, [1, 2]), (1, [2])):
        assert send(rig, f"p{number}", number) == ["accepted", "done"]
        staged = {"version": 5, "parts": 3, "missing": missing}
        assert rig.log.final(f"p{number}").result == {"version": 1, "tokens": 3, "staged": staged}
        assert cards(rig) == OLD
    rig.turn(tap(rig, "NEW0"))
    assert rig.log.stages("t1") == ["rejected CARD_UNKNOWN"]
    assert send(rig, "p2", 2) == ["accepted", "done"]
    assert rig.log.final("p2").result == {"version": 5, "tokens": 7}
    assert cards(rig) == {token["id"] for token in NEW}
    rig.turn(tap(rig, "CA4D", "t2"))
    assert rig.log.stages("t2") == ["rejected CARD_UNKNOWN"]
    rig.turn(tap(rig, "NEW0", "t3"))
    assert rig.log.stages("t3") == ["accepted"]


def test_the_journal_tells_each_part_and_which_one_made_the_list() -> None:
    """S-86, law 6: the list of any day follows from the journal; a repeated part tells nothing twice (S-75)."""
    rig = card_rig()
    for command, number in (("p1", 1), ("p1-again", 1), ("p2", 2), ("p3", 3), ("p3-again", 3)):
        assert send(rig, command, number) == ["accepted", "done"], command
    told: list[Any] = [fact.data for _, fact in rig.log.facts if fact.type is EventType.AUDIT_AUTH_LIST][1:]
    assert [(d["update"], d["version"], d["part"], d["parts"], d["installed"]) for d in told] == [
        ("part", 5, 1, 3, False),
        ("part", 5, 2, 3, False),
        ("part", 5, 3, 3, True),
    ]
    assert [token for data in told for token in data["tokens"]] == NEW
    assert rig.log.final("p3-again").result == {"version": 5, "tokens": 7}


def test_a_crash_in_between_leaves_the_old_list_and_what_came() -> None:
    """Law 4: what was answered as done is still there, so that only the missing parts are sent again."""
    rig = card_rig()
    send(rig, "p1", 1)
    send(rig, "p2", 2)
    again(rig)
    assert cards(rig) == OLD
    assert send(rig, "p3", 3) == ["accepted", "done"]
    again(rig)
    assert cards(rig) == {token["id"] for token in NEW}
    assert rig.memory.book.list.staged is None


def test_a_lost_batch_loses_the_swap_and_its_answer_together() -> None:
    """Law 4: the last part was never durable, so the old list holds and the part is asked for again."""
    rig = card_rig()
    send(rig, "p1", 1)
    send(rig, "p2", 2)
    send(rig, "p3", 3)
    again(rig, lost=True)
    assert cards(rig) == OLD
    staged = rig.memory.book.list.staged
    assert staged is not None
    assert staged.stage.missing == (3,)


@pytest.mark.parametrize(
    "other",
    [
        {"version": 6},
        {"version": 4},
        {"parts": 4},
        {"count": 8},
        {"tokens": [{"id": "ELSE"}]},
        {"tokens": NEW[:2]},
        {"tokens": [{"id": "NEW0", "blocked": True}, *NEW[1:3]]},
    ],
)
def test_parts_of_two_lists_are_never_mixed(other: dict[str, object]) -> None:
    """Another version, another division or another content under a known number begins anew with that part."""
    rig = card_rig()
    send(rig, "p1", 1)
    send(rig, "p2", 2)
    assert send(rig, "x1", 1, **other) == ["accepted", "done"]
    staged = rig.memory.book.list.staged
    assert staged is not None
    assert [number for number, _ in staged.stage.have] == [1]
    assert {key for kind, key in rig.log.kept if kind is KeptKind.STAGED} == set(staged.tokens)
    again(rig)
    assert rig.memory.book.list.staged == staged


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"tokens": [{"id": "NEW6"}, {"id": "NEW0"}]}, "NEW0 is in another part, too"),
        ({"tokens": []}, "7 were announced, 6 came"),
        ({"tokens": [{"id": "NEW6"}, {"id": "NEW7"}]}, "7 were announced, 8 came"),
    ],
)
def test_parts_that_do_not_make_up_their_list_are_refused_as_a_whole(other: dict[str, object], words: str) -> None:
    """The last part says so, nothing stays staged, and the old list holds over a restart."""
    rig = card_rig()
    send(rig, "p1", 1)
    send(rig, "p2", 2)
    assert send(rig, "p3", 3, **other) == ["rejected BAD_PARAMS"]
    assert words in str(rig.log.final("p3").message)
    again(rig)
    assert cards(rig) == OLD
    assert rig.memory.book.list.staged is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"part": 0}, "part: 0 is no whole number from 1 to 3"),
        ({"part": 4}, "part: 4 is no whole number from 1 to 3"),
        ({"part": True}, "part: True"),
        ({"parts": 101}, "parts: 101 is no whole number from 1 to 100"),
        ({"count": 10_001}, "count: 10001 is no whole number from 0 to 10000"),
        ({"count": None}, "count: None"),
        ({"update": "differential", "baseVersion": 1}, "part: only a full list comes in parts"),
        ({"tokens": [{"id": f"C{n}"} for n in range(501)]}, "tokens: at most 500 in one update"),
    ],
)
def test_what_is_wrong_with_a_part_is_named(other: dict[str, object], words: str) -> None:
    """BAD_PARAMS names the field and what is allowed; what came before it stays."""
    rig = card_rig()
    send(rig, "p1", 1)
    assert send(rig, "p2", 2, **other) == ["rejected BAD_PARAMS"]
    assert words in str(rig.log.final("p2").message)
    assert rig.memory.book.list.staged is not None


def test_a_part_of_what_is_installed_or_older_is_refused() -> None:
    """A lower or equal version changes nothing (decision 0056)."""
    rig = card_rig()
    assert send(rig, "p1", 1, version=1) == ["rejected LIST_VERSION"]
    assert rig.memory.book.list.staged is None


@pytest.mark.parametrize(("version", "goes_on"), [(2, True), (4, True), (5, False), (6, False)])
def test_a_list_that_is_installed_meanwhile_ends_an_older_one_on_its_way(version: int, goes_on: bool) -> None:
    """A card blocked by a difference counts at once; the newer list in parts goes on coming."""
    rig = card_rig()
    send(rig, "p1", 1)
    difference: dict[str, object] = {"version": version, "update": "differential", "baseVersion": 1}
    rig.turn(rig.request("SET_AUTH_LIST", "d1", tokens=[{"id": "CA4D", "blocked": True}], **difference))
    assert rig.log.stages("d1") == ["accepted", "done"]
    assert rig.memory.book.list.tokens["CA4D"].blocked
    again(rig)
    assert (rig.memory.book.list.staged is not None) is goes_on


def test_a_card_that_the_new_list_has_not_is_forgotten_for_having_been_seen() -> None:
    """B17: the same as with a list in one command."""
    rig = card_rig()
    rig.turn(tap(rig, "CA4D"))
    assert "CA4D" in rig.memory.book.seen
    for number in (1, 2, 3):
        send(rig, f"p{number}", number)
    assert "CA4D" not in rig.memory.book.seen
    again(rig)
    assert "CA4D" not in rig.memory.book.seen
