"""Wires at fault under the whole station, by the simulator's truth: what flows, what was written, what is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from siteward.cli.line_health import Trouble, judge
from siteward.client.messages import LineMessage
from siteward.model.alarms import AlarmCode
from siteward.model.ids import LineId
from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Site
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.memory_line import SimLink
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import VirtualStation
from tests.siteward_drivers.plant import RTU, TCP, charger, plant

ROW_A = ("A01-1", "A02-1", "A03-1", "A04-1")
ROW_B = ("B01-1", "B02-1", "B03-1", "B04-1")
LINE_A, LINE_B = LineId("rs485-1"), LineId("rs485-2")


async def busy(clock: VirtualClock, folder: Path) -> VirtualStation:
    """Every outlet charges and the station has settled."""
    station = VirtualStation(clock, folder, frames=True)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, Car("car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3))
    station.sim.base_step("grid", 20.0)
    await station.start()
    # Who was refused its floor while the fuses did not know the boxes yet waits for its minute of room (B08).
    await station.run_for(150)
    assert all(drawn(station, name) >= 5.9 for name in (*ROW_A, *ROW_B))
    return station


def drawn(station: VirtualStation, name: str) -> float:
    return max(station.sim.truth().connector(name).draw_a)


def alarms(station: VirtualStation) -> set[tuple[str, str]]:
    live = station.station.live
    assert live is not None
    return {(a.code, a.subject) for a in live.alarms}


def followers(station: VirtualStation, code: AlarmCode) -> set[str]:
    """Names of what an alarm of this code tells of."""
    live = station.station.live
    assert live is not None
    return {name for view in live.alarms if view.code == code for name in view.followers}


def link(station: VirtualStation, line: LineId) -> SimLink:
    assert station.links is not None
    return station.links[line]


async def swap(station: VirtualStation) -> None:
    """Pull both adapters and put each into the other's place."""
    one, two = link(station, LINE_A), link(station, LINE_B)
    one.plug(False)
    two.plug(False)
    one.bank, two.bank = two.bank, one.bank
    await station.run_for(1)
    one.plug(True)
    two.plug(True)


def test_two_adapters_that_changed_places_control_nothing(tmp_path: Path) -> None:
    """Fault 7: boxes of one kind at the same numbers look alike; a meter's serial number beside them tells of both."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        await swap(station)
        await station.run_for(20)
        wrong = {subject for code, subject in alarms(station) if code == AlarmCode.WRONG_DEVICE}
        assert {*ROW_A, *ROW_B, "grid-meter", "row-b-meter"} <= wrong
        await station.run_for(40)
        # Nobody speaks to them any more, so that their own watchdogs end (R2); nobody's limit is another's.
        assert all(drawn(station, name) <= 6.0 for name in (*ROW_A, *ROW_B))
        await swap(station)
        # As after a start: who found no room meanwhile waits for its minute of room (B08).
        await station.run_for(150)
        assert not [subject for code, subject in alarms(station) if code == AlarmCode.WRONG_DEVICE]
        assert all(drawn(station, name) >= 5.9 for name in (*ROW_A, *ROW_B))
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


class Misheard(SimLink):
    """An adapter set wrongly, or its pair turned round: bytes go out, what comes is no frame to anybody."""

    wrong: SerialSettings | None = None
    turned = False

    def write(self, data: bytes) -> None:
        if self.turned:
            # The slaves see each bit upside down and answer nothing; the line at rest is heard as breaks.
            assert self._inbox is not None
            self._inbox.data_received(b"\x00" * 3)
            return
        if self.wrong is not None:
            self.tune(self.wrong)
        super().write(data)


@pytest.mark.parametrize("fault", ["baud", "turned"])
def test_a_wrong_speed_or_a_turned_pair_is_told_and_the_other_bus_is_untouched(tmp_path: Path, fault: str) -> None:
    """Fault 3: one bus hears nobody; the doctor says which and why, the other one does not miss a poll."""

    async def story(clock: VirtualClock) -> None:
        station = await busy(clock, tmp_path)
        bad = link(station, LINE_B)
        bad.__class__ = Misheard
        assert isinstance(bad, Misheard)
        bad.turned = fault == "turned"
        bad.wrong = SerialSettings(9600, Parity.EVEN, 1)
        before = {s.device: s.timeouts + s.garbled for v in station.station.lines.views() for s in v.slaves}
        await station.run_for(60)
        views = {view.id: view for view in station.station.lines.views()}
        assert all(s.timeouts + s.garbled == before[s.device] for s in views[LINE_A].slaves)
        assert all(drawn(station, name) >= 5.9 for name in ROW_A)
        assert [drawn(station, name) for name in ROW_B] == [6.0] * 4
        assert (AlarmCode.LINE_LOST, LINE_B) in alarms(station)
        assert {*ROW_B, "row-b-meter"} <= followers(station, AlarmCode.LINE_LOST)
        fresh = [view for view in since_fault(station, before) if view.id == LINE_B]
        found = [d.trouble for d in judge(fresh)]
        assert found == [Trouble.NO_VALID_FRAME if fault == "turned" else Trouble.ALL_SILENT]
        assert station.sim.truth().trips == ()
        await station.stop()

    run_virtual(story)


def since_fault(station: VirtualStation, before: dict[str, int]) -> list[LineMessage]:
    """The statistics as `doctor --seconds` sees them: only what came after."""
    made = []
    for view in station.station.lines.views():
        slaves = []
        for slave in view.slaves:
            lost = slave.timeouts + slave.garbled - before[slave.device]
            garbled = min(slave.garbled, lost)
            changes = {"sent": lost, "answered": 0, "timeouts": lost - garbled, "garbled": garbled}
            slaves.append({**{n: getattr(slave, n) for n in ("device", "unit")}, "refused": 0, **changes})
        rest = {"latency_ms": None, "latency_p99_ms": None}
        whole = {n: getattr(view, n) for n in ("id", "port", "open", "load", "early_frames")}
        made.append(LineMessage.model_validate({**whole, "slaves": [{**s, **rest} for s in slaves]}))
    return made


BOXES = ("A-1", "B-1")
TOWER = "C-1"
WORST_A = 20.0


def small() -> Site:
    """A fuse of 80 A with a meter and two boxes on one pair, and a tower behind a gateway."""
    site = plant(
        charger("A", RTU, 11, "heidelberg_energy_control"),
        charger("B", RTU, 12, "heidelberg_energy_control"),
        charger("C", TCP, 1, "phoenix_charx_sec"),
    )
    grid = replace(site.feeders[0], rating_a=(80.0,) * 3, worst_base_load_a=(WORST_A,) * 3)
    return replace(site, feeders=(grid,))


async def charging(clock: VirtualClock, folder: Path) -> VirtualStation:
    """All three charge, beside 10 A of other load."""
    station = VirtualStation(clock, folder, site=small(), frames=True)
    for connector in station.site.connectors:
        station.sim.world.plug(connector.id, Car("car", capacity_wh=80_000.0, soc=0.2, max_a=16.0, phases=3))
    station.sim.base_step("grid", 10.0)
    await station.start()
    await station.run_for(90)
    assert all(drawn(station, name) > 12.0 for name in (*BOXES, TOWER))
    return station


def base_a(station: VirtualStation) -> float:
    live = station.station.live
    assert live is not None
    return min(live.feeders[0].base_a)


METER_LIES = [
    ("silent", 6, AlarmCode.METER_LOST),
    (Shows.NAN, 6, AlarmCode.METER_LOST),
    (Shows.INFINITE, 6, AlarmCode.METER_LOST),
    (Shows.ONES, 6, AlarmCode.METER_LOST),
    (Shows.SWAPPED, 6, AlarmCode.METER_LOST),
    (Shows.FROZEN, 15, AlarmCode.METER_IMPLAUSIBLE),
    (Shows.ZERO, 40, AlarmCode.METER_IMPLAUSIBLE),
]


@pytest.mark.parametrize(("lie", "within_s", "alarm"), METER_LIES)
def test_a_meter_that_is_silent_stuck_or_shows_nonsense_counts_as_the_worst(
    tmp_path: Path, lie: str, within_s: float, alarm: AlarmCode
) -> None:
    """Faults 28, 29 and 30: I3, never a zero and never the last value; the true fuse carries what comes meanwhile."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path)
        meter = station.sim.meter("grid-meter")
        meter.faults.silent = lie == "silent"
        if lie != "silent":
            meter.faults.shows = Shows(lie)
        await station.run_for(within_s)
        assert base_a(station) >= WORST_A
        station.sim.base_step("grid", WORST_A)
        await station.run_for(20)
        truth = station.sim.truth()
        assert (alarm, "grid-meter") in alarms(station)
        assert max(truth.feeder("grid").current_a) <= 80.0
        assert (truth.trips, truth.longest_over_s) == ((), 0.0)
        meter.faults.clear()
        await station.run_for(60)
        assert (alarm, "grid-meter") not in alarms(station)
        await station.stop()

    run_virtual(story)


def test_a_reversed_transformer_is_told_and_costs_no_fuse(tmp_path: Path) -> None:
    """Fault 33: a load that counts as export would lift every limit."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path)
        station.sim.meter("grid-meter").faults.factor = -1.0
        await station.run_for(40)
        assert (AlarmCode.METER_IMPLAUSIBLE, "grid-meter") in alarms(station)
        assert base_a(station) >= 0.0
        station.sim.base_step("grid", WORST_A)
        await station.run_for(20)
        truth = station.sim.truth()
        assert (truth.trips, truth.longest_over_s) == ((), 0.0)
        await station.stop()

    run_virtual(story)


@pytest.mark.parametrize("code", [2, 6, 0x5A])
def test_a_device_that_refuses_everything_is_left_in_peace_and_floods_no_journal(tmp_path: Path, code: int) -> None:
    """Fault 14: known codes and strange ones; the box is asked every five seconds, told of once, and its neighbours
    do not notice.
    """

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path)
        slaves = {s.device: s for s in station.station.lines.views()[0].slaves}
        before = len(station.journal.batches)
        station.sim.device("A").faults.refuses = code
        await station.run_for(20)
        sent = {s.device: s.sent for s in station.station.lines.views()[0].slaves}
        await station.run_for(180)
        after = {s.device: s for s in station.station.lines.views()[0].slaves}
        assert after["A"].sent - sent["A"] <= 180 / 5 + 2
        assert after["grid-meter"].sent - sent["grid-meter"] >= 180 * 1.8
        assert after["B"].timeouts == slaves["B"].timeouts
        assert (AlarmCode.CHARGER_UNREACHABLE, "A-1") in alarms(station)
        facts = [fact for batch in station.journal.batches[before:] for fact in batch.facts]
        told = [f for f in facts if f.connector == "A-1" or f.data.get("subject") == "A-1"]
        assert len(told) <= 5
        assert drawn(station, "A-1") <= 6.0
        assert drawn(station, "B-1") > 12.0
        await station.stop()

    run_virtual(story)


def test_a_gateway_that_falls_silent_is_dead_in_two_periods_and_its_tower_is_booked(tmp_path: Path) -> None:
    """Fault 16: the socket stays open; U rises to what the tower may do, and nothing is raised against it."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path)
        live = station.station.live
        assert live is not None
        view = next(c for c in live.connectors if c.id == TOWER)
        station.sim.bank(TCP).faults.cut = True
        openings = station.station.lines.views()[1].openings
        await station.run_for(6)
        live = station.station.live
        assert live is not None
        now = next(c for c in live.connectors if c.id == TOWER)
        assert not now.online
        assert now.grant.reserved_a >= view.grant.reserved_a
        await station.run_for(40)
        assert station.station.lines.views()[1].openings > openings
        assert (AlarmCode.CHARGER_UNREACHABLE, TOWER) in alarms(station)
        assert drawn(station, TOWER) <= 6.0
        assert all(drawn(station, name) > 12.0 for name in BOXES)
        station.sim.bank(TCP).faults.cut = False
        await station.run_for(60)
        assert drawn(station, TOWER) > 12.0
        await station.stop()

    run_virtual(story)


@pytest.mark.parametrize(("late_s", "usable"), [(0.2, True), (3.0, False)])
def test_a_slow_meter_stretches_its_period_or_counts_as_stale(tmp_path: Path, late_s: float, usable: bool) -> None:
    """Fault 19: no two requests overlap on the pair; what comes too late is no reading."""

    async def story(clock: VirtualClock) -> None:
        station = await charging(clock, tmp_path)
        station.sim.meter("grid-meter").faults.latency_s = late_s
        await station.run_for(30)
        assert ((AlarmCode.METER_LOST, "grid-meter") not in alarms(station)) == usable
        assert (base_a(station) < WORST_A) == usable
        station.sim.base_step("grid", WORST_A)
        await station.run_for(30)
        truth = station.sim.truth()
        assert (truth.trips, truth.longest_over_s) == ((), 0.0)
        assert station.sim.bank(RTU).count.early == 0
        assert all(drawn(station, name) > 5.9 for name in BOXES)
        await station.stop()

    run_virtual(story)
