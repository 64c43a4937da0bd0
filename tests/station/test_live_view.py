"""What people see of a busy station: every cause names its feeder, every metered connector its power (S-36, S-51)."""

from siteward.model.limits import Cause
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.station.test_virtual_hours import CROWD

AT_A_FEEDER = {
    Cause.FUSE,
    Cause.FAIR_SHARE,
    Cause.AFTER_SHED,
    Cause.METER_STALE,
    Cause.METER_LOST,
    Cause.PAUSED_NO_ROOM,
}


def test_every_cause_of_a_feeder_says_which(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=CROWD, seed=21)
        await station.start()
        seen, nameless = set(), []
        for _ in range(120):
            await station.run_for(3.0)
            live = station.station.live
            assert live is not None
            steps = [(c.id, step) for c in live.connectors for step in c.grant.chain]
            seen |= {step.cause for _, step in steps}
            nameless += [(name, step) for name, step in steps if step.cause in AT_A_FEEDER and step.feeder is None]
        await station.stop()
        assert nameless == []
        assert {Cause.FUSE, Cause.FAIR_SHARE, Cause.MAXIMUM} <= seen

    run_virtual(story)


def test_a_box_that_counts_apparent_power_shows_its_billing_meters_power(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=CROWD, seed=21)
        await station.start()
        await station.run_for(150)
        live = station.station.live
        assert live is not None
        boxes = [c for c in live.connectors if c.id.startswith(("A", "B"))]
        assert all(c.power_w is not None for c in boxes)
        drawing = [c for c in boxes if c.current_a is not None and max(c.current_a) > 6.0]
        assert drawing
        assert all(c.power_w is not None and c.power_w > 1000.0 for c in drawing)
        await station.stop()

    run_virtual(story)
