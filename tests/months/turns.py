"""Real sessions under the load turn, one turn a second; what cannot change is passed over, the rest is lived through.

The plant is the simplest faithful one: each box is polled every 2 s and does what was written at once, a car follows
down within 2 s and up within 1 s, draws the whole of its limit until it has its energy, and its session ends 300 s
later (the story's "full"). The meter of the connection reads every second.

Time is passed over only while nothing runs in the controller: no write for QUIET_TURNS turns, every limit read back
and drawn, no ramp and no pause after a shed under way, nobody paused for want of room, no wait of B11 (an offer that
is down at the floor goes no lower). Its clock stands still meanwhile, so that no timer gains by it. It looks again at
each arrival, departure, full car and quarter of an hour, and at the latest after LOOK_S, so that needs that grow by
the hour are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import exp
from random import Random

from siteward.control.demand import IDLE, Demand
from siteward.control.demands import need
from siteward.control.ledger import Ledger, may_send
from siteward.control.load import LoadMemory, LoadOutcome, load_turn, start_memory
from siteward.model.events import ClockQuality
from siteward.model.limits import Cause, Grant
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import Recovered
from siteward.model.site import Connector, Priority
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from tests.months.depot import FLOOR_A, QUARTER_S, VOLTS, Depot, Stay

WALL = datetime(2026, 1, 1, tzinfo=UTC)
QUIET_TURNS, LOOK_S, STARTED_AT = 12, 60, 1000.0
FULL_S, DOWN_S = 300, 2
TRIP_THETA, TAU_S, G_S = 1.13**2, 60.0, 10
DRAWS_A = 0.5


@dataclass
class Outlet:
    """A box and the car at it; `at` is the depot's time in s."""

    connector: Connector
    set_point: float = 0.0
    current: float = 0.0
    stay: Stay | None = None
    rest_wh: float = 0.0
    full_at: int | None = None
    falls_at: int | None = None
    since: float = 0.0

    @property
    def goal(self) -> float:
        """What its car wants to draw under the set point."""
        return self.set_point if self.rest_wh > 0.0 and self.set_point >= 6.0 else 0.0

    def second(self, at: int) -> None:
        """One second passes: the car follows its goal and takes its energy."""
        goal = self.goal
        if goal >= self.current or self.rest_wh <= 0.0:
            self.current, self.falls_at = goal, None
        elif self.falls_at is None:
            self.falls_at = at + DOWN_S
        elif at >= self.falls_at:
            self.current, self.falls_at = goal, None
        self.take(at, 1)

    def take(self, at: int, seconds: int) -> None:
        """So much energy as so many seconds bring."""
        if self.stay is None or self.current <= 0.0:
            return
        self.rest_wh = max(0.0, self.rest_wh - self.current * VOLTS * seconds / 3600.0)
        if self.rest_wh <= 0.0:
            self.full_at, self.current = at, 0.0


@dataclass
class Fuses:
    """What truly flows through each cell, judged second by second: thermal image, and overloads longer than G."""

    rating: tuple[float, ...]
    theta: list[float] = field(default_factory=list)
    over_s: list[int] = field(default_factory=list)
    worst_theta: float = 0.0
    longest_over_s: int = 0
    broken: int = 0

    def pass_time(self, load: Sequence[float], seconds: int) -> None:
        """So many seconds with this current in each cell."""
        self.theta = self.theta or [1.0] * len(self.rating)
        self.over_s = self.over_s or [0] * len(self.rating)
        fade = exp(-seconds / TAU_S)
        for cell, (amps, rating) in enumerate(zip(load, self.rating, strict=True)):
            ratio = amps / rating
            before, final = self.theta[cell], ratio * ratio
            self.theta[cell] = final + (before - final) * fade
            self.broken += before <= TRIP_THETA < self.theta[cell]
            was = self.over_s[cell]
            self.over_s[cell] = was + seconds if ratio > 1.005 else 0
            self.broken += was <= G_S < self.over_s[cell]
        self.worst_theta = max(self.worst_theta, *self.theta)
        self.longest_over_s = max(self.longest_over_s, *self.over_s)


class Turns:
    """The depot under siteward; `departures` says whether it is told who leaves when and with how much."""

    def __init__(self, one: Depot, stays: Sequence[Stay], base: Sequence[float], departures: bool) -> None:
        self.depot, self.base, self.departures = one, base, departures
        self.coming = sorted(stays, key=lambda s: (s.arrival, s.number), reverse=True)
        self.outlets = [Outlet(c) for c in one.site.connectors]
        self.fuses = Fuses(one.rating_a)
        self.got_wh: dict[int, float] = {}
        self.now = 0
        self.at, self.turn, self.quiet, self.passed_s = STARTED_AT, 0, 0, 0
        self.memory: LoadMemory = start_memory(one.site, Recovered(), self.at)
        self.readings: dict[object, ChargerReading] = {}
        self.wire: list[WireEvent] = []
        self.rng = Random(1)

    def run(self, first_s: int, last_s: int) -> None:
        """From one instant to another, and on until everybody has left."""
        self.now = first_s
        while self.now < last_s or any(o.stay is not None for o in self.outlets):
            self._come_and_go()
            busy = self._second()
            self.quiet = 0 if busy else self.quiet + 1
            if self.quiet >= QUIET_TURNS:
                self._pass_over(last_s)

    # -- the plant ---------------------------------------------------------------------------------------------

    def _come_and_go(self) -> None:
        for o in self.outlets:
            if o.stay is not None and self.now >= o.stay.departure:
                self.got_wh[o.stay.number] = o.stay.wanted_wh - o.rest_wh
                o.stay, o.rest_wh, o.current, o.full_at = None, 0.0, 0.0, None
                self.quiet = 0
        while self.coming and self.coming[-1].arrival <= self.now:
            stay = self.coming.pop()
            o = self.outlets[stay.outlet]
            o.stay, o.rest_wh, o.full_at, o.since = stay, stay.wanted_wh, None, self.at
            self.quiet = 0

    def _load(self) -> list[float]:
        base = self.base[self.now // QUARTER_S]
        load = [base if cell < 3 else 0.0 for cell in range(len(self.depot.rating_a))]
        for o, cells in zip(self.outlets, self.depot.cells, strict=True):
            if o.current > 0.0:
                for cell in cells:
                    load[cell] += o.current
        return load

    def _second(self) -> bool:
        """A second of cars and fuses, a poll and a turn; returns whether anything runs in the controller."""
        drawn = [o.current for o in self.outlets]
        for o in self.outlets:
            o.second(self.now)
        moved = drawn != [o.current for o in self.outlets]
        load = self._load()
        self.fuses.pass_time(load, 1)
        snapshot = self._poll(load)
        out = load_turn(self.depot.site, snapshot, self._demands(), (), self.memory)
        self.memory = out.memory
        for write in (*out.cuts, *out.failsafes, *out.raises):
            self._send(out.ledger, write)
        self.now, self.at = self.now + 1, self.at + 1.0
        return moved or self._runs(out)

    def _runs(self, out: LoadOutcome) -> bool:
        """Whether a write, a wait or a timer is under way."""
        if out.cuts or out.raises or out.failsafes or out.alarms:
            return True
        watches = zip(self.outlets, out.memory.watches, out.grants.values(), strict=True)
        return any(
            w.flights
            or g.confirmed_a != g.limit_a
            or abs(o.current - o.goal) > DRAWS_A
            or (o.stay is not None and (w.room_paused or _waits(g)))
            or (w.unused.since is not None and w.bound >= 0 and w.unused.cap_a != FLOOR_A)
            for o, w, g in watches
        )

    def _pass_over(self, last_s: int) -> None:
        """To the next thing that happens, with what flows now; the controller's clock stands still."""
        ends = [self.now + LOOK_S, (self.now // QUARTER_S + 1) * QUARTER_S]
        if all(o.stay is None for o in self.outlets):
            ends = [last_s]
        ends += [self.coming[-1].arrival] if self.coming else []
        for o in self.outlets:
            if o.stay is None:
                continue
            ends.append(o.stay.departure)
            if o.current > 0.0:
                ends.append(self.now + int(o.rest_wh * 3600.0 / (o.current * VOLTS)))
            elif o.full_at is not None and o.full_at + FULL_S >= self.now:
                ends.append(o.full_at + FULL_S)
        seconds = min(ends) - self.now
        if seconds <= 1:
            return
        self.fuses.pass_time(self._load(), seconds)
        for o in self.outlets:
            o.take(self.now + seconds, seconds)
        self.now, self.passed_s = self.now + seconds, self.passed_s + seconds
        if self.now % QUARTER_S == 0:
            self.quiet = 0

    # -- what the controller knows and asks --------------------------------------------------------------------

    def _demands(self) -> dict[object, Demand]:
        found: dict[object, Demand] = {}
        for o in self.outlets:
            stay = o.stay
            if stay is None or (o.full_at is not None and self.now - o.full_at >= FULL_S):
                found[o.connector.id] = IDLE
                continue
            told = stay.told if self.departures else None
            amps = 0.0 if told is None else need(o.rest_wh, (told - self.now) / 3600.0, 1, VOLTS)
            found[o.connector.id] = Demand(True, o.connector.cap_a, Priority.NORMAL, o.since, need_a=amps)
        return found

    def _poll(self, load: Sequence[float]) -> Snapshot:
        for k, o in enumerate(self.outlets):
            if self._due(k):
                self._read(o)
        a, b, c = (round(amps + self.rng.uniform(-0.05, 0.05), 3) for amps in load[:3])
        volts = round(VOLTS + self.rng.uniform(-1.0, 1.0), 2)
        meter = self.depot.site.meters[0].id
        self.turn += 1
        wire, self.wire = tuple(self.wire), []
        return Snapshot(
            at=self.at,
            wall=WALL + timedelta(seconds=self.at),
            clock=ClockQuality.NTP,
            turn=self.turn,
            meters={meter: MeterReading(meter, self.at, (a, b, c), (volts,) * 3, None, 50.0)},
            chargers=dict(self.readings),  # type: ignore[arg-type]
            wire=wire,
        )

    def _due(self, k: int) -> bool:
        """Whether the outlet of this number is polled now."""
        return (k + self.turn) % 2 == 0

    def _read(self, o: Outlet) -> None:
        self._frame(o, FrameKind.READ, None, None)
        facts = o.connector.facts.failsafe
        self.readings[o.connector.id] = ChargerReading(
            o.connector.id,
            self.at,
            pilot=Pilot.A if o.stay is None else Pilot.C if o.rest_wh > 0.0 else Pilot.B,
            charging=o.current > DRAWS_A,
            set_point_a=o.set_point,
            failsafe_a=o.connector.failsafe_a,
            failsafe_timeout_s=facts.timeout_s if facts else None,
            standby_off=True,
            measured_a=(round(o.current, 2), 0.0, 0.0),
            restart_mark=1,
        )

    def _frame(self, o: Outlet, kind: FrameKind, value: float | None, turn: int | None) -> None:
        for stage, late in ((FrameStage.SENT, 0.0), (FrameStage.ANSWERED, 0.05)):
            self.wire.append(WireEvent(o.connector.id, kind, stage, self.at + late, value, self.at, turn))

    def _send(self, ledger: Ledger, write: Write) -> None:
        o = next(o for o in self.outlets if o.connector.id == write.connector)
        if not may_send(ledger, write, self.at):
            return
        limit = write.kind is WriteKind.LIMIT
        if limit:
            o.set_point = write.value_a
        self._frame(o, FrameKind.LIMIT if limit else FrameKind.FAILSAFE, write.value_a, write.turn)


def _waits(grant: Grant) -> bool:
    """Whether its raise waits for time to pass; for room it waits in vain while nobody moves (QUIET_TURNS > ROOM_S)."""
    return grant.limit_a + 1.0 < grant.target_a and grant.chain[0].cause is not Cause.FUSE
