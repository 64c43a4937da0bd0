"""The step test over the whole station, wired wrongly on purpose: faults 33 and 34, judged by what was truly wired."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from siteward.cli.paint import Screen
from siteward.cli.phasing import phasing
from siteward.cli.phasing_run import VALID_S
from siteward.client.errors import CoreDown
from siteward.client.messages import RequestMessage
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.requests import CommandName
from siteward.model.site import Site
from siteward.model.units import Phase
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.phasing_rig import BOX, Socket, drawn, small_site, station_with, wired
from tests.fixtures.station import VirtualStation

L1, L2, L3 = Phase
Change = Callable[[VirtualStation], None]


@dataclass(frozen=True)
class Told:
    """What the verb said: exit status and the JSON of the box."""

    status: int
    box: dict[str, Any]

    @property
    def outcomes(self) -> dict[str, str]:
        """By feeder."""
        return {feeder["feeder"]: feeder["code"] for feeder in self.box["feeders"]}


def story(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    truth: Site,
    change: Change,
    phases: int = 1,
    others: int = 0,
    react_s: float = 2.0,
) -> Told:
    """Run the verb over one wrongly wired station."""

    async def run(clock: VirtualClock) -> int:
        station = await station_with(clock, folder, truth, phases, others, react_s)
        change(station)
        await station.run_for(40)
        status = await phasing(Socket(station), Screen(as_json=True), BOX)
        await station.run_for(10)
        live = station.station.live
        assert live is not None
        assert [limit for limit in live.limits if limit.source == "cli"] == [], "every limit is released"
        assert station.sim.truth().trips == ()
        await station.stop()
        return status

    status = run_virtual(run)
    return Told(status, json.loads(capsys.readouterr().out)["connectors"][0])


def untouched(_: VirtualStation) -> None:
    """Nothing is wrong."""


@pytest.mark.parametrize(("phases", "proven"), [(1, 1), (3, 0)])
def test_a_station_wired_as_its_file_says_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], phases: int, proven: int
) -> None:
    """Faults 33 and 34: no false alarm; a load on all three phases alike says nothing about their order."""
    told = story(tmp_path, capsys, small_site(), untouched, phases, others=3)
    assert told.outcomes == {"row-b": "fits", "grid": "fits"}
    assert told.status == 0
    assert [feeder["phasesProven"] for feeder in told.box["feeders"]] == [proven] * 2
    assert told.box["siteToml"] is None
    assert ("single-phase car" in told.box["note"]["text"]) == (proven == 0)


@pytest.mark.parametrize("phases", [1, 2])
def test_swapped_phases_at_a_charger_are_found_with_the_line_to_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], phases: int
) -> None:
    """Fault 34: rotation of an outlet; the map that was truly wired is what has to stand in the file."""
    truth = wired(small_site(), BOX, wiring=(L2, L3, L1))
    told = story(tmp_path, capsys, truth, untouched, phases)
    assert told.outcomes == {"row-b": "other_phase", "grid": "other_phase"}
    assert told.status == 1
    assert told.box["siteToml"] == 'phases = ["L2", "L3", "L1"]'


def test_transformers_in_another_order_are_not_taken_for_the_charger(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Fault 33: swapped CTs of one meter, told from the other meter on the path."""

    def swap(station: VirtualStation) -> None:
        station.sim.meter("row-b-meter").faults.clamps = (1, 0, 2)

    told = story(tmp_path, capsys, small_site(), swap)
    assert told.outcomes == {"row-b": "ct_order", "grid": "fits"}
    assert (told.status, told.box["siteToml"]) == (1, None)


@pytest.mark.parametrize(
    ("phases", "signs", "unsigned", "found"),
    [
        (1, (-1.0, 1.0, 1.0), False, ["L1"]),
        (3, (1.0, -1.0, 1.0), False, ["L2"]),
        (1, (-1.0, 1.0, 1.0), True, ["L1"]),
        (3, (1.0, -1.0, 1.0), True, []),
    ],
)
def test_a_reversed_transformer_is_found(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    phases: int,
    signs: tuple[float, float, float],
    unsigned: bool,
    found: list[str],
) -> None:
    """Fault 33: also at a meter that shows currents without sign; there power tells, and of three not which one."""

    def turn(station: VirtualStation) -> None:
        faults = station.sim.meter("row-b-meter").faults
        faults.signs, faults.unsigned = signs, unsigned

    told = story(tmp_path, capsys, small_site(), turn, phases)
    assert told.outcomes == {"row-b": "reversed_ct", "grid": "fits"}
    assert told.box["feeders"][0]["phases"] == found


@pytest.mark.parametrize("phases", [1, 3])
def test_a_charger_under_another_feeder_than_the_file_says_is_found_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], phases: int
) -> None:
    """Fault 33: the meter above does not see the step, the one of another row does."""
    truth = wired(small_site(), BOX, feeder=FeederId("row-a"))
    told = story(tmp_path, capsys, truth, untouched, phases)
    assert told.outcomes == {"row-b": "not_seen", "grid": "fits", "row-a": "seen_elsewhere"}


def test_a_load_that_comes_and_goes_makes_no_wrong_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fault 33: other load that follows no order is called noise, and the exit status says to repeat."""

    def restless(station: VirtualStation) -> None:
        def move() -> None:
            amps = station.sim.world.base_a(FeederId("grid"))[0]
            station.sim.base_step("grid", 24.0 if amps < 18.0 else 12.0)
            station.sim.world.at(station.sim.world.now + 17.0, move)

        move()

    told = story(tmp_path, capsys, small_site(), restless)
    assert told.outcomes == {"row-b": "fits", "grid": "noisy"}
    assert told.status == 2


def test_a_car_that_follows_late_is_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fault 33: what is read before a slow car follows is no plateau; a still slower one core stops by itself."""
    told = story(tmp_path, capsys, small_site(), untouched, react_s=12.0)
    assert (told.outcomes, told.status) == ({"row-b": "fits", "grid": "fits"}, 0)


def test_nobody_takes_the_room_and_nobody_is_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Law 8, fault 33: a row that is short; the neighbour would rise into the step and hide it."""

    async def run(clock: VirtualClock) -> int:
        station = await station_with(clock, tmp_path, small_site(), 1)
        station.sim.world.plug(ConnectorId("B02-1"), Car("next", capacity_wh=90_000.0, soc=0.1, max_a=16.0, phases=3))
        socket = Socket(station)
        await socket.submit(
            RequestMessage(command_id="row", name="LIMIT_POWER", target="row-b", params={"limit_a": 26.0})
        )
        await station.run_for(60)
        before = {c.id: c.grant.limit_a for c in (await socket.live()).connectors}
        assert before["B02-1"] < 16.0
        socket.asked.clear()
        socket.most_a.clear()
        status = await phasing(socket, Screen(as_json=True), "all")
        assert all(request.params["limit_a"] <= before[request.target] for request in socket.asked)  # type: ignore[index]
        assert {request.target for request in socket.asked} == {"B01-1", "B02-1"}
        assert all(most <= before[name] + 0.1 for name, most in socket.most_a.items())
        await station.stop()
        return status

    assert run_virtual(run) == 0
    told = json.loads(capsys.readouterr().out)["connectors"]
    assert [(box["connector"], [f["code"] for f in box["feeders"]]) for box in told] == [
        ("B01-1", ["fits", "fits"]),
        ("B02-1", ["fits", "fits"]),
    ]


async def begun(clock: VirtualClock, folder: Path) -> tuple[VirtualStation, Socket, float, asyncio.Task[int]]:
    """A step test that has run for 30 s; with what was drawn before it."""
    station = await station_with(clock, folder, small_site(), 1)
    socket = Socket(station)
    before = drawn(station)
    task = asyncio.create_task(phasing(socket, Screen(as_json=True), BOX))
    await station.run_for(30)
    return station, socket, before, task


def test_a_test_that_is_broken_off_leaves_nothing_behind(tmp_path: Path) -> None:
    """R15: Ctrl-C releases at once; and had the terminal died, every limit has an end of its own."""

    async def run(clock: VirtualClock) -> None:
        station, socket, before, task = await begun(clock, tmp_path)
        assert drawn(station) == pytest.approx(6.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await station.run_for(60)
        assert drawn(station) == pytest.approx(before)
        assert {request.name for request in socket.asked} == {CommandName.LIMIT_POWER}
        for request in socket.asked:
            assert request.params is not None
            assert request.issued_at is not None
            assert request.params["limit_a"] <= before
            end = datetime.fromisoformat(request.params["validUntil"])
            assert 0.0 < (end - request.issued_at).total_seconds() <= VALID_S
        await station.stop()

    run_virtual(run)


def test_a_terminal_that_dies_leaves_a_limit_that_ends(tmp_path: Path) -> None:
    """R15: nobody releases anything, and the current is back when the validity is over."""

    async def run(clock: VirtualClock) -> None:
        station, socket, before, task = await begun(clock, tmp_path)
        socket.gone = True
        with suppress(CoreDown):
            await task
        await station.run_for(20)
        assert drawn(station) == pytest.approx(6.0)
        await station.run_for(VALID_S + 60)
        assert drawn(station) == pytest.approx(before)
        await station.stop()

    run_virtual(run)


async def nothing(station: VirtualStation) -> None:
    """Nobody charges."""
    station.sim.world.unplug(ConnectorId(BOX))


async def limited(station: VirtualStation) -> None:
    """A technician limited the box."""
    await Socket(station).submit(
        RequestMessage(command_id="mine", name="LIMIT_POWER", target=BOX, params={"limit_a": 12.0})
    )


async def narrow(station: VirtualStation) -> None:
    """The row may take very little."""
    await Socket(station).submit(
        RequestMessage(command_id="row", name="LIMIT_POWER", target="row-b", params={"limit_a": 8.0})
    )


async def silent(station: VirtualStation) -> None:
    """The box lost its wire."""
    station.sim.device("B01").faults.silent = True


@pytest.mark.parametrize(
    ("change", "code"), [(nothing, "no_car"), (limited, "limited"), (narrow, "too_little"), (silent, "offline")]
)
def test_what_cannot_be_tested_is_said_and_touched_by_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[VirtualStation], Awaitable[None]],
    code: str,
) -> None:
    """Fault 33: a test without a load is no test, and a limit that somebody else set is not replaced."""

    async def run(clock: VirtualClock) -> tuple[int, int]:
        station = await station_with(clock, tmp_path, small_site(), 1)
        await change(station)
        await station.run_for(20)
        socket = Socket(station)
        status = await phasing(socket, Screen(as_json=True), BOX)
        await station.stop()
        return status, len(socket.asked)

    assert run_virtual(run) == (2, 0)
    assert json.loads(capsys.readouterr().out)["connectors"][0]["untested"]["code"] == code
