"""S-42, S-53, B21..B24: what a session costs, told segment by segment and settled by its bill."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from siteward.control.bill import make_bill
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.tariff import Pricing, TariffBook
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import tariff, two

# The rig's clock starts at 08:00 UTC; charging at 16 A three-phase is 3.07 Wh a second.
SITE = replace(story_site(), timezone="UTC")
NIGHT_TO_DAY = two(begin="08:03", end="17:00", validFrom="2026-01-01T00:00:00Z")


def rig_with(document: dict[str, Any] | None = None, **pricing: Any) -> Rig:
    wanted = NIGHT_TO_DAY if document is None else document
    rig = Rig(replace(SITE, pricing=Pricing(default="SZ-TOU", **pricing)))
    rig.install(wanted)
    assert rig.log.stages("t1")[-1] == "done"
    return rig


def finish(rig: Rig, order: str = "O-1") -> SessionRecord:
    rig.turn(rig.stop(order=order))
    rig.turns(15)
    found = [row for row in rig.log.rows.values() if row.order == order]
    assert [row.state for row in found] == [OrderState.FINISHED]
    return found[0]


def local(rig: Rig, seconds: int) -> None:
    """A session at A4, which another meter bills, that nobody ordered."""
    rig["A4"].plugged = True
    rig.turn()
    rig.turn(rig.start("A4", source="cli"))
    rig.turns(seconds)


def ended(rig: Rig) -> SessionRecord:
    """The only session, stopped by hand."""
    (row,) = rig.log.rows.values()
    rig.turn(rig.stop(sessionId=row.id, source="cli"))
    rig.turns(15)
    return rig.log.rows[row.id]


def whole(rig: Rig, row: SessionRecord) -> None:
    """Whatever happened: segments add up to the register difference, and the bill is made of them (I6)."""
    assert sum(s.energy_wh for s in row.segments) == row.energy_wh
    for one, other in zip(row.segments, row.segments[1:], strict=False):
        assert other.begin_wh == one.end_wh
    told = [fact.data for _, fact in rig.log.facts if fact.type is EventType.SESSION_SEGMENT and fact.session == row.id]
    assert [data["energy_wh"] for data in told] == [s.energy_wh for s in row.segments]
    assert [data["number"] for data in told] == list(range(1, len(told) + 1))
    pinned = rig.memory.prices.find(row.tariff, row.tariff_version)
    assert pinned is not None
    bill = make_bill(pinned, row.segments, row.idle_s, rig.memory.prices)
    finished = rig.log.last(EventType.SESSION_FINISHED)
    assert bill.total == row.total == finished.data["total"]
    assert bill.energy_wh == row.energy_wh
    assert row.currency == finished.data["currency"] == "CNY"


def test_a_boundary_is_a_register_read_near_it() -> None:
    """B24: the register read within 2 s of the boundary closes the segment; nothing is estimated."""
    rig = rig_with()
    rig.charging(seconds=120)
    row = finish(rig)
    whole(rig, row)
    assert [(s.period, s.ended, s.estimated_wh) for s in row.segments] == [("night", "price", 0), ("day", "end", 0)]
    boundary = datetime(2026, 3, 1, 8, 3, tzinfo=UTC)
    assert row.segments[0].end == row.segments[1].begin == boundary
    lines = rig.log.last(EventType.SESSION_FINISHED).data["lines"]
    assert [(line["kind"], line["period"], line["price"]) for line in lines] == [
        ("energy", "night", "0.2000"),
        ("energy", "day", "0.5000"),
        ("service", "day", "0.1000"),
    ]


def test_without_a_near_read_a_straight_line_divides_and_says_so() -> None:
    """B24: linear split, marked estimated."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig["A1"].meter_silent = True
    rig.turns(25)
    rig["A1"].meter_silent = False
    rig.turns(20)
    row = finish(rig)
    whole(rig, row)
    night, day = row.segments
    assert night.estimated_wh > 0
    assert day.estimated_wh > 0
    silent_wh = night.estimated_wh + day.estimated_wh
    assert 70 <= silent_wh <= 85
    assert rig.log.last(EventType.SESSION_FINISHED).data["energyByPeriod"][0]["estimated_wh"] == night.estimated_wh


def test_the_version_of_the_start_prices_the_whole_session() -> None:
    """S-17, B24: a session pins id and version at its start."""
    rig = rig_with()
    rig.install(NIGHT_TO_DAY | {"version": 2, "validFrom": "2026-03-01T08:02:30Z"}, "t2")
    rig.charging(seconds=120)
    row = finish(rig)
    whole(rig, row)
    assert {s.version for s in row.segments} == {1}
    assert rig.log.last(EventType.SESSION_CREATED).data["tariffVersion"] == 1
    rig["A1"].plugged = False
    rig.turn()
    rig.charging(order="O-2", seconds=20)
    assert {s.version for s in finish(rig, "O-2").segments} == {2}


def test_what_a_car_took_while_nobody_looked_is_billed_though_it_came_after_the_last_row() -> None:
    """I6, B23: a start waited for its car, we died, the charger gave its fall-back current to the car that came."""
    rig = rig_with()
    rig.turn(rig.start(order="O-1"))
    rig["A1"].plugged, rig["A1"].stuck_a = True, 8.0
    rig.crash(300)
    rig["A1"].stuck_a = 0.0
    rig.turns(20)
    row = finish(rig)
    assert row.energy_wh == int(rig["A1"].register) - 1000 > 450
    whole(rig, row)


def test_the_running_fee_follows_the_energy() -> None:
    """S-42, S-53: what it costs so far is in the session while it charges."""
    rig = rig_with(
        two(
            begin="01:00",
            end="23:00",
            periods=[{"id": "day", "energyPrice": "10"}, {"id": "night", "energyPrice": "1"}],
        )
    )
    rig.charging(seconds=10)
    seen = []
    for _ in range(6):
        rig.turns(10)
        assert rig.chapter is not None
        now = rig.chapter.connectors[ConnectorId("A1")].session
        assert now is not None
        assert now.total is not None
        assert now.energy_wh is not None
        assert now.energy_wh - 25 <= now.total <= now.energy_wh + 1
        seen.append(now.total)
    assert seen == sorted(set(seen))


def test_the_same_version_again_has_no_second_effect_and_another_content_is_refused() -> None:
    """S-75: idempotent; a version never changes."""
    rig = rig_with()
    rig.install(NIGHT_TO_DAY, "t2")
    assert rig.log.stages("t2") == ["accepted", "done"]
    assert rig.log.types("tariff.") == ["tariff.installed"]
    rig.install(NIGHT_TO_DAY | {"flatFee": 1}, "t3")
    assert rig.log.stages("t3") == ["rejected TARIFF_CONFLICT"]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (two("Europe/Berlin", tariffId="B"), "the site's is UTC"),
        (two(tariffId="B", currency="EUR"), "[tariff] currency of this site is CNY"),
    ],
)
def test_a_tariff_that_does_not_fit_the_site_is_refused(document: dict[str, Any], told: str) -> None:
    rig = rig_with(currency="CNY")
    rig.install(document, "t2")
    assert rig.log.stages("t2") == ["rejected BAD_PARAMS"]
    assert told in (rig.log.final("t2").message or "")


def test_a_viewer_installs_no_tariff() -> None:
    """S-82."""
    rig = rig_with()
    rig.install(NIGHT_TO_DAY | {"version": 2}, "t2", source="panel", role="viewer")
    assert rig.log.stages("t2") == ["rejected NOT_AUTHORISED"]


def test_an_outage_is_a_segment_of_its_own() -> None:
    """B23: what the row held ends there, the gap follows, and the register says what both come to."""
    rig = rig_with()
    rig.charging(seconds=30)
    rig.crash(40)
    rig.turns(40)
    row = finish(rig)
    whole(rig, row)
    assert row.gap
    assert [s.ended for s in row.segments].count("gap") == 2
    assert not any(s.flagged for s in row.segments)
    assert len({s.meter for s in row.segments}) == 1
    assert row.segments[-1].ended == "end"


def test_an_outage_over_a_boundary_is_divided_by_a_line() -> None:
    """B23, B24: the energy of the gap is a register difference, only its share at the boundary is estimated."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig.crash(60)
    rig.turns(20)
    row = finish(rig)
    whole(rig, row)
    gap = [s for s in row.segments if s.estimated_wh]
    assert [(s.period, s.estimated_wh == s.energy_wh) for s in gap] == [("night", True), ("day", True)]


def test_a_session_that_ended_during_the_outage_is_billed_to_its_last_register() -> None:
    """B23: else close with the last good register."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig["A1"].plugged = False
    rig.crash(20)
    rig.turns(10)
    row = next(iter(rig.log.rows.values()))
    assert row.state is OrderState.FINISHED
    whole(rig, row)


def test_without_a_trusted_clock_the_lowest_price_counts_and_is_flagged() -> None:
    """B21: an unsynced clock forbids boundary billing; corrected, boundaries count again."""
    rig = rig_with()
    rig.clock = ClockQuality.UNSYNCED
    rig.charging(seconds=90)
    rig.clock = ClockQuality.NTP
    rig.turns(40)
    row = finish(rig)
    whole(rig, row)
    assert [(s.period, s.flagged, s.ended) for s in row.segments] == [("night", True, "clock"), ("day", False, "end")]
    lines = rig.log.last(EventType.SESSION_FINISHED).data["lines"]
    assert [line.get("flagged_wh", 0) > 0 for line in lines] == [True, False, False]


@pytest.mark.parametrize("hours", [-1, 1, 24])
def test_a_jump_of_the_clock_bills_every_wh_once(hours: int) -> None:
    """Fault 58, B21: the segment ends at the jump with its register and is flagged; nothing is billed twice."""
    rig = rig_with()
    rig.charging(seconds=100)
    rig.skew = timedelta(hours=hours)
    rig.turns(60)
    row = finish(rig)
    whole(rig, row)
    assert [s.flagged for s in row.segments if s.ended == "clock"] == [True]
    assert all(s.end >= s.begin for s in row.segments)


def test_a_small_step_of_the_clock_changes_nothing() -> None:
    """B21: up to 30 s boundaries are still believed."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig.skew = timedelta(seconds=-20)
    rig.turns(70)
    row = finish(rig)
    whole(rig, row)
    assert [s.ended for s in row.segments] == ["price", "end"]


def test_a_settled_session_says_its_total() -> None:
    """Ruling 15: session.settled follows when the platform acknowledged."""
    rig = rig_with()
    name = rig.charging(seconds=30)
    row = finish(rig)
    rig.turn(settled=(name,))
    assert rig.log.last(EventType.SESSION_SETTLED).data == {
        "energy_wh": row.energy_wh,
        "total": row.total,
        "currency": "CNY",
    }


def test_an_unmetered_connector_has_no_bill() -> None:
    """Ruling 9."""
    rig = rig_with()
    rig.charging("A3", seconds=20)
    row = finish(rig)
    assert (row.total, row.segments, row.tariff) == (None, (), None)


def test_a_rollover_inside_a_session_is_counted_on() -> None:
    """B22, I6."""
    site = SITE
    meter = replace(site.meters[-1], facts=replace(site.meters[-1].facts, rollover_wh=100_000))
    rig = Rig(replace(site, meters=(*site.meters[:-1], meter), pricing=Pricing(default="SZ-TOU")))
    rig.install(NIGHT_TO_DAY)
    rig["A4"].register = 99_900.0
    rig.charging("A4", seconds=100)
    row = finish(rig)
    whole(rig, row)
    assert row.rolled_wh == 100_000
    assert row.segments[-1].end_wh > 100_000


def test_the_books_version_is_that_of_the_document() -> None:
    rig = rig_with()
    assert rig.memory.prices == TariffBook().add(tariff(NIGHT_TO_DAY))


def test_another_meter_in_a_local_session_closes_the_segment_with_both_readings() -> None:
    """B22, fault 32: what nobody ordered goes on; the energy between the two meters is billed to nobody."""
    rig = rig_with()
    local(rig, 60)
    rig["A4"].serial, rig["A4"].register = "SN-2", 5_000.0
    rig.turns(60)
    row = ended(rig)
    whole(rig, row)
    swap = rig.log.last(EventType.AUDIT_METER_SWAPPED).data
    assert (swap["meter"], swap["newMeter"]) == ("SN-1", "SN-2")
    first, second = int(str(swap["last_wh"])), int(str(swap["first_wh"]))
    old, new = [s for s in row.segments if s.meter == "SN-1"], [s for s in row.segments if s.meter == "SN-2"]
    assert [s.meter for s in row.segments] == ["SN-1"] * len(old) + ["SN-2"] * len(new)
    assert new
    assert old[-1].ended == "meter"
    assert old[-1].end_wh == first
    assert row.energy_wh == first - 1000 + row.last_register_wh - second  # type: ignore[operator]
    assert sum(s.energy_wh for s in new) == row.last_register_wh - second  # type: ignore[operator]


def test_a_session_whose_meter_stays_silent_after_a_restart_ends_with_its_row() -> None:
    """B23: what the row held is closed as it stands; no segment is left open in the bill."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig["A1"].meter_silent = True
    rig.crash(5)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(90)
    (row,) = rig.log.rows.values()
    assert row.state is OrderState.FINISHED
    assert [s.ended for s in row.segments] == ["end"]
    assert row.segments[0].energy_wh == row.energy_wh
    whole(rig, row)


def test_one_slip_of_a_serial_is_no_exchange() -> None:
    """B22: three times in a row."""
    rig = rig_with()
    local(rig, 20)
    for serial in ("SN-2", "SN-1", "SN-2", "SN-2", "SN-1"):
        rig["A4"].serial = serial
        rig.turn()
    rig.turns(5)
    assert "audit.meter_swapped" not in rig.log.types()


def test_the_answer_says_whether_the_version_prices_what_begins_now() -> None:
    """S-39, S-17: a lower number than the one in force never will; one of tomorrow does not yet."""
    rig = rig_with(two(version=5))
    for version, valid, in_force in ((4, "2026-02-01", False), (6, "2026-04-01", False), (7, "2026-02-02", True)):
        rig.install(two(version=version, validFrom=f"{valid}T00:00:00Z"), f"v{version}")
        assert rig.log.final(f"v{version}").result == {"tariffId": "SZ-TOU", "version": version, "inForce": in_force}


def test_after_a_restart_the_segments_name_the_meter_that_counts() -> None:
    """B22, B23: a swap later on is told against that one."""
    rig = rig_with()
    local(rig, 60)
    rig.crash(30)
    rig.turns(30)
    rig["A4"].serial, rig["A4"].register = "SN-2", 9_000.0
    rig.turns(60)
    row = ended(rig)
    whole(rig, row)
    ends = [(s.meter, s.ended) for s in row.segments]
    assert [end for _, end in ends].count("gap") == 2
    assert ends[-2:] == [("SN-1", "meter"), ("SN-2", "end")]
    assert {meter for meter, _ in ends[:-1]} == {"SN-1"}


def test_a_session_whose_clock_steps_before_its_meter_answers_loses_no_energy() -> None:
    """B21, B23: the row's open segment is gone on with once, and stands in no bill twice."""
    rig = rig_with()
    rig.charging(seconds=60)
    rig["A1"].meter_silent = True
    rig.crash(5)
    rig.turns(5)
    rig.skew += timedelta(hours=2)
    rig.turns(5)
    rig["A1"].meter_silent = False
    rig.turns(20)
    row = finish(rig)
    whole(rig, row)
    assert row.energy_wh == int(rig["A1"].register) - 1000
