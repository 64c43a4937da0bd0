"""S-31, S-79: what does not fit is found, named for ever, and handled by people; what fits is silent."""

from datetime import timedelta

import pytest

from siteward.model.events import EventType
from siteward.report.day import day_report
from siteward.report.differences import KINDS, Difference, Kind, State
from tests.fixtures.days import MIDNIGHT, HandJournal, wish


def found(journal: HandJournal, **more: object) -> list[Difference]:
    """Differences of the day."""
    return list(day_report(wish(**more), journal.events).differences)


def names(journal: HandJournal) -> list[str]:
    """Their ids."""
    return [difference.id for difference in found(journal)]


def test_a_day_that_fits_has_none() -> None:
    """S-31."""
    journal = HandJournal()
    journal.session(
        "s1", "A1", 1.0, 2.0, order="o1", total=500, currency="CNY", lines=[{"amount": 200}, {"amount": 300}]
    )
    journal.settle("s1", 2.1, total=500)
    journal.quarter("grid", 1.0, 10200, 10000, 1.96)
    assert found(journal) == []


def test_what_the_platform_never_acknowledged_is_found_after_an_hour() -> None:
    """S-31: and only then."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0, order="o1")
    assert found(journal, now_hour=3.0) == []
    (difference,) = found(journal, now_hour=3.1)
    assert (difference.id, difference.order, difference.at) == ("NOT_SETTLED.s1", "o1", MIDNIGHT + timedelta(hours=2))
    journal.settle("s1", 40.0)
    assert found(journal, now_hour=41.0) == []


def test_energy_without_a_price_is_found_where_the_site_has_prices() -> None:
    """S-18, S-30: no tariff was in force, or a version was missing; a site without prices gives on purpose."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0)
    journal.session("s2", "A1", 3.0, 4.0, tariffId="T", total=100, lines=[{"amount": 100}], unpriced_wh=2500)
    journal.session("s3", "A1", 5.0, 6.0, tariffId="T", total=100, lines=[{"amount": 100}], unpriced_wh=0)
    journal.session("s4", "A1", 7.0, 8.0, energy_wh=None, unmetered=True, start_register_wh=None)
    assert [(d.id, d.found, d.unit) for d in found(journal, platform=False, priced=True)] == [
        ("UNPRICED.s1", 10000, "Wh"),
        ("UNPRICED.s2", 2500, "Wh"),
    ]
    assert [d.id for d in found(journal, platform=False)] == ["UNPRICED.s2"]


def test_nobody_waits_for_a_platform_that_there_is_not() -> None:
    """S-31: a station that works alone has no session to be settled; what was settled before still counts."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0)
    assert found(journal, platform=False) == []
    journal.settle("s1", 2.1, energy_wh=9)
    assert [row.kind for row in found(journal, platform=False)] == [Kind.SETTLED_DIFFERS]


@pytest.mark.parametrize(
    ("finished", "settled", "kind", "expected", "value"),
    [
        ({"energy_wh": 9999}, {"energy_wh": 9999}, Kind.REGISTER_DIFFERS, 10000, 9999),
        ({}, {"energy_wh": 9000}, Kind.SETTLED_DIFFERS, 10000, 9000),
        ({"total": 500, "currency": "CNY"}, {"total": 499}, Kind.SETTLED_DIFFERS, 500, 499),
        ({"total": 500, "lines": [{"amount": 200}, {"amount": 299}]}, {}, Kind.BILL_DIFFERS, 499, 500),
        ({"estimated": True}, {}, Kind.ENERGY_ESTIMATED, None, 10000),
        ({"gap": True}, {}, Kind.ENERGY_ESTIMATED, None, 10000),
        ({"stopReason": "fault"}, {}, Kind.ENDED_ABNORMALLY, None, 10000),
        ({"stopReason": "power_loss"}, {}, Kind.ENDED_ABNORMALLY, None, 10000),
        ({"byPower": {"energy_wh": 10400, "register_wh": 9990}}, {}, Kind.POWER_DIFFERS, 9990, 10400),
        ({"energy_wh": None, "stop_register_wh": None}, {"energy_wh": None}, Kind.ENERGY_UNKNOWN, None, None),
    ],
)
def test_each_difference_says_what_was_expected_and_what_was_found(
    finished: dict[str, object], settled: dict[str, object], kind: Kind, expected: float | None, value: float | None
) -> None:
    """S-79."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0, **finished)
    journal.settle("s1", 2.1, **settled)
    (difference,) = found(journal)
    assert (difference.kind, difference.expected, difference.found) == (kind, expected, value)


def test_a_register_that_rolled_over_fits() -> None:
    """I6, S-31."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0, start_register_wh=995_000, stop_register_wh=5_000, rolled_wh=1_000_000)
    journal.settle("s1", 2.1)
    assert found(journal) == []


def test_an_unmetered_session_has_no_energy_to_miss() -> None:
    """Ruling 9."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0, energy_wh=None, unmetered=True, start_register_wh=None)
    journal.settle("s1", 2.1, energy_wh=None)
    assert found(journal) == []


def test_one_order_with_two_sessions_is_found_at_the_later_one() -> None:
    """I8, S-31: also when the first was on the day before."""
    journal = HandJournal()
    journal.session("s1", "A1", -3.0, -2.0, order="o1")
    journal.session("s2", "A2", 1.0, 2.0, order="o1")
    for name in ("s1", "s2"):
        journal.settle(name, 2.1)
    assert names(journal) == ["ORDER_TWICE.s2"]


def test_a_quarter_beyond_the_rule_is_a_difference_of_its_feeder() -> None:
    """S-30: bound and least energy are the rule's; without a rule nobody judges."""
    journal = HandJournal()
    journal.quarter("grid", 1.0, 1000, 940, 6.0)
    journal.quarter("grid", 1.25, 1000, 950, 5.0)
    journal.quarter("grid", 1.5, 400, 100, 75.0)
    (difference,) = found(journal)
    assert difference.id == "FEEDER_DRIFT.grid.20260301T1700Z"
    assert (difference.expected, difference.found, difference.unit) == (940, 1000, "Wh")
    assert found(journal, drift_percent=None) == []


def test_people_explain_and_close_and_the_journal_keeps_it() -> None:
    """S-79: the last word counts; notes of later days as well."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0)
    assert found(journal)[0].state is State.OPEN
    name = {"difference": "NOT_SETTLED.s1"}
    journal.tell(
        EventType.AUDIT_DIFFERENCE, 30.0, **name, state="explained", note="platform down", actor={"user": "ann"}
    )
    journal.tell(EventType.AUDIT_DIFFERENCE, 31.0, **name, state="nonsense")
    assert found(journal)[0].state is State.EXPLAINED
    journal.tell(EventType.AUDIT_DIFFERENCE, 35.0, **name, state="closed", note="booked", source="cli")
    (difference,) = found(journal)
    assert difference.state is State.CLOSED
    assert [(n.by, n.note) for n in difference.notes] == [("ann", "platform down"), ("cli", "booked")]


def test_every_kind_has_a_sentence_in_both_languages() -> None:
    """Ruling 30."""
    assert set(KINDS) == set(Kind)
    assert all(sentence.en.endswith(".") and sentence.zh.endswith("。") for sentence in KINDS.values())
