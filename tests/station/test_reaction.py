"""From the load above a fuse to the last of sixteen reductions, on one wire, in virtual time (goal 7)."""

import asyncio
from random import Random

from siteward.model.ids import LineId
from siteward.model.site import Line
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from siteward.settings.load import load_site
from siteward_drivers.sim.paced import silence_s
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.bench.reaction_site import (
    SETTLED_S,
    Bound,
    begin,
    open_sessions,
    other_load,
    quick_profiles,
    rise,
    site_text,
)
from tests.fixtures.memory_journal import MemoryJournal
from tests.fixtures.station import VirtualStation


class Story:
    """The station of goal 7 with everything that its wire carried."""

    def __init__(self, folder, clock: VirtualClock) -> None:
        profiles = quick_profiles(folder)
        path = folder / "site.toml"
        path.write_text(site_text(str(folder / "bus")), encoding="utf-8")
        self.clock = clock
        self.journal = MemoryJournal()
        site = load_site(path, profiles)
        self.station = VirtualStation(clock, folder, site=site, frames=True, journal=self.journal, profiles=profiles)
        self.wire: list[WireEvent] = []
        self.station.watchers.append(lambda done: self.wire.extend(done.snapshot.wire))
        begin(self.station.sim)

    async def start(self) -> None:
        await asyncio.sleep(SETTLED_S)
        await self.journal.commit(open_sessions(self.station.site))
        await self.station.start(drivers=False)
        await self.station.run_for(6.0)
        self.station.sim.settle()
        other_load(self.station.sim.world)
        await self.station.run_for(6.0)

    def reductions(self, since: float) -> dict[str, float]:
        """When each connector's first reduction after an instant was acknowledged."""
        found: dict[str, float] = {}
        for event in self.wire:
            taken = event.kind is FrameKind.LIMIT and event.stage is FrameStage.ANSWERED and event.at > since
            if taken and event.sent_at is not None and event.sent_at > since:
                found.setdefault(event.connector, event.at)
        return found


def test_goal_7_the_sixteenth_reduction_is_there_within_the_worst_case_of_the_wire(tmp_path) -> None:
    """Goal 7: at most 1.10 x what the wire takes when the meter has every other slot, wherever it falls."""

    async def main(clock: VirtualClock) -> list[float]:
        story = Story(tmp_path, clock)
        await story.start()
        took, dice = [], Random(7)
        for _ in range(12):
            began = clock.now()
            story.station.sim.settle()
            rise(story.station.sim.world)
            await story.station.run_for(4.0 + dice.random())
            done = story.reductions(began)
            assert len(done) == 16, f"{len(done)} of 16 were lowered"
            took.append(max(done.values()) - began)
        assert story.station.sim.bank("bus").count.early == 0
        assert story.station.sim.truth().trips == ()
        await story.station.stop()
        return took

    took = run_virtual(main)
    # The simulated slaves answer after 2 ms or t3.5, whichever is longer.
    bound = Bound(answer_s=silence_s(Line(LineId("bus"), "memory", 19200, stop_bits=2)))
    assert max(took) <= 1.10 * bound.worst_s
    assert min(took) >= bound.best_s - 0.005
