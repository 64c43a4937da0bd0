"""S-77: the fee for a car that only stands, by the one clock that never jumps, until the car leaves."""

from datetime import timedelta

import pytest

from siteward.model.sessions import OrderState, StopReason
from tests.fixtures.tariffs import two
from tests.siteward.control.test_money import rig_with, whole
from tests.siteward.control.test_stop_causes import press, rig_of

IDLE = two(
    begin="01:00",
    end="23:00",
    idle={"pricePerMinute": "1", "grace_s": 60, "most_s": 600},
    periods=[{"id": "day", "energyPrice": "0"}, {"id": "night", "energyPrice": "0"}],
)


def test_a_car_that_only_stands_pays_by_the_full_minute_after_the_grace() -> None:
    """S-77: standing counts from the end of charging until the car leaves; the session is open until then."""
    rig = rig_with(IDLE)
    name = rig.charging(seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(60 + 185)
    assert rig.log.stages("c2") == ["accepted", "done"]
    assert rig.log.rows[name].state is OrderState.CHARGING
    rig["A1"].plugged = False
    rig.turns(3)
    row = rig.log.rows[name]
    assert row.state is OrderState.FINISHED
    assert row.total == 300
    whole(rig, row)


def test_standing_is_not_billed_for_ever() -> None:
    """S-77: after the most that is billed the session ends though the car stays."""
    rig = rig_with(IDLE)
    name = rig.charging(seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(700)
    assert (rig.log.rows[name].state, rig.log.rows[name].total) == (OrderState.FINISHED, 1000)


def test_standing_after_a_fault_costs_nothing() -> None:
    rig = rig_with(IDLE)
    name = rig.charging(seconds=30)
    rig["A1"].fault = "E42"
    rig.turns(200)
    assert (rig.log.rows[name].state, rig.log.rows[name].total) == (OrderState.FINISHED, 0)


def test_standing_after_an_emergency_stop_costs_nothing() -> None:
    """S-77, I13: the driver was told to go, not to park; a stop that stands for an hour is no hour of his."""
    rig = rig_of()
    rig.install({**IDLE, "version": 2})
    name = rig.charging(seconds=30)
    press(rig)
    rig.turns(300)
    row = rig.log.rows[name]
    assert (row.state, row.stop_reason, row.total) == (OrderState.FINISHED, StopReason.EMERGENCY, 0)


def test_a_restart_neither_charges_a_waiting_car_nor_bills_the_outage() -> None:
    """OCMF: time across a power failure is never billed; what was stopped stays stopped."""
    rig = rig_with(IDLE)
    name = rig.charging(seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(100)
    stood = rig.log.rows[name].idle_s
    before_wh = rig.log.rows[name].energy_wh
    rig.crash(1800)
    rig.turns(100)
    rig["A1"].plugged = False
    rig.turns(3)
    row = rig.log.rows[name]
    assert row.state is OrderState.FINISHED
    assert row.energy_wh == before_wh
    assert row.stop_reason == "remote"
    assert stood + 90 <= row.idle_s <= stood + 120
    whole(rig, row)


@pytest.mark.parametrize("hours", [-1, 1])
def test_standing_is_counted_by_the_monotonic_clock(hours: int) -> None:
    """Fault 58: two clocks never bill an hour twice."""
    rig = rig_with(IDLE)
    name = rig.charging(seconds=30)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(100)
    rig.skew = timedelta(hours=hours)
    rig.turns(145)
    rig["A1"].plugged = False
    rig.turns(3)
    assert rig.log.rows[name].total == 300


PAID_AHEAD = two(
    begin="01:00",
    end="23:00",
    idle={"pricePerMinute": "1", "grace_s": 0, "most_s": 6000},
    flatFee=20,
)


@pytest.mark.parametrize(("amount", "stages"), [(19, "rejected"), (20, "rejected"), (21, "accepted")])
def test_an_amount_that_the_flat_fee_alone_takes_begins_nothing(amount: int, stages: str) -> None:
    """ADR 0066: the first watt hour would have cost more than was paid."""
    rig = rig_with(PAID_AHEAD)
    rig["A1"].plugged = True
    rig.turn()
    rig.turn(rig.start(order="O-1", maxAmount=amount))
    assert rig.log.stages("c1")[0].split()[0] == stages
    if stages == "rejected":
        assert rig.log.final("c1").code == "BAD_PARAMS"
        assert "flat fee of 20" in (rig.log.final("c1").message or "")


@pytest.mark.parametrize("how", ["stands", "stopped", "energy"])
def test_what_was_paid_ahead_is_the_most_that_standing_costs(how: str) -> None:
    """ADR 0066: a car that stays does not run up what nobody paid, whether it stands, was stopped or spent it."""
    rig = rig_with(PAID_AHEAD)
    name = rig.charging(seconds=20, maxAmount=40 if how == "energy" else 250)
    if how == "stands":
        rig["A1"].asks = False
    elif how == "stopped":
        rig.turn(rig.stop(order="O-1"))
    rig.turns(900)
    row = rig.log.rows[name]
    assert row.state is OrderState.FINISHED
    assert row.stop_reason == ("remote" if how == "stopped" else "amount_limit")
    assert row.max_amount is not None
    assert row.max_amount <= (row.total or 0) < row.max_amount + (5 if how == "energy" else 100)
    whole(rig, row)


def test_standing_stays_paid_over_a_restart() -> None:
    """ADR 0066: what was spent before it is not stood for after it."""
    rig = rig_with(PAID_AHEAD)
    name = rig.charging(seconds=20, maxAmount=250)
    rig.turn(rig.stop(order="O-1"))
    rig.turns(100)
    rig.crash(5)
    rig.turns(400)
    row = rig.log.rows[name]
    assert row.state is OrderState.FINISHED
    assert 250 <= (row.total or 0) < 350
    whole(rig, row)
