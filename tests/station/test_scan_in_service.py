"""Bus tools on wires that core owns: new devices are found while control keeps its times (issue 3, law 7, ruling 3)."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from siteward.api.calls import to_call
from siteward.cli.core_wire import CoreWire
from siteward.client.client import Client
from siteward.client.records import WireCallMessage, WireHeardMessage
from siteward.model.ids import LineId
from siteward.model.serial import Parity
from siteward.model.visit import WireCall
from siteward.model.wire import WireEvent
from siteward.runtime.turn import TurnDone
from siteward_drivers.line_visit import FOREIGN_SHARE, HOME_SHARE
from siteward_drivers.links import speed
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.probe import look_at
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import ScanPlan, Setting
from siteward_drivers.scan_words import Code, findings
from siteward_drivers.sim.mixed_line import TwinBank
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Scenario
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.station import PROFILES, VirtualStation
from tests.siteward_drivers.scan_rig import bank

LINE = LineId("rs485-1")
HOME = Setting(19200)
BUSY = Scenario(
    base_load=BaseLoadPlan(share=(0.1, 1.0), step_s=20.0),
    arrivals=ArrivalPlan(first_s=(2.0, 30.0), free_s=(20.0, 60.0), stay_s=(60.0, 300.0)),
    fuses_blow=False,
)


@dataclass
class Api:
    """The one call of the local API that a tool needs, without sockets: those know no virtual time."""

    station: VirtualStation
    took: list[tuple[float, float]] = field(default_factory=list)

    async def call(self, line: str, call: WireCallMessage) -> WireHeardMessage:
        began = self.station.clock.now()
        heard = await self.station.station.lines.call(LineId(line), to_call(call))
        self.took.append((began, self.station.clock.now()))
        return WireHeardMessage.model_validate(heard)


def wire_of(api: Api) -> CoreWire:
    return CoreWire(cast(Client, api), LINE, HOME)


class Watch:
    """How old the meter of the main fuse ever was, and how long a write to a charger waited for its answer."""

    def __init__(self) -> None:
        self.oldest_s = 0.0
        self.slowest_s = 0.0
        self.events: list[WireEvent] = []
        self.polls: list[float] = []

    def __call__(self, done: TurnDone) -> None:
        for meter, reading in done.snapshot.meters.items():
            if meter == "grid-meter":
                self.oldest_s = max(self.oldest_s, done.snapshot.at - reading.sent_at)
                if not self.polls or reading.sent_at != self.polls[-1]:
                    self.polls.append(reading.sent_at)
        for event in done.snapshot.wire:
            self.events.append(event)
            if event.stage == "answered" and event.kind == "limit" and event.sent_at is not None:
                queued = [
                    e.at
                    for e in self.events
                    if (e.connector, e.kind, e.stage, e.turn) == (event.connector, event.kind, "queued", event.turn)
                ]
                self.slowest_s = max(self.slowest_s, event.at - queued[-1])

    def begin(self) -> None:
        self.oldest_s = self.slowest_s = 0.0
        self.polls.clear()


def test_a_new_device_is_found_on_a_full_wire_and_control_keeps_its_times(tmp_path: Path) -> None:
    """Issue 3: the demo's fullest wire (69 % planned): all 247 addresses are asked, nobody who controls waits."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, scenario=BUSY, frames=True, seed=3)
        watch = Watch()
        station.watchers.append(watch)
        await station.start()
        station.sim.bank(LINE).devices |= bank(clock.now, meters=(40,)).devices
        await station.run_for(60)
        without = (watch.oldest_s, watch.slowest_s)
        watch.begin()
        api, book = Api(station), Book()
        wire = wire_of(api)
        began = clock.now()
        plan = ScanPlan((HOME,), tuple(range(1, 33)))
        await wire.scan(Scan(plan, book, PROFILES.by_id.values()), lambda _: None)
        took_s = clock.now() - began
        truth, count = station.sim.truth(), station.sim.bank(LINE).count
        await station.stop()
        assert [f.unit for f in book.at(HOME)] == [1, 2, 11, 12, 13, 14, 21, 22, 23, 24, 40]
        new = book.found[HOME, 40].likeness
        assert new is not None
        assert "eastron_sdm630" in new.profiles
        assert findings(book, plan) == ()
        assert wire.left_alone == set()
        assert 60 < took_s < 900
        # One visit more may stand before a poll or a write: at most a silent address, never a queue of them.
        assert watch.oldest_s <= without[0] + 0.25
        assert watch.slowest_s <= max(without[1], 0.3) + 0.25
        assert max(b - a for a, b in pairwise(watch.polls)) <= 1.6
        assert (count.early, count.garbled) == (0, 0)
        assert truth.trips == ()
        assert truth.longest_over_s <= 10.0

    run_virtual(story)


@pytest.mark.parametrize("share", [HOME_SHARE, FOREIGN_SHARE])
def test_tools_never_take_more_than_their_share(tmp_path: Path, share: float) -> None:
    """Ruling 3: whatever is asked and however fast, the wire belongs to others for the rest of the time."""
    foreign = Setting(9600, Parity.EVEN) if share == FOREIGN_SHARE else HOME

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, frames=True)
        await station.start()
        await station.run_for(20)
        api, book = Api(station), Book()
        wire = wire_of(api)
        plan = ScanPlan((foreign,), tuple(range(50, 80)), sweep=())
        began = clock.now()
        await wire.scan(Scan(plan, book), lambda _: None)
        took_s = clock.now() - began
        await station.stop()
        on_wire = len(api.took) * plan.call_s(foreign)
        assert on_wire / took_s <= share * 1.1
        assert book.proven() == ()

    run_virtual(story)


def test_two_devices_of_one_number_are_told_in_service(tmp_path: Path) -> None:
    """Fault 9: a scan of a wire in service names the number that is taken twice."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, frames=True)
        assert station.links is not None
        twins = TwinBank(station.sim.bank(LINE), {40: bank(clock.now, boxes=(40,)).devices[40]})
        twins.devices |= bank(clock.now, meters=(40,)).devices
        station.links[LINE].bank = twins
        await station.start()
        await station.run_for(20)
        book, plan = Book(), ScanPlan((HOME,), (39, 40, 41), sweep=())
        await wire_of(Api(station)).scan(Scan(plan, book, PROFILES.by_id.values()), lambda _: None)
        await station.stop()
        assert [(f.code, f.units) for f in findings(book, plan)] == [(Code.DUPLICATE, (40,))]

    run_virtual(story)


def test_a_charger_that_must_fall_back_is_not_asked(tmp_path: Path) -> None:
    """Rule R2, ruling 1: nothing is sent to a silent charger whose watchdog a read could feed; the tool is told."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, frames=True)
        await station.start()
        await station.run_for(30)
        station.sim.device("A01").faults.mute = True
        await station.run_for(10)
        heard = await station.station.lines.call(LINE, WireCall(11, 4, 4, 1))
        assert heard is not None
        assert heard.left_alone
        seen = await station.station.lines.call(LINE, WireCall(12, 4, 4, 1))
        assert seen is not None
        assert (len(seen.values or ()), seen.left_alone) == (1, False)
        await station.stop()

    run_virtual(story)


def test_a_call_only_reads() -> None:
    """Law 1: whatever a tool sends for, it is no write, and no broadcast."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, Path(), frames=True)
        lines = station.station.lines
        for call in (
            WireCall(11, 6, 261, 1),
            WireCall(0, 3, 0, 1),
            WireCall(11, 3, 0, 200),
            WireCall(11, 3, 70000, 1),
            WireCall(protocol="OCPP"),
        ):
            with pytest.raises(ValueError, match=r"call reads|speaks"):
                await lines.call(LINE, call)
        assert await lines.call(LineId("nowhere"), WireCall(1)) is None

    run_virtual(story)


def test_a_probe_of_a_wire_in_service_reads_every_register(tmp_path: Path) -> None:
    """S-20: `probe --raw` through core: the charger charges on, its reading is whole."""

    async def story(clock: VirtualClock) -> None:
        station = VirtualStation(clock, tmp_path, frames=True)
        await station.start()
        await station.run_for(20)
        wire = wire_of(Api(station))

        async def ask(request: Request) -> Answer:
            answer = await wire.ask(request)
            assert answer is not None
            return answer

        profile = PROFILES["heidelberg_energy_control"]
        line = next(line for line in station.site.lines if line.is_serial)
        look = await look_at(profile, 11, 1, speed(line), ask)
        await station.stop()
        assert look.strange == []
        readable = [q for q, point in profile.file.points.items() if point.readable]
        assert [item.quantity for item in look.items] == readable
        assert all(item.value is not None for item in look.items if item.quantity in profile.file.poll.always)

    run_virtual(story)
