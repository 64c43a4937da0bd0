"""S-30: energy of feeders against sessions by quarters; I6: what is not known is never taken for zero."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from siteward.control.reconcile import Books, keep_books, quarter_of
from siteward.model.events import ClockQuality
from siteward.model.ids import ConnectorId, MeterId, SessionId
from siteward.model.readings import MeterReading
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.fixtures.sites import two_connector_site
from tests.fixtures.story_rig import START

GRID = MeterId("grid-meter")


class Keeper:
    """A site with two chargers behind one metered feeder; its figures are moved by hand."""

    def __init__(self, site: Site | None = None) -> None:
        base = site or two_connector_site()
        alone = tuple(replace(f, chargers_only=True) for f in base.feeders) if site is None else base.feeders
        self.site = replace(base, feeders=alone)
        self.at = 0.0
        self.meter_wh: int | None = 50_000
        self.meter_age_s = 0.5
        self.open: dict[str, SessionRecord] = {}
        self.rows: list[SessionRecord] = []
        self.clock = ClockQuality.NTP
        self.books = Books()
        self.facts: list[dict[str, Any]] = []
        self.drifts: dict[str, tuple[float, float]] | None = None

    @property
    def wall(self) -> datetime:
        """UTC."""
        return START + timedelta(seconds=self.at)

    def charge(self, connector: str, name: str, energy_wh: int | None) -> None:
        """The session there has got so much so far."""
        stop = None if energy_wh is None else 1000 + energy_wh
        self.open[connector] = SessionRecord(
            SessionId(name), ConnectorId(connector), OrderState.CHARGING, START, "cli", None,
            start_register_wh=1000, last_register_wh=stop,
        )  # fmt: skip

    def end(self, connector: str) -> None:
        """It ends with what it has."""
        self.rows.append(replace(self.open.pop(connector), state=OrderState.FINISHED))

    def turn(self, seconds: float = 1.0) -> None:
        """One turn after some seconds."""
        self.at += seconds
        meters = {}
        if self.meter_wh is not None:
            meters[GRID] = MeterReading(GRID, self.at - self.meter_age_s, energy_wh=self.meter_wh)
        snapshot = Snapshot(at=self.at, wall=self.wall, clock=self.clock, turn=1, meters=meters)
        now = {ConnectorId(name): self.open.get(name) for name in ("A1", "A2")}
        closed = keep_books(self.site, self.books, snapshot, now, self.rows)
        self.books, self.rows = closed.books, []
        self.facts += [dict(fact.data) for fact in closed.facts]
        if closed.drifts is not None:
            self.drifts = dict(closed.drifts)


def quarter(keeper: Keeper) -> None:
    """Open the books at a quarter's begin (START is one), then pass it."""
    keeper.turn(0.0)


def test_a_quarter_is_closed_with_running_ended_and_new_sessions() -> None:
    """S-30: each counts with what it got in the quarter, wherever it began and ended."""
    keeper = Keeper()
    keeper.charge("A1", "s1", 4000)
    quarter(keeper)
    keeper.turn(300)
    keeper.charge("A1", "s1", 4600)
    keeper.end("A1")
    keeper.turn(1)
    keeper.charge("A1", "s2", 100)
    keeper.charge("A2", "s3", 250)
    keeper.meter_wh = 51_000
    assert keeper.facts == []
    keeper.turn(600)
    (data,) = keeper.facts
    assert (data["feeder_wh"], data["sessions_wh"], data["drift_wh"], data["driftPercent"]) == (1000, 950, 50, 5.0)
    assert (data["begin"], data["end"]) == ("2026-03-01T08:00:00.000Z", "2026-03-01T08:15:00.000Z")
    assert keeper.drifts == {"grid": (5.0, 1000.0)}
    keeper.charge("A1", "s2", 400)
    keeper.charge("A2", "s3", 250)
    keeper.meter_wh = 51_300
    keeper.turn(900)
    assert keeper.facts[1]["sessions_wh"] == 300
    assert keeper.drifts == {"grid": (0.0, 300.0)}


def test_other_load_is_no_drift_up_to_what_the_site_allows() -> None:
    """S-30: sessions above their feeder are; so is more than the worst base load: 3 x 20 A at 230 V are 3,450 Wh."""
    keeper = Keeper(two_connector_site())
    keeper.charge("A1", "s1", 0)
    quarter(keeper)
    for sessions, feeder, drift in ((1000, 4450, 0), (2000, 9000, 100), (3000, 9900, -100)):
        keeper.charge("A1", "s1", sessions)
        keeper.meter_wh = 50_000 + feeder
        keeper.turn(900)
        assert keeper.facts[-1]["drift_wh"] == drift, keeper.facts[-1]


def test_the_first_quarter_and_one_with_a_jump_of_the_clock_are_not_counted() -> None:
    """Law 5: books that were opened late prove nothing."""
    keeper = Keeper()
    keeper.turn(100)
    keeper.turn(800)
    assert keeper.facts == []
    keeper.turn(900)
    assert len(keeper.facts) == 1
    keeper.turn(1800)
    assert len(keeper.facts) == 1
    keeper.turn(906)
    keeper.turn(894)
    assert len(keeper.facts) == 1


@pytest.mark.parametrize("gone", ["silent", "stale", "backwards"])
def test_a_feeder_without_a_register_is_told_and_not_judged(gone: str) -> None:
    """I6."""
    keeper = Keeper()
    quarter(keeper)
    keeper.meter_wh = {"silent": None, "stale": 60_000, "backwards": 49_000}[gone]
    keeper.meter_age_s = 60.0 if gone == "stale" else 0.5
    keeper.turn(900)
    assert keeper.facts[0]["feeder_wh"] is None
    assert "drift_wh" not in keeper.facts[0]
    assert keeper.drifts == {}


def test_a_register_may_roll_over() -> None:
    """Fault 31."""
    base = two_connector_site()
    meter = replace(base.meters[0], facts=replace(base.meters[0].facts, rollover_wh=1_000_000))
    keeper = Keeper(replace(base, meters=(meter,)))
    keeper.meter_wh = 999_900
    quarter(keeper)
    keeper.meter_wh = 400
    keeper.turn(900)
    assert keeper.facts[0]["feeder_wh"] == 500


def test_a_session_that_nobody_counts_makes_its_feeder_unjudged() -> None:
    """Ruling 9."""
    keeper = Keeper()
    quarter(keeper)
    keeper.charge("A2", "s1", None)
    keeper.meter_wh = 55_000
    keeper.turn(900)
    assert keeper.facts[0]["uncounted"] == ["A2"]
    assert "drift_wh" not in keeper.facts[0]


def test_without_a_trusted_clock_no_books_are_kept() -> None:
    """B21: whose quarter would it be."""
    keeper = Keeper()
    quarter(keeper)
    keeper.clock = ClockQuality.UNSYNCED
    keeper.turn(450)
    keeper.clock = ClockQuality.NTP
    keeper.turn(450)
    assert keeper.facts == []


def test_quarters_are_those_of_the_hour() -> None:
    """Contract: UTC."""
    assert quarter_of(START + timedelta(minutes=29, seconds=59)) == START + timedelta(minutes=15)
