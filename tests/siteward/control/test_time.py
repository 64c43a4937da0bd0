"""R17: a turn that came late, a wall clock that jumped."""

from datetime import timedelta

from siteward.model.alarms import Alarm, AlarmCode
from siteward.model.ids import ConnectorId
from tests.siteward.control.hand import Hand
from tests.siteward.control.sites import Box, feeder, site

GAP = Alarm(AlarmCode.TURN_GAP, "station")


def test_no_raise_and_no_lease_until_a_poll_round_after_the_gap() -> None:
    """Then both come back."""
    h = Hand(site([feeder("grid", 100)], [Box(), Box()]))
    h.obey(8)
    h.at += 20.0
    out = h.decide()
    assert GAP in out.alarms
    assert not out.leases
    assert not out.raises
    out = h.obey(2)
    assert len(out.leases) == 2


def test_a_wall_clock_that_runs_ahead_is_a_gap_and_a_small_step_is_none() -> None:
    """Suspended machines show as wall time; a clock sync backwards costs nothing."""
    h = Hand(site([feeder("grid", 100)], [Box()]))
    h.obey(3)
    h.wall_jump = timedelta(seconds=1.5)
    assert GAP not in h.obey(1).alarms
    h.wall_jump = timedelta(seconds=4.0)
    assert GAP in h.obey(1).alarms


def test_what_never_answers_holds_the_round_for_five_seconds_only() -> None:
    """A dead charger must not hold leases back for ever."""
    h = Hand(site([feeder("grid", 100)], [Box(), Box()]))
    h.obey(3)
    h.at += 20.0
    for _ in range(7):
        h.reads(ConnectorId("c00"), 0.0)
        out = h.decide()
    assert len(out.leases) == 2
