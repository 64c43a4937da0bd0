"""The truth model under the whole decision: sessions, requests, wall clock, limits by rules, contacts, heat, energy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from siteward.control.decide import Decision, Memory, decide, restore
from siteward.control.load import LoadOutcome
from siteward.model.alarm_log import AlarmRecord
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import CommandId, ConnectorId, FeederId, MeterId, SessionId
from siteward.model.limits import Limit
from siteward.model.points import InputReading, PointName
from siteward.model.readings import Pilot
from siteward.model.recovered import Recovered
from siteward.model.requests import Actor, CommandName, Request, Role, Source, Stage
from siteward.model.sessions import SessionRecord
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.siteward.control.golden import seat
from tests.siteward.control.truth import STEP_S, Truth

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
TRY_AGAIN_S = 3.0
QUARTER_S = 900.0


class Whole(Truth):
    """One site with cars that start a session as soon as they are plugged in and the station lets them.

    `shows` is what a meter tells of energy: "register", "power" (no register) or "current" (neither); wh is the truth
    of it, by_quarter the same for each aligned quarter of an hour since 1970.
    """

    def __init__(self, site: Site, cars: list[dict[str, Any]], case: dict[str, Any], seed: int = 1) -> None:
        super().__init__(site, Random(seed), case.get("set_point", 0.0))
        self.zero = self.at
        self.wall_zero: datetime = case.get("wall", MONDAY)
        self.skew = timedelta()
        self.clock = ClockQuality(case.get("clock", "ntp"))
        self.shows: str = case.get("meter_shows", "register")
        self.register_step_wh: int = case.get("register_step_wh", 1)
        self.closed: set[PointName] = set(map(PointName, case.get("closed", [])))
        self.lost: set[PointName] = set()
        self.heat: dict[ConnectorId, float] = {c.id: 30.0 for c in site.connectors}
        self.wh = {f.id: 500_000.0 for f in site.feeders}
        self.by_quarter: dict[tuple[FeederId, int], float] = {}
        self.whole: Memory | None = None
        self.decision: Decision | None = None
        self.stored: tuple[Limit, ...] = ()
        self.sessions: dict[SessionId, SessionRecord] = {}
        self.alarmed: set[tuple[str, str]] = set()
        self.told: list[str] = []
        self.inbox: list[Request] = []
        self.plugged = {c.id for c, car in zip(site.connectors, cars, strict=True) if car.get("plugged", True)}
        self.started: dict[ConnectorId, tuple[float, str]] = {}
        seat(self, cars)
        for cid, box in self.boxes.items():
            box.wants = box.wants if cid in self.plugged else 0.0

    @property
    def wall(self) -> datetime:
        """What the wall clock shows."""
        return self.wall_zero + timedelta(seconds=self.at - self.zero) + self.skew

    def physics(self) -> None:
        """Count what truly flows; the quarters are those of true time, whatever the clock shows."""
        super().physics()
        quarter = int((self.wall - self.skew).timestamp() // QUARTER_S)
        for feeder, load in self.load.items():
            wh = max(0.0, sum(load)) * self.site.phase_voltage_v * STEP_S / 3600.0
            self.wh[feeder] += wh
            self.by_quarter[feeder, quarter] = self.by_quarter.get((feeder, quarter), 0.0) + wh

    def poll(self) -> None:
        """Add plug and heat to what was read just now."""
        super().poll()
        for cid, reading in self.readings.items():
            if reading.sent_at == self.at:
                pilot = reading.pilot if cid in self.plugged else Pilot.A
                heat = self.heat.get(cid)
                self.readings[cid] = replace(reading, pilot=pilot, temperature_c=heat)

    def _poll_meter(self, meter: MeterId, load: list[float]) -> None:
        super()._poll_meter(meter, load)
        reading = self.meters.get(meter)
        if reading is None or reading.sent_at != self.at:
            return
        feeder = next(f.id for f in self.site.feeders if f.meter == meter)
        watts = sum(load) * self.site.phase_voltage_v
        register = int(self.wh[feeder]) // self.register_step_wh * self.register_step_wh
        power = {"register": {"power_w": watts, "energy_wh": register}, "power": {"power_w": watts}}
        self.meters[meter] = replace(reading, **power.get(self.shows, {}))

    def judge(self, snapshot: Snapshot) -> LoadOutcome:
        """One whole decision; what it journals is kept for a restart."""
        if self.whole is None:
            recovered = Recovered(
                sessions=tuple(row for row in self.sessions.values() if row.state.open),
                limits=self.stored,
                ledger=tuple(self.ledger_rows.values()),
                alarms=tuple(AlarmRecord(*row, "", self.wall, "", "") for row in sorted(self.alarmed)),
            )
            self.whole = restore(self.site, recovered, self.at, self.wall)
        self._start_cars()
        requests, self.inbox = tuple(self.inbox), []
        asked = replace(
            snapshot,
            wall=self.wall,
            clock=self.clock,
            requests=requests,
            entropy=self.turn.to_bytes(10, "big"),
            inputs=self._inputs(),
        )
        decision = decide(self.site, asked, self.whole)
        self.whole, self.decision = decision.memory, decision
        self._keep(decision)
        return LoadOutcome(
            cuts=decision.cuts,
            raises=decision.raises,
            failsafes=decision.failsafes,
            stops=frozenset(),
            leases=decision.leases,
            grants=decision.grants,
            feeders=decision.feeders,
            alarms=frozenset(standing.alarm for standing in decision.alarms),
            facts=decision.batch.facts,
            ledger=decision.ledger,
            ledger_rows=decision.batch.ledger,
            memory=decision.memory.load,
            trips=decision.trips,
        )

    def _inputs(self) -> dict[PointName, InputReading]:
        points = [point for point in self.site.limit_points if point not in self.lost]
        return {point: InputReading(point, point in self.closed, self.at - 0.2) for point in points}

    def _keep(self, decision: Decision) -> None:
        batch = decision.batch
        self.sessions |= {row.id: row for row in batch.sessions}
        self.stored = self.stored if batch.limits is None else batch.limits
        second = f"{self.at - self.zero:.0f}"
        for fact in batch.facts:
            self.told.append(f"{second} {fact.type.value} {fact.connector or ''} {dict(fact.data)}")
            row = (str(fact.data.get("code")), str(fact.data.get("subject")))
            if fact.type is EventType.ALARM_RAISED:
                self.alarmed.add(row)
            elif fact.type is EventType.ALARM_CLEARED:
                self.alarmed.discard(row)
        for reply in batch.replies:
            self.told.append(f"{second} reply {reply.command} {reply.stage.value} {reply.code or ''}".rstrip())
            if reply.stage is Stage.REJECTED:
                self.started = {c: v for c, v in self.started.items() if v[1] != reply.command or self._wait(c)}

    def _wait(self, cid: ConnectorId) -> bool:
        """A refused start is tried again after some seconds."""
        self.started[cid] = (self.at + TRY_AGAIN_S, "again")
        return True

    def _start_cars(self) -> None:
        for cid in sorted(self.plugged):
            due, command = self.started.get(cid, (self.zero + 5.0, "again"))
            if command == "again" and self.at >= due:
                name = f"start-{cid}-{self.turn}"
                self.started[cid] = (self.at, name)
                self.ask({"name": "START_CHARGE", "id": name, "target": str(cid)})

    def ask(self, fields: dict[str, Any]) -> None:
        """A request arrives; `valid_s` becomes validUntil by the wall clock, everything unknown is a parameter."""
        fields = dict(fields)
        if "valid_s" in fields:
            fields["validUntil"] = (self.wall + timedelta(seconds=fields.pop("valid_s"))).isoformat()
        source, role = Source(fields.pop("source", "panel")), fields.pop("role", None)
        request = Request(
            id=CommandId(fields.pop("id")),
            name=CommandName(fields.pop("name")),
            source=source,
            received_at=self.at,
            received_wall=self.wall,
            target=fields.pop("target", None),
            order=fields.pop("order", None),
            actor=None if role is None else Actor("ann", Role(role)),
            issued_at=self.wall if fields.pop("issued", False) else None,
            params=fields,
        )
        self.inbox.append(request)

    def plug(self, cid: ConnectorId, wants: float) -> None:
        """A car comes."""
        self.plugged.add(cid)
        self.started[cid] = (self.at, "again")
        self.boxes[cid].wants = wants

    def unplug(self, cid: ConnectorId) -> None:
        """It goes."""
        self.plugged.discard(cid)
        self.started.pop(cid, None)
        self.boxes[cid].wants = 0.0

    def kill(self) -> None:
        """The process dies; the journal stays."""
        super().kill()
        self.whole = self.decision = None
