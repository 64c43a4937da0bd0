"""Fault 81, B22: what is doubtful about a signed record by itself, and how far our own register may lie beside it."""

from dataclasses import replace
from typing import Any

import pytest

from siteward.control.signed import Told, compared, energy, marks, summary, told, turned
from siteward.model.ids import ConnectorId
from siteward.model.signed import SignedHead, SignedState, SignedValue, SignMark, SignStep

KEY, OTHER = b"key", b"other key"
HEAD = SignedHead(ConnectorId("A1"))


def record(step: SignStep = SignStep.BEGIN, verified: bool | None = True, **changes: Any) -> Told:
    """A record of page 12 that begins at 1000.0 kWh and, at its end, stands at 1005.50 kWh."""
    fields = {"state": "G", "clock": "S", "errors": "", "page": "T12", "end": '"1005.50"'} | changes
    reading = '"TM":"2026-01-05T07:00:22,000+0100 {clock}","RU":"kWh","ST":"{state}","EF":"{errors}"'.format(**fields)
    text = '{"FV":"1.0","PG":"%s","MS":"0815","RD":[{"TX":"B","RV":1000.0,%s}%s]}' % (  # noqa: UP031
        fields["page"],
        reading,
        "" if step is SignStep.BEGIN else ',{"TX":"E","RV":%s,%s}' % (fields["end"], reading),  # noqa: UP031
    )
    return told(b"OCMF|" + text.encode() + b'|{"SD":"3003020101"}', KEY, verified, step)


def found(one: Told, head: SignedHead | None = None, **more: Any) -> set[str]:
    """Its marks, with a serial and keys that fit unless told otherwise."""
    given = {"serial": "815", "plate": KEY, "own": KEY} | more
    return {mark.value for mark in marks(one, head or HEAD, **given)}


def test_a_record_that_fits_has_no_mark() -> None:
    """Fault 81: zeros before a serial do not count, nor does a page whose forerunner nobody knows."""
    assert found(record()) == set()
    assert found(record(), serial=None, plate=None) == set()
    assert found(record(verified=None)) == set()


@pytest.mark.parametrize(
    ("one", "more", "mark"),
    [
        (record(verified=False), {}, "signature"),
        (record(), {"own": OTHER}, "key"),
        (record(), {"serial": "816"}, "serial"),
        (record(state="T"), {}, "error"),
        (record(errors="E"), {}, "error"),
        (record(clock="I"), {}, "clock"),
        (record(page=""), {}, "pagination"),
        (record(SignStep.END, end='"none"'), {}, "unreadable"),
        (told(b"no record", KEY, None, SignStep.BEGIN), {}, "unreadable"),
    ],
)
def test_each_doubt_has_its_own_mark(one: Told, more: dict[str, Any], mark: str) -> None:
    """Fault 81: nothing that does not fit is silent, and nothing else is accused."""
    assert found(one, **more) == {mark}


@pytest.mark.parametrize(("page", "meter", "doubted"), [(11, "0815", False), (12, "0815", True), (3, "0999", False)])
def test_a_page_follows_the_one_before_it_of_the_same_meter(page: int, meter: str, doubted: bool) -> None:
    """Fault 81: a record that was left out, or is an old one, shows."""
    head = replace(HEAD, meter=meter, page=page)
    assert found(record(), head) == ({"pagination"} if doubted else set())
    after = turned(head, record())
    assert (after.meter, after.page) == ("0815", 12)
    assert turned(head, told(b"no record", KEY, None, SignStep.BEGIN)) is head


def test_energy_is_that_of_the_record_with_two_last_digits_of_slack() -> None:
    """B22: a register of 10 Wh may lie 20 Wh beside ours, and the two reads some more."""
    assert energy(record(SignStep.END), None) == (5500, 30)
    assert energy(record(), 999_000) == (0, 210)
    assert energy(told(b"no record", KEY, None, SignStep.END), 999_000) == (None, 10)
    without_end = replace(record(), step=SignStep.END)
    assert (energy(without_end, 999_000), found(without_end)) == ((None, 10), {"unreadable"})


@pytest.mark.parametrize(("own_wh", "marked"), [(5470, False), (5469, True), (5530, False), (5531, True)])
def test_a_difference_beyond_the_slack_is_marked_and_never_smoothed(own_wh: int, marked: bool) -> None:
    """Fault 81, B22."""
    state = compared(SignedState(energy_wh=5500, slack_wh=30), own_wh)
    assert state.difference_wh == 5500 - own_wh
    assert state.marks == ((SignMark.DIFFERENCE,) if marked else ())
    assert compared(SignedState(), own_wh) == SignedState()


def test_the_summary_names_what_is_there() -> None:
    """Contract: session.finished says none, partial or complete, and false where one signature does not hold."""
    begin, end = SignedValue("aa", 1000, True), SignedValue("bb", 6500, None)
    nothing = summary(SignedState())
    assert (nothing["state"], nothing["verified"], nothing["beginSha256"]) == ("none", None, None)
    half = summary(SignedState(begin=begin))
    assert (half["state"], half["verified"], half["beginSha256"], half["endSha256"]) == ("partial", True, "aa", None)
    both = summary(SignedState(begin=begin, end=end, energy_wh=5500))
    assert (both["state"], both["verified"], both["endSha256"]) == ("complete", None, "bb")
    assert summary(SignedState(begin=begin, end=replace(end, verified=False)))["verified"] is False
