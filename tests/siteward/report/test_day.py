"""S-26, S-28, S-29, S-67, S-88: rates of a day from a hand-made journal, worked out on paper."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
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


@pytest.mark.parametrize(("alive", "lost_h"), [("2026-03-01T20:00:00.000Z", 5.0), (None, 5.25)])
def test_hours_in_which_the_station_was_off_are_not_known(alive: str | None, lost_h: float) -> None:
    """S-26, S-67, law 5: off from 4 to 9 h; nobody answered then and nobody charged. Without the time of its last sign
    of life the last event is one."""
    journal = HandJournal()
    journal.tell("connector.status", -5.0, "A1", online=True)
    journal.tell("session.created", 1.0, "A1", "s1")
    journal.tell("session.charging", 1.25, "A1", "s1")
    journal.quarter("grid", 3.5, 1000, 1000, 0.0)
    journal.tell("audit.started", 9.0, **({"aliveAt": alive} if alive else {}))
    journal.tell("connector.status", 9.0, "A1", online=True)
    journal.tell("session.resumed", 9.0, "A1", "s1", reason="restart")
    journal.tell("session.finished", 10.0, "A1", "s1", stopReason="user", energy_wh=20000)
    (day,) = day_report(wish(connectors=("A1",)), journal.events).connectors
    assert (day.known_s, day.online_s) == ((24.0 - lost_h) * 3600,) * 2
    assert day.charging_s == (8.75 - lost_h) * 3600


def test_a_station_that_stays_off_over_midnight_says_nothing_of_the_evening() -> None:
    """Law 5: the start of the next morning tells until when the day is known."""
    journal = HandJournal()
    journal.tell("connector.status", -5.0, "A1", online=True)
    journal.tell("audit.started", 33.0, aliveAt="2026-03-02T12:00:00.000Z")
    (day,) = day_report(wish(connectors=("A1",)), journal.events).connectors
    assert (day.known_s, day.online_s) == (20 * 3600.0, 20 * 3600.0)


def test_a_start_that_comes_to_charging_after_midnight_counts_where_it_was_asked_for() -> None:
    """S-28: else it was on no day."""
    journal = HandJournal()
    journal.session("s1", "A1", 23.9, 25.0)
    journal.tell("session.created", 23.95, "A2", "s2")
    journal.tell("session.failed", 24.01, "A2", "s2", stopReason="never_started")
    report = day_report(wish(), journal.events)
    assert (report.total("created"), report.total("started"), report.total("failed")) == (2, 1, 1)
    assert (report.start_percent, report.total("finished")) == (50.0, 0)


def test_an_event_under_a_clock_of_next_year_does_not_end_the_day() -> None:
    """B21: what was written before the clock was set back stands in the journal between the others."""
    journal = HandJournal()
    journal.tell("connector.status", -5.0, "A1", online=True)
    journal.tell("clock.changed", 9000.0, jump_s=8998.0 * 3600)
    journal.tell("connector.status", 9001.0, "A1", online=False)
    journal.tell("clock.changed", 4.0, jump_s=-8998.0 * 3600)
    journal.tell("connector.status", 5.0, "A1", online=True)
    journal.session("s1", "A1", 6.0, 7.0)
    (day,) = day_report(wish(connectors=("A1",)), journal.events).connectors
    assert (day.finished, day.charging_s) == (1, 0.75 * 3600)
    assert (day.known_s, day.online_s) == (24 * 3600.0, 22 * 3600.0)


def test_a_session_of_an_untrusted_clock_counts_on_its_true_day() -> None:
    """B21, S-30: a computer without a battery began in 1970; NTP came an hour later, and its kWh were sold today."""
    journal = HandJournal()
    journal.tell("connector.status", -5.0, "A1", online=True)
    journal.tell("audit.started", -490_000.0, aliveAt="2026-03-01T20:00:00.000Z")
    journal.session("s1", "A1", -489_999.75, -489_999.25)
    for event in journal.events[1:]:
        event["clock"] = "unsynced"
    journal.tell("clock.changed", 6.0, jump_s=490_005.0 * 3600)
    journal.tell("connector.status", 6.0, "A1", online=True)
    (day,) = day_report(wish(connectors=("A1",)), journal.events).connectors
    assert (day.created, day.started, day.finished, day.energy_wh) == (1, 1, 1, 10000)
    assert (day.charging_s, day.known_s) == (0.25 * 3600, 22 * 3600.0)
    (difference,) = day_report(wish(connectors=("A1",)), journal.events).differences
    assert difference.at == MIDNIGHT + timedelta(hours=5.75)


@pytest.mark.parametrize("jump_h", [-0.5, 2.0])
def test_a_step_of_the_clock_is_no_time(jump_h: float) -> None:
    """B21, S-67: the session charged for 1 h before it and 1 h after it, whatever the wall showed."""
    journal = HandJournal()
    journal.tell("session.created", 5.0, "A1", "s1")
    journal.tell("session.charging", 5.0, "A1", "s1")
    journal.tell("clock.changed", 6.0 + jump_h, jump_s=jump_h * 3600)
    journal.tell("session.finished", 7.0 + jump_h, "A1", "s1", stopReason="user", energy_wh=10)
    (day,) = day_report(wish(connectors=("A1",)), journal.events).connectors
    assert (day.charging_s, day.occupied_s) == (2 * 3600.0, 2 * 3600.0)


def test_energy_of_a_connector_that_was_taken_away_is_not_lost() -> None:
    """S-30, S-67: the site file of today names A1 only; the day had B7 as well, and its kWh were sold."""
    journal = HandJournal()
    journal.session("s1", "A1", 1.0, 2.0)
    journal.session("s2", "B7", 3.0, 4.0)
    journal.session("s3", "C1", -20.0, -19.0)
    report = day_report(wish(connectors=("A1",)), journal.events)
    assert [day.id for day in report.connectors] == ["A1", "B7"]
    assert report.total("energy_wh") == 20000


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


def test_a_quarter_that_came_twice_hides_none_that_is_missing() -> None:
    """B21: a clock that was set back has the same quarter again; both were counted, and one is still missing."""
    journal = HandJournal()
    for hour in (0.0, 0.25, 0.25, 0.75):
        journal.quarter("grid", hour, 1000, 1000, 0.0)
    report = day_report(wish(now_hour=1.0), journal.events)
    assert (len(report.quarters), report.missing_quarters) == (4, {"grid": 1})


def test_stubs_and_other_days_say_nothing() -> None:
    """Contract 4: what is past its retention is known by hash only."""
    journal = HandJournal()
    journal.session("s1", "A1", 30.0, 31.0)
    journal.events.insert(0, {"seq": 0, "type": "journal.stub", "reason": "retention", "hash": "x"})
    report = day_report(wish(), journal.events)
    assert (report.total("created"), report.total("finished"), report.differences) == (0, 0, ())
    assert (report.begins_at, report.day) == (MIDNIGHT, DAY)
