"""UNLOCK_CONNECTOR on frames: a whole station lets real chargers' cables go, and the simulated lock is the judge."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from siteward.model.events import EventType, Fact
from siteward.model.ids import ChargerId, CommandId, ConnectorId
from siteward.model.requests import CommandName, Reply
from siteward.model.site import Site
from siteward.settings.load import load_site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Latch
from siteward_drivers.sim.latch import SocketLatch
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation

BOX = ConnectorId("box-1")
SERIAL = 'port = "/dev/ttyUSB0"\nbaud = 9600\nparity = "none"'
NETWORK = 'port = "tcp://plant:502"'
KINDS = {"abb_terra_ac": (SERIAL, 1), "keba_p30": (NETWORK, 255), "keba_p40": (NETWORK, 255)}
BLIND = {"phoenix_charx_sec": (NETWORK, 1)}
FILE = """
schema = 1
[site]
id = "depot"
name = "Depot"
timezone = "Europe/Berlin"
[[line]]
id = "chargers"
{line}
[[feeder]]
id = "grid"
rating_a = [250, 250, 250]
chargers_only = true
[[charger]]
id = "box"
line = "chargers"
unit = {unit}
profile = "{profile}"
feeder = "grid"
hardware_max_a = 16
failsafe_a = 6
  [[charger.connector]]
  id = "box-1"
  type = "type2"
"""


def site(folder: Path, profile: str) -> Site:
    """One charger of that kind."""
    line, unit = (KINDS | BLIND)[profile]
    file = folder / "site.toml"
    file.write_text(FILE.format(line=line, unit=unit, profile=profile), encoding="utf-8")
    return load_site(file, PROFILES)


class Bench:
    """A station with one box, a car in it, and what became of commands."""

    def __init__(self, clock: VirtualClock, folder: Path, profile: str) -> None:
        self.station = VirtualStation(clock, folder, site=site(folder, profile), frames=True)
        self.sim = self.station.sim
        self.box = self.sim.chargers[ChargerId("box")]

    @property
    def latch(self) -> SocketLatch:
        """The true lock."""
        self.sim.settle()
        return self.sim.points[BOX].latch

    async def begin(self) -> None:
        """Start the station and plug a car in."""
        await self.station.start(drivers=False)
        await self.station.run_for(40.0)
        self.sim.world.plug(BOX, Car("car", 80_000.0, 0.2, max_a=16.0, react_s=2.0))
        await self.station.run_for(15.0)

    async def charge(self) -> None:
        """Let it charge."""
        await self.station.ask(CommandName.START_CHARGE, BOX)
        await self.station.run_for(120.0)
        self.sim.settle()
        assert self.sim.world.outlets[BOX].drawing

    async def end(self) -> None:
        """Stop its session and wait for quiet."""
        live = self.station.station.live
        assert live is not None
        session = live.connectors[0].session
        assert session is not None
        await self.station.ask(CommandName.STOP_CHARGE, BOX, sessionId=session.id)
        await self.station.run_for(30.0)

    async def unlock(self, seconds: float = 40.0) -> Reply:
        """Ask for it, and take the final answer."""
        command = (await self.station.ask(CommandName.UNLOCK_CONNECTOR, BOX)).command
        await self.station.run_for(seconds)
        return self.final(command)

    def final(self, command: CommandId) -> Reply:
        """The one final answer of a command."""
        found = [r for b in self.station.journal.batches for r in b.replies if r.command == command and r.stage.final]
        assert len(found) == 1
        return found[0]

    def told(self) -> list[Fact]:
        """What the journal tells of unlocking."""
        kind = EventType.CONNECTOR_UNLOCK
        return [fact for batch in self.station.journal.batches for fact in batch.facts if fact.type is kind]


def live(profile: str, folder: Path, story: Callable[[Bench], Awaitable[None]]) -> None:
    """Run a story in virtual time."""

    async def run(clock: VirtualClock) -> None:
        bench = Bench(clock, folder, profile)
        await bench.begin()
        await story(bench)
        await bench.station.stop()
        assert bench.latch.hot_moves == 0

    run_virtual(run)


@pytest.mark.parametrize("profile", KINDS)
def test_a_cable_is_let_go_after_its_session_and_never_during_it(profile: str, tmp_path: Path) -> None:
    """Contract UNLOCK_CONNECTOR: done when the lock's own register shows it (law 4); during a session refused."""

    async def story(bench: Bench) -> None:
        await bench.charge()
        during = await bench.unlock(10.0)
        assert (during.stage, during.code) == ("rejected", "ONGOING_TRANSACTION")
        assert bench.latch.locked
        await bench.end()
        assert bench.latch.locked
        after = await bench.unlock()
        assert (after.stage, after.code) == ("done", None)
        assert after.result == {"connectorId": BOX, "sent": True, "cable": "unlocked"}
        assert not bench.latch.locked
        assert [fact.data.get("code") for fact in bench.told()] == [None]

    live(profile, tmp_path, story)


@pytest.mark.parametrize("profile", KINDS)
def test_a_jammed_lock_is_a_failure(profile: str, tmp_path: Path) -> None:
    """OCPP UnlockFailed: the charger took the command, its lock did not move, and nobody says that it did."""

    async def story(bench: Bench) -> None:
        bench.box.faults.latch = Latch.JAMMED
        reply = await bench.unlock()
        assert (reply.stage, reply.code) == ("failed", "UNLOCK_FAILED")
        assert reply.result == {"connectorId": BOX, "sent": True, "cable": "locked"}
        assert bench.latch.locked

    live(profile, tmp_path, story)


def test_a_lock_without_a_register_is_said_to_be_unreadable(tmp_path: Path) -> None:
    """Law 4, honestly: CHARX takes the command and shows no lock; only its flag tells that it did not let go."""

    async def story(bench: Bench) -> None:
        reply = await bench.unlock()
        assert (reply.stage, reply.result) == ("done", {"connectorId": BOX, "sent": True, "effect": "not_readable"})
        assert not bench.latch.locked

    async def jam(bench: Bench) -> None:
        bench.box.faults.latch = Latch.JAMMED
        reply = await bench.unlock()
        assert (reply.stage, reply.code) == ("failed", "UNLOCK_FAILED")
        assert bench.latch.locked

    live("phoenix_charx_sec", tmp_path, story)
    live("phoenix_charx_sec", tmp_path, jam)


@pytest.mark.parametrize("profile", KINDS)
def test_a_cable_that_a_power_loss_left_behind_is_freed_when_power_is_back(profile: str, tmp_path: Path) -> None:
    """B23, S-12: the car left while the box was dark, the lock stayed shut; dark it is unreachable, then it goes."""

    async def story(bench: Bench) -> None:
        await bench.charge()
        bench.box.faults.latch = Latch.STICKS
        bench.box.faults.silent = True
        bench.sim.world.unplug(BOX)
        await bench.station.run_for(60.0)
        dark = await bench.unlock(10.0)
        assert (dark.stage, dark.code) == ("rejected", "CHARGER_UNREACHABLE")
        bench.box.restart()
        bench.box.faults.silent = False
        await bench.station.run_for(120.0)
        assert bench.latch.locked
        assert not bench.latch.pull()
        reply = await bench.unlock()
        assert (reply.stage, reply.result and reply.result["cable"]) == ("done", "unlocked")
        assert bench.latch.pull()

    live(profile, tmp_path, story)


def test_a_charger_that_refuses_the_command_has_not_taken_it(tmp_path: Path) -> None:
    """Fault 14: an exception is no answer to a write; the failure says that nothing was taken."""

    async def story(bench: Bench) -> None:
        command = (await bench.station.ask(CommandName.UNLOCK_CONNECTOR, BOX)).command
        await bench.station.run_for(0.5)
        bench.box.faults.refuses = 4
        await bench.station.run_for(40.0)
        reply = bench.final(command)
        assert reply.stage == "failed"
        assert reply.result is not None
        assert reply.result["sent"] is False
        assert bench.latch.locked

    live("keba_p30", tmp_path, story)
