"""B21, B23, [tariff]: what a site does without a price, without a meter, and under a clock that nobody trusts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.model.events import ClockQuality, EventType
from siteward.model.sessions import StopReason
from siteward.model.tariff import MeterLost, Pricing, Unmetered, Unpriced
from tests.fixtures.story_rig import Rig
from tests.fixtures.tariffs import depot
from tests.siteward.control.test_money import NIGHT_TO_DAY, SITE, finish, rig_with, whole


@pytest.mark.parametrize("unpriced", list(Unpriced))
def test_a_start_without_a_tariff_goes_by_the_sites_policy(unpriced: Unpriced) -> None:
    """[tariff] unpriced: allowed and without a bill, or refused with a code."""
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU", unpriced=unpriced)))
    rig["A1"].plugged = True
    rig.turn()
    rig.turn(rig.start(order="O-1"))
    if unpriced is Unpriced.REFUSE:
        assert rig.log.stages("c1") == ["rejected NO_TARIFF"]
        return
    rig.turns(30)
    row = finish(rig)
    assert (row.total, row.tariff) == (None, None)
    assert sum(s.energy_wh for s in row.segments) == row.energy_wh
    assert "total" not in rig.log.last(EventType.SESSION_FINISHED).data


@pytest.mark.parametrize("unmetered", list(Unmetered))
def test_a_start_without_a_meter_goes_by_the_sites_policy(unmetered: Unmetered) -> None:
    """[tariff] unmetered: what nobody counts is given away, or not delivered at all; metered ones do not care."""
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU", unmetered=unmetered)))
    rig.install(NIGHT_TO_DAY)
    for name in ("A1", "A3"):
        rig[name].plugged = True
    rig.turn()
    rig.turn(rig.start("A3", "c3", order="O-3"), rig.start("A1", "c1", order="O-1"))
    assert rig.log.stages("c1") == ["accepted"]
    assert rig.log.stages("c3") == ["accepted" if unmetered is Unmetered.ALLOW else "rejected NO_METER"]


@pytest.mark.parametrize(
    ("policy", "order", "priced", "ends"),
    [
        (MeterLost.PAID, "O-1", False, True),
        (MeterLost.PAID, None, True, True),
        (MeterLost.PAID, None, False, False),
        (MeterLost.ALL, None, False, True),
        (MeterLost.NONE, "O-1", True, False),
    ],
)
def test_a_lost_meter_ends_a_session_by_the_sites_policy(
    policy: MeterLost, order: str | None, priced: bool, ends: bool
) -> None:
    """B23: after 30 s; who goes on is billed, once it is back, for all that flowed."""
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU", meter_lost=policy)))
    if priced:
        rig.install(NIGHT_TO_DAY)
    rig["A1"].plugged = True
    rig.turn()
    rig.turn(rig.start(source="cloud" if order else "cli", **({"order": order} if order else {})))
    rig.turns(20)
    rig["A1"].meter_silent = True
    rig.turns(60)
    (row,) = rig.log.rows.values()
    assert (row.stop_reason, row.estimated) == ((StopReason.FAULT, True) if ends else (None, False))
    if not ends:
        rig["A1"].meter_silent = False
        rig.turns(3)
        rig.turn(rig.stop(sessionId=row.id))
        rig.turns(15)
        row = rig.log.rows[row.id]
        assert row.energy_wh == int(rig["A1"].register) - 1000 == sum(s.energy_wh for s in row.segments)


@pytest.mark.parametrize(("later_s", "ends"), [(0, False), (4, False), (29, False), (33, True)])
def test_of_a_wire_that_was_dead_the_charger_may_answer_first(later_s: int, ends: bool) -> None:
    """B23, fault 16: charger and meter were silent for 40 s together; the meter has its 30 s from their return on."""
    rig = Rig(SITE)
    session = rig.charging("A4", seconds=30)
    rig["A4"].silent = rig["A4"].meter_silent = True
    rig.turns(40)
    rig["A4"].silent = False
    rig.turns(later_s)
    rig["A4"].meter_silent = False
    rig.turns(5)
    assert (rig.log.rows[session].stop_reason is StopReason.FAULT) is ends


def test_a_charger_that_comes_and_goes_gives_a_dead_meter_no_more_time() -> None:
    """B23: nobody charges unmeasured for ever because his charger answers by halves."""
    rig = Rig(SITE)
    session = rig.charging("A4", seconds=30)
    rig["A4"].meter_silent = True
    for _ in range(3):
        rig["A4"].silent = True
        rig.turns(10)
        rig["A4"].silent = False
        rig.turns(20)
    assert rig.log.rows[session].stop_reason is StopReason.FAULT


@pytest.mark.parametrize("unpriced", list(Unpriced))
def test_a_clock_before_all_tariffs_gives_nothing_away(unpriced: Unpriced) -> None:
    """B21: a start is allowed unsynced and its bill flagged: at the lowest price, by the hour once that is known."""
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU", unpriced=unpriced)))
    rig.install(NIGHT_TO_DAY)
    rig.install(NIGHT_TO_DAY | {"version": 2, "validFrom": "2026-03-01T07:00:00Z"}, "t2")
    right = rig.skew
    rig.skew, rig.clock = timedelta(days=-9000), ClockQuality.UNSYNCED
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start(order="O-1", source="local"))
    rig.turns(60)
    rig.skew, rig.clock = right, ClockQuality.NTP
    rig.turns(120)
    row = finish(rig)
    whole(rig, row)
    parts = [(s.version, s.period, s.flagged) for s in row.segments]
    assert parts == [(2, "night", True), (2, "night", False), (2, "day", False)]


def test_a_start_may_name_its_tariff() -> None:
    rig = rig_with()
    rig.install(depot(tariffId="FLEET", timezone="UTC"), "t2")
    rig.charging(seconds=20, tariffId="FLEET")
    assert finish(rig).tariff == "FLEET"
    rig["A2"].plugged = True
    rig.turn()
    rig.turn(rig.start("A2", "c9", tariffId="NONE"))
    assert rig.log.stages("c9") == ["rejected NO_TARIFF"]


def test_a_clock_that_nobody_vouches_for_still_says_which_version_is_in_force() -> None:
    """B21: only where it knows of none does the newest one count."""
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU")))
    rig.install(NIGHT_TO_DAY)
    rig.install(NIGHT_TO_DAY | {"version": 2, "validFrom": "2027-03-01T07:00:00Z"}, "t2")
    rig.clock = ClockQuality.UNSYNCED
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(rig.start(order="O-1", source="local"))
    rig.turns(60)
    assert finish(rig).tariff_version == 1
