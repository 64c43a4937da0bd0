"""The whole decision with the true fuses: order of the halves, determinism, and a session from plug to receipt."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from siteward.control.decide import Decision, Memory, decide, restore
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import CommandId, ConnectorId, MeterId
from siteward.model.readings import ChargerReading, MeterReading, Pilot
from siteward.model.recovered import Recovered
from siteward.model.requests import CommandName, Request, Source, Stage
from siteward.model.snapshot import Snapshot
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write, WriteKind
from tests.fixtures.sites import two_connector_site

A1 = ConnectorId("A1")
WALL = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(slots=True)
class Wire:
    """Two obedient wallboxes and a grid meter: every write is answered at once and read back in the next turn."""

    memory: Memory
    at: float = 100.0
    turn: int = 0
    plugged: dict[ConnectorId, bool] = field(default_factory=dict)
    limit_a: dict[ConnectorId, float] = field(default_factory=dict)
    failsafe_a: dict[ConnectorId, float] = field(default_factory=dict)
    register: dict[ConnectorId, float] = field(default_factory=dict)
    log: list[WireEvent] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)

    def amps(self, name: ConnectorId) -> float:
        """What flows."""
        return self.limit_a.get(name, 0.0) if self.plugged.get(name) else 0.0

    def step(self, *requests: Request) -> Decision:
        """One second and one turn."""
        self.at += 1.0
        self.turn += 1
        snapshot = self.snapshot(requests)
        decision = decide(SITE, snapshot, self.memory)
        assert decide(SITE, snapshot, self.memory).batch == decision.batch, "deciding twice must decide the same"
        self.memory = decision.memory
        self.decisions.append(decision)
        self.log = []
        for write in (*decision.cuts, *decision.failsafes, *decision.raises):
            self._perform(write)
        return decision

    def _perform(self, write: Write) -> None:
        limit = write.kind is WriteKind.LIMIT
        (self.limit_a if limit else self.failsafe_a)[write.connector] = write.value_a
        kind = FrameKind.LIMIT if limit else FrameKind.FAILSAFE
        sent = self.at + 0.05
        for stage, at in ((FrameStage.QUEUED, self.at), (FrameStage.SENT, sent), (FrameStage.ANSWERED, sent + 0.02)):
            sent_at = None if stage is FrameStage.QUEUED else sent
            self.log.append(WireEvent(write.connector, kind, stage, at, write.value_a, sent_at, write.turn))

    def snapshot(self, requests: tuple[Request, ...]) -> Snapshot:
        """What the wires say."""
        sent = self.at - 0.1
        readings = {}
        for connector in SITE.connectors:
            name = connector.id
            amps = self.amps(name)
            self.register[name] = self.register.get(name, 5000.0) + amps * 690.0 / 3600.0
            readings[name] = ChargerReading(
                name,
                sent,
                pilot=Pilot.C if self.plugged.get(name) else Pilot.A,
                charging=amps > 0,
                set_point_a=self.limit_a.get(name, 0.0),
                failsafe_a=self.failsafe_a.get(name, 6.0),
                failsafe_timeout_s=15.0,
                standby_off=True,
                measured_a=(amps,) * 3,
                energy_wh=int(self.register[name]),
                restart_mark=1,
            )
            for stage in (FrameStage.SENT, FrameStage.ANSWERED):
                self.log.append(WireEvent(name, FrameKind.READ, stage, sent, sent_at=sent))
        total = 5.0 + sum(self.amps(c.id) for c in SITE.connectors)
        meter = MeterReading(
            MeterId("grid-meter"),
            sent,
            current_a=(total,) * 3,
            voltage_v=(230.0 + self.turn % 7 / 10,) * 3,
            frequency_hz=50.0,
        )
        return Snapshot(
            at=self.at,
            wall=WALL + timedelta(seconds=self.at),
            clock=ClockQuality.NTP,
            turn=self.turn,
            meters={MeterId("grid-meter"): meter},
            chargers=readings,
            wire=tuple(self.log),
            requests=requests,
            entropy=self.turn.to_bytes(10, "big"),
        )

    def request(self, name: CommandName, command: str, **params: object) -> Request:
        """A panel request about A1."""
        wall = WALL + timedelta(seconds=self.at)
        target = None if name is CommandName.STOP_CHARGE else "A1"
        return Request(CommandId(command), name, Source.PANEL, self.at, wall, target, params)

    def until(self, kind: EventType, seconds: int) -> int:
        """Step until a fact of that type is told; return the seconds that it took."""
        for second in range(1, seconds + 1):
            if any(fact.type is kind for fact in self.step().batch.facts):
                return second
        raise AssertionError(f"no {kind} within {seconds} s")


SITE = two_connector_site()


@pytest.fixture
def wire() -> Wire:
    """A station that has run long enough to have verified its chargers."""
    wire = Wire(restore(SITE, Recovered(), 100.0, WALL))
    for _ in range(12):
        wire.step()
    return wire


def test_a_session_from_plug_to_receipt(wire: Wire) -> None:
    """Contract section 4: START done, current flows, STOP done within 10 s, a receipt with the register difference."""
    wire.plugged[A1] = True
    wire.step()
    decision = wire.step(wire.request(CommandName.START_CHARGE, "c1"))
    assert [reply.stage for reply in decision.batch.replies] == [Stage.ACCEPTED]
    assert not decision.raises, "a new session waits for its commit (law 3)"
    assert wire.until(EventType.SESSION_CHARGING, 40) <= 40
    for _ in range(30):
        wire.step()
    session = wire.decisions[-1].connectors[A1].session
    assert session is not None
    assert wire.decisions[-1].grants[A1].limit_a == 16.0
    wire.step(wire.request(CommandName.STOP_CHARGE, "c2", sessionId=session.id))
    assert wire.until(EventType.SESSION_FINISHED, 5) <= 5
    facts = [fact for d in wire.decisions for fact in d.batch.facts if fact.type is EventType.SESSION_FINISHED]
    assert facts[0].data["energy_wh"] == int(wire.register[A1]) - 5000
    stages = [(r.command, r.stage.value) for d in wire.decisions for r in d.batch.replies]
    assert stages == [("c1", "accepted"), ("c1", "done"), ("c2", "accepted"), ("c2", "done")]
    assert wire.decisions[-1].connectors[A1].session is None


def test_a_limit_reaches_the_charger_and_is_done(wire: Wire) -> None:
    wire.plugged[A1] = True
    wire.step(wire.request(CommandName.START_CHARGE, "c1"))
    for _ in range(40):
        wire.step()
    decision = wire.step(wire.request(CommandName.LIMIT_POWER, "c2", limit_a=8))
    assert [(w.connector, w.value_a) for w in decision.cuts] == [(A1, 8.0)], "a cut leaves in the turn that asked"
    for _ in range(6):
        wire.step()
    stages = [r.stage for d in wire.decisions for r in d.batch.replies if r.command == "c2"]
    assert stages == [Stage.ACCEPTED, Stage.DONE]


def test_a_restart_keeps_the_car_charging(wire: Wire) -> None:
    """B23, R14: rows and ledger are enough to go on; the running car is not cut."""
    wire.plugged[A1] = True
    wire.step(wire.request(CommandName.START_CHARGE, "c1"))
    for _ in range(40):
        wire.step()
    rows, ledger = {}, {}
    for decision in wire.decisions:
        rows |= {row.id: row for row in decision.batch.sessions}
        ledger |= {row.connector: row for row in decision.batch.ledger}
    wire.at += 2.0
    recovered = Recovered(tuple(rows.values()), (), tuple(ledger.values()))
    wire.memory = restore(SITE, recovered, wire.at, WALL + timedelta(seconds=wire.at))
    wire.log = []
    low = 16.0
    for _ in range(20):
        wire.step()
        low = min(low, wire.limit_a[A1])
    assert low >= 6.0
    session = wire.decisions[-1].connectors[A1].session
    assert session is not None
    assert session.gap
    assert session.id == next(iter(rows))


def test_nothing_happens_twice_without_news(wire: Wire) -> None:
    """Ruling 17: a quiet station commits nothing."""
    assert all(d.batch.empty for d in wire.decisions[-5:])
    assert replace(wire.memory.story, at=None, wall=None) == replace(
        wire.decisions[-3].memory.story, at=None, wall=None, grants=wire.memory.story.grants
    )
