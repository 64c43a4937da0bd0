"""B22, B24, I6: every charger that bills by its own register, over a session at 11 kW, against the world's truth."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from siteward.control.segments import NEAR_S
from siteward.model.events import EventType
from siteward.model.ids import CommandId, OrderId
from siteward.model.requests import CommandName, Request, Source
from siteward.runtime.turn import TurnDone
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.fleet import fleet
from tests.fixtures.station import PROFILES, VirtualStation

RESTED = {"keba_p30", "keba_p40"}
"""Their documents ask for half a second between two reads: a poll takes five."""
COUNT_WH = 100.0
"""The coarsest register of all."""
METER_ALARMS = ("METER_IMPLAUSIBLE", "SESSION_METER_LOST")


def billing() -> list[str]:
    """Profiles whose own register bills."""
    found = []
    for name in PROFILES.names("charger"):
        facts = PROFILES.charger(name)
        if facts is not None and facts.bills_energy:
            found.append(name)
    return found


def asked(clock: VirtualClock, name: CommandName, target: str) -> Request:
    """A command of the platform for the one order of a connector."""
    return Request(
        CommandId(f"{name}-{target}-{clock.now():.0f}"),
        name,
        Source.CLOUD,
        clock.now(),
        clock.wall(),
        target=target,
        order=OrderId(f"O-{target}"),
    )


async def sessions(clock: VirtualClock, station: VirtualStation) -> dict[str, float]:
    """An order at every connector, from its start to its end; what each car truly got, in Wh."""
    await station.run_for(150)
    names = [c.id for c in station.site.connectors]
    for name in names:
        station.sim.world.plug(name, Car(name=name, capacity_wh=60_000.0, soc=0.2, max_a=16.0, phases=3))
    await station.run_for(10)
    for command, seconds in (("START_CHARGE", 440), ("STOP_CHARGE", 60)):
        for name in names:
            await station.station.inbox.submit(asked(clock, CommandName(command), name), b"{}")
        await station.run_for(seconds)
    return {c.connector: c.energy_wh for c in station.sim.truth().connectors}


class Ages:
    """How old the register of a charging session ever was when a turn looked at it."""

    def __init__(self) -> None:
        self.oldest_s: dict[str, float] = {}

    def watch(self, done: TurnDone) -> None:
        for name, post in done.decision.memory.story.posts.items():
            session = post.session
            if session is None or session.counts_from is None or session.ending is not None:
                continue
            if session.register.fresh_at is not None and done.snapshot.at - session.counts_from > 15.0:
                age_s = done.snapshot.at - session.register.fresh_at
                self.oldest_s[name] = max(self.oldest_s.get(name, 0.0), age_s)


def billed_right(name: str, data: Mapping[str, object], true_wh: float) -> None:
    """The order ended as it was told to, with what flowed, and nothing of it is an estimate."""
    assert data["stopReason"] == "remote", (name, data)
    assert not data["estimated"], (name, data)
    assert "byPower" not in data, (name, data)
    assert abs(int(str(data["energy_wh"])) - true_wh) <= COUNT_WH, (name, data, true_wh)


@pytest.mark.station
@pytest.mark.parametrize("frames", [True, False])
def test_an_order_is_billed_what_flowed_by_every_register(tmp_path: Path, frames: bool) -> None:
    """B22: no value is taken for younger than it is, so that none is held for a jump and the last one is of the end."""

    async def story(clock: VirtualClock) -> None:
        ages = Ages()
        station = VirtualStation(clock, tmp_path, site=fleet(billing(), 100.0), seed=5, frames=frames)
        station.watchers.append(ages.watch)
        await station.start(drivers=False)
        truth = await sessions(clock, station)
        await station.stop()
        facts = station.journal.facts
        ended = {str(f.connector): f.data for f in facts if f.type is EventType.SESSION_FINISHED}
        assert set(ended) == set(truth)
        for name, data in ended.items():
            billed_right(name, data, truth[name])
        raised = [f.data for f in facts if f.type is EventType.ALARM_RAISED]
        assert [d for d in raised if d["code"] in METER_ALARMS and d["subject"] in truth] == []
        for name, age_s in ages.oldest_s.items():
            assert age_s <= (10.0 if name.removesuffix("-1") in RESTED else 2 * NEAR_S + 2.0), (name, age_s)

    run_virtual(story)
