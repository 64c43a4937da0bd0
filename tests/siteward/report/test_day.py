"""S-26, S-28, S-29, S-67, S-88: rates of a day from a hand-made journal, worked out on paper."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from siteward.report.day import day_report
from tests.fixtures.days import DAY, MIDNIGHT, HandJournal, wish


def test_the_online_rate_counts_only_time_that_is_known() -> None:
    """S-26, law 5: A1 answered 18 of 24 h; of A2 nothing is known before 12 h, and from then on it answered."""
    journal = HandJournal()
    journal.tell("connector.status", -5.0, "A1", online=True)
    journal.tell("connector.status", 3.0, "A1", online=False)
    journal.tell("connector.status", 9.0, "A1", online=True)
    journal.tell("connector.status", 12.0, "A2", online=True)
    report = day_report(wish(), journal.events)
    first, second = report.connectors
    assert (first.known_s, first.online_s) == (24 * 3600.0, 18 * 3600.0)
    assert (second.known_s, second.online_s) == (12 * 3600.0, 12 * 3600.0)
    assert report.online_percent == pytest.approx(100.0 * 30 / 36)
    assert day_report(wish(), []).online_percent is None


def test_starts_count_on_the_day_on_which_they_were_asked_for() -> None:
    """S-28: three came to charging, one failed, one was cancelled, one of the day before counts there."""
    journal = HandJournal()
    journal.session("s0", "A1", -1.0, 1.0)
    for hour, name in ((2.0, "s1"), (5.0, "s2"), (8.0, "s3")):
        journal.session(name, "A1", hour, hour + 1.0)
    journal.tell("session.created", 10.0, "A2", "s4")
    journal.tell("session.failed", 10.1, "A2", "s4", stopReason="never_started")
    journal.tell("session.created", 11.0, "A2", "s5")
    journal.tell("session.cancelled", 11.1, "A2", "s5", stopReason="user")
    report = day_report(wish(), journal.events)
    assert [(d.created, d.started, d.failed, d.cancelled, d.finished) for d in report.connectors] == [
        (3, 3, 0, 0, 4),
        (2, 0, 1, 1, 0),
    ]
    assert report.start_percent == 75.0
    assert report.total("energy_wh") == 40000


def test_faults_and_power_losses_are_abnormal_ends() -> None:
    """S-29: one of four, and nobody's unplugging is."""
    journal = HandJournal()
    for hour, reason in enumerate(("user", "full", "fault", "unplugged")):
        journal.session(f"s{hour}", "A1", hour * 2.0, hour * 2.0 + 1.0, stopReason=reason)
    report = day_report(wish(), journal.events)
    assert report.abnormal_percent == 25.0
    assert report.connectors[0].reasons == {"user": 1, "full": 1, "fault": 1, "unplugged": 1}


def test_use_is_charging_without_its_pauses_cut_at_midnight() -> None:
    """S-67: 0.5 h of a session of yesterday, 1.75 h less a pause of 0.5 h, and one that goes on after midnight."""
    journal = HandJournal()
    journal.session("s0", "A1", -1.0, 0.5)
    journal.tell("session.created", 2.0, "A1", "s1")
    journal.tell("session.charging", 2.25, "A1", "s1")
    journal.tell("session.suspended", 3.0, "A1", "s1", suspendedBy="station")
    journal.tell("session.resumed", 3.5, "A1", "s1", reason="current")
    journal.tell("session.finished", 4.0, "A1", "s1", stopReason="full", energy_wh=5000)
    journal.tell("session.created", 22.0, "A2", "s2")
    journal.tell("session.charging", 23.0, "A2", "s2")
    report = day_report(wish(), journal.events)
    first, second = report.connectors
    assert (first.charging_s, first.occupied_s) == ((0.5 + 0.75 + 0.5) * 3600, (0.5 + 2.0) * 3600)
    assert (second.charging_s, second.occupied_s) == (3600.0, 2 * 3600.0)
    assert report.use_percent == pytest.approx(100.0 * 2.75 / 48)


def test_a_day_that_is_not_over_ends_now() -> None:
    """S-67: shares are of the time that has passed."""
    journal = HandJournal()
    journal.tell("session.created", 2.0, "A1", "s1")
    journal.tell("session.charging", 3.0, "A1", "s1")
    report = day_report(wish(now_hour=6.0, connectors=("A1",)), journal.events)
    assert (report.length_s, report.use_percent) == (6 * 3600.0, 50.0)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 3, 2), 24)])
def test_a_day_has_the_hours_of_the_sites_clock(day: date, hours: int) -> None:
    """Fault 59: both nights in which the clocks change."""
    asked = replace(wish(zone=ZoneInfo("Europe/Berlin")), day=day, now=datetime(2026, 12, 1, tzinfo=UTC))
    assert day_report(asked, []).length_s == hours * 3600.0


def test_quarters_without_books_are_counted_and_never_taken_for_zero() -> None:
    """S-30, law 5."""
    journal = HandJournal()
    journal.quarter("grid", -0.25, 900, 900, 0.0)
    journal.quarter("grid", 0.0, 1000, 990, 1.0)
    journal.quarter("grid", 0.25, None, 400, None)
    report = day_report(wish(now_hour=2.0), journal.events)
    assert [(q.feeder_wh, q.sessions_wh, q.drift_percent) for q in report.quarters] == [
        (1000, 990, 1.0),
        (None, 400, None),
    ]
    assert report.missing_quarters == {"grid": 6}


def test_stubs_and_other_days_say_nothing() -> None:
    """Contract 4: what is past its retention is known by hash only."""
    journal = HandJournal()
    journal.session("s1", "A1", 30.0, 31.0)
    journal.events.insert(0, {"seq": 0, "type": "journal.stub", "reason": "retention", "hash": "x"})
    report = day_report(wish(), journal.events)
    assert (report.total("created"), report.total("finished"), report.differences) == (0, 0, ())
    assert (report.begins_at, report.day) == (MIDNIGHT, DAY)
