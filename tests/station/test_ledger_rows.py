"""A silent charger is written to every few seconds; the journal must not be (ruling 17, fault 57)."""

from siteward.model.ids import LineId
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.station.test_virtual_hours import CROWD


def test_a_silent_charger_costs_no_commits(tmp_path):
    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=CROWD, seed=5, frames=True)
        assert station.links is not None
        station.links[LineId("rs485-1")].plug(False)
        await station.start()
        await station.run_for(60)
        before = len(station.journal.batches)
        await station.run_for(120)
        rows = [
            row for batch in station.journal.batches[before:] for row in batch.ledger if row.connector.startswith("A")
        ]
        await station.stop()
        assert len(rows) <= 4

    run_virtual(story)
