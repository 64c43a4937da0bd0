"""Barriers and locks in a whole station at port fidelity: on boards, and on the computer's own lines (I11, I12)."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.access import Barrier, Contact, Lock, Motion
from siteward.model.ids import ConnectorId
from siteward.model.live import ArmView
from siteward.model.points import PointName
from siteward.model.requests import CommandName
from siteward.model.site import Site
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.siteward_drivers.inout import io_site

LIMIT_S = 0.3


def _own(point: PointName, lines: dict[PointName, PointName]) -> PointName:
    return lines.setdefault(point, PointName(f"gpio:gpiochip0/{len(lines)}"))


def on_the_computers_own_lines(site: Site) -> Site:
    """The same arms, every point a line of the computer, no board at all."""
    lines: dict[PointName, PointName] = {}

    def contact(old: Contact | None) -> Contact | None:
        return None if old is None else replace(old, point=_own(old.point, lines))

    def motion(old: Motion) -> Motion:
        stop = None if old.stop is None else _own(old.stop, lines)
        return replace(old, free=_own(old.free, lines), block=_own(old.block, lines), stop=stop)

    def moved(arm: Barrier | Lock) -> Barrier | Lock:
        roles = (
            ("loop", "arm_closed", "arm_open", "fire") if isinstance(arm, Barrier) else ("bay", "arm_up", "arm_down")
        )
        return replace(arm, motion=motion(arm.motion), **{role: contact(getattr(arm, role)) for role in roles})

    gates, locks = tuple(moved(b) for b in site.barriers), tuple(moved(k) for k in site.locks)
    return replace(site, barriers=gates, locks=locks, relays=())


def bound_to_a_bay(site: Site) -> Site:
    """The lock keeps the bay of the first connector."""
    return replace(site, locks=tuple(replace(k, connector=ConnectorId("a1")) for k in site.locks))


SITES = {"boards": io_site(), "own lines": on_the_computers_own_lines(io_site())}


def at_the_gate(folder: Path, site: Site, body: Callable[[VirtualStation], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        station = VirtualStation(clock, folder, site=site)
        await station.start(drivers=False)
        await station.run_for(8.0)
        await body(station)
        assert station.sim.arms["gate"].truth.both == 0
        await station.stop()

    run_virtual(main)


def seen(station: VirtualStation, name: str) -> ArmView:
    """An arm in the newest live view."""
    live = station.station.live
    assert live is not None
    return next(arm for arm in live.arms if arm.id == name)


@pytest.mark.parametrize("where", SITES)
def test_a_gate_opens_closes_and_turns_round(tmp_path: Path, where: str) -> None:
    """I11: the runtime knows no difference; a vehicle below the closing arm turns it within 0.3 s."""

    async def body(station: VirtualStation) -> None:
        gate = station.sim.arms["gate"]
        await station.ask(CommandName.OPEN_BARRIER, "gate")
        await station.run_for(6.0)
        assert gate.position == 0.0
        await station.ask(CommandName.CLOSE_BARRIER, "gate")
        await station.run_for(1.6)
        assert gate.direction == 1
        station.sim.occupy("gate", True)
        await station.run_for(6.0)
        assert (gate.position, gate.truth.onto) == (0.0, 1)
        assert gate.truth.onto_s <= LIMIT_S

    at_the_gate(tmp_path, SITES[where], body)


def test_a_movement_is_seen_within_two_tenths_of_a_second(tmp_path: Path) -> None:
    """Goal of the live view: no turn is waited for when an arm begins, turns round or arrives."""

    async def body(station: VirtualStation) -> None:
        gate = station.sim.arms["gate"]
        lags = []
        for name, direction, word in (
            (CommandName.OPEN_BARRIER, -1, "opening"),
            (CommandName.CLOSE_BARRIER, 1, "closing"),
        ):
            await station.ask(name, "gate")
            while gate.direction != direction:
                await station.run_for(0.01)
            began = station.clock.now()
            while seen(station, "gate").state != word:
                await station.run_for(0.01)
            lags.append(station.clock.now() - began)
            await station.run_for(6.0)
        assert max(lags) <= 0.2, lags

    at_the_gate(tmp_path, SITES["own lines"], body)


@pytest.mark.parametrize("where", SITES)
def test_the_live_view_follows_the_arms(tmp_path: Path, where: str) -> None:
    """Contract 5: state, sensor, what blocks a close, why it turned round; nothing older than a turn."""

    async def body(station: VirtualStation) -> None:
        assert (seen(station, "gate").state, seen(station, "gate").blocked) == ("closed", None)
        bay = seen(station, "bay-1")
        assert (bay.kind, bay.state, bay.occupied, bay.blocked) == ("lock", "down", False, None)
        await station.ask(CommandName.OPEN_BARRIER, "gate")
        await station.run_for(2.0)
        assert (seen(station, "gate").state, seen(station, "gate").blocked) == ("opening", "ARM_MOVING")
        await station.run_for(4.0)
        station.sim.occupy("gate", True)
        await station.run_for(2.5)
        gate = seen(station, "gate")
        assert (gate.state, gate.occupied, gate.blocked, gate.why) == ("open", True, "LOOP_NOT_FREE", None)
        station.sim.occupy("gate", False)
        await station.run_for(4.0)
        assert seen(station, "gate").blocked is None
        await station.ask(CommandName.CLOSE_BARRIER, "gate")
        await station.run_for(1.6)
        station.sim.occupy("gate", True)
        await station.run_for(1.5)
        assert (seen(station, "gate").state, seen(station, "gate").why) == ("opening", "OBSTRUCTED")

    at_the_gate(tmp_path, SITES[where], body)


def test_a_lock_that_waits_for_its_bay_says_so(tmp_path: Path) -> None:
    """I12: people must know of a lock that will rise by itself."""

    async def body(station: VirtualStation) -> None:
        await station.ask(CommandName.RAISE_LOCK, "bay-1")
        await station.run_for(1.4)
        station.sim.occupy("bay-1", True)
        await station.run_for(6.0)
        bay = seen(station, "bay-1")
        assert (bay.state, bay.waits, bay.occupied, bay.blocked) == ("down", True, True, "BAY_NOT_FREE")
        await station.ask(CommandName.LOWER_LOCK, "bay-1")
        await station.run_for(2.0)
        assert not seen(station, "bay-1").waits

    at_the_gate(tmp_path, SITES["boards"], body)


def test_fire_and_a_board_that_is_gone_are_seen(tmp_path: Path) -> None:
    """I11: what is not known blocks, and an emergency is told as one."""

    async def body(station: VirtualStation) -> None:
        station.sim.arms["gate"].flags["fire"] = True
        await station.run_for(8.0)
        gate = seen(station, "gate")
        assert (gate.state, gate.emergency, gate.blocked) == ("open", True, "EMERGENCY")
        station.sim.boards["guard"].faults.silent = True
        await station.run_for(8.0)
        gate = seen(station, "gate")
        assert (gate.occupied, gate.blocked) == (None, "SENSOR_UNKNOWN")

    at_the_gate(tmp_path, SITES["boards"], body)
