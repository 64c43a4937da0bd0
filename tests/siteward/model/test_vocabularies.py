"""Ruling 30, S-38: every closed vocabulary is complete, in both languages, with advice that fits its code."""

import re

import pytest

from siteward.model.alarms import ALARMS, SEVERITIES, AlarmCode
from siteward.model.events import EventType, Lane
from siteward.model.ids import is_id, ulid
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName, Stage
from siteward.model.sentences import Sentence

SENTENCES = [*((f"refusal {k}", v) for k, v in REFUSALS.items()), *((f"alarm {k}", v) for k, v in ALARMS.items())]


def test_every_refusal_has_its_sentence() -> None:
    """A code without words would reach a driver as a code."""
    assert set(REFUSALS) == set(Refusal)


def test_every_alarm_has_its_sentence_and_its_severity() -> None:
    """S-54: nobody can handle an alarm that says nothing, or that claims no rank."""
    assert set(ALARMS) == set(AlarmCode)
    assert set(SEVERITIES) == set(AlarmCode)


@pytest.mark.parametrize(("name", "sentence"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_every_sentence_is_whole_in_english_and_in_chinese(name: str, sentence: Sentence) -> None:
    """Both are sentences; the Chinese one is Chinese; both speak about the same subject."""
    assert sentence.en.endswith("."), name
    assert sentence.zh.endswith("。"), name
    assert re.search("[\u4e00-\u9fff]", sentence.zh), name
    assert not re.search("[\u4e00-\u9fff]", sentence.en), name
    assert ("{subject}" in sentence.en) == ("{subject}" in sentence.zh), name
    assert "{" not in sentence.about("row-a").en.replace("row-a", ""), name


def test_codes_are_words_of_the_contract() -> None:
    """Codes and names are upper case with underscores, event types dotted lower case: they are promises."""
    for code in (*Refusal, *AlarmCode, *CommandName):
        assert re.fullmatch("[A-Z][A-Z_]+", code.value), code
    for event in EventType:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", event.value), event


def test_money_and_audit_are_never_in_the_lane_that_may_be_dropped() -> None:
    """S-25, I16, B18: sessions, commands, tariffs and audit records are kept; retention only touches the other lane."""
    for event in EventType:
        keeps = event.value.split(".")[0] in ("session", "command", "audit", "tariff")
        assert (event.lane is Lane.MONEY) == keeps, event


def test_exactly_four_stages_are_final() -> None:
    """I10: one final answer, after which nothing follows."""
    assert {stage.value for stage in Stage if stage.final} == {"rejected", "done", "failed", "expired"}


@pytest.mark.parametrize("text", ["A01-1", "x", "a.b_c-D", "9" * 64])
def test_ids_that_are_promised(text: str) -> None:
    """Contract: ASCII letters, digits, dot, underscore, dash, at most 64."""
    assert is_id(text)


@pytest.mark.parametrize("text", ["", "9" * 65, "a b", "a/b", "../x", "é", "水", "a\u202eb", "a\x00", "a\n", "١"])
def test_ids_that_are_not(text: str) -> None:
    """Fault 47: look-alikes, bidi marks, NUL and paths are no ids."""
    assert not is_id(text)


def test_ulids_sort_by_time_and_hold_their_entropy() -> None:
    """Ruling 15: a session id is made by the edge and sorts by when it was made."""
    early, late = ulid(1_700_000_000_000, bytes(10)), ulid(1_700_000_000_001, bytes(10))
    assert early < late
    assert ulid(0, bytes(9) + b"\x1f") == "0" * 25 + "Z"
    assert len({ulid(5, bytes([n] * 10)) for n in range(50)}) == 50
    with pytest.raises(ValueError, match="48 bits"):
        ulid(1 << 48, bytes(10))
