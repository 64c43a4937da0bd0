"""Whatever happens in whatever order: one final answer each, no energy without an order, no session lost or doubled."""

from datetime import timedelta

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from siteward.model.ids import ConnectorId, SessionId
from siteward.model.requests import Request, Stage
from siteward.model.sessions import ConnectorStatus, OrderState, StopReason
from tests.fixtures.story_rig import Outlet, Rig

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking: a failing sequence is printed as it was found, within seconds."""

OUTLETS = st.sampled_from(["A1", "A3", "A4"])
RANK = {
    OrderState.CREATED: 0,
    OrderState.STARTING: 1,
    OrderState.CHARGING: 2,
    OrderState.FINISHED: 3,
    OrderState.FAILED: 3,
    OrderState.CANCELLED: 3,
    OrderState.SETTLED: 4,
}
ENDS = {"session.finished", "session.failed", "session.cancelled"}


class Story(RuleBasedStateMachine):
    """Cars, commands, faults, silence and restarts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()
        self.sent: dict[str, Request] = {}
        self.ranks: dict[SessionId, int] = {}
        self.ends: dict[SessionId, StopReason] = {}
        self.stops: dict[str, SessionId] = {}
        self.settled: set[SessionId] = set()

    @initialize()
    def begin(self) -> None:
        self.rig.turns(1)

    def _send(self, *requests: Request) -> None:
        self.sent |= {request.id: request for request in requests}
        self.rig.turn(*requests)

    def _name(self) -> str:
        return f"c{len(self.sent)}"

    @rule(name=OUTLETS, prepaid=st.booleans(), order=st.booleans(), seconds=st.sampled_from([None, 60]))
    def start(self, name: str, prepaid: bool, order: bool, seconds: int | None) -> None:
        fields: dict[str, object] = {"maxTime_s": seconds} if seconds else {}
        if prepaid:
            fields["maxEnergy_wh"] = 60
        if order:
            fields["order"] = f"O-{len(self.sent)}"
        self._send(self.rig.start(name, self._name(), **fields))

    @rule(name=OUTLETS, seconds=st.sampled_from([1, 3, 10]), wants_a=st.sampled_from([0.0, 16.0]))
    def charge(self, name: str, seconds: int, wants_a: float) -> None:
        """The common course: a car at a healthy outlet, an order, current."""
        self.rig.outlets[ConnectorId(name)] = Outlet(plugged=True, wants_a=wants_a, register=self.rig[name].register)
        self.rig.turns(2)
        self._send(self.rig.start(name, self._name(), order=f"O-{len(self.sent)}"))
        self.rig.turns(seconds)

    @rule(name=OUTLETS)
    def stop(self, name: str) -> None:
        """By the session's id, or by an id that nobody has."""
        post = self.rig.memory.posts[ConnectorId(name)]
        session = post.session.record.id if post.session is not None else SessionId("nobody")
        self.stops[self._name()] = session
        self._send(self.rig.stop(self._name(), sessionId=session))

    @rule(place=st.sampled_from(["station", "row", "A1"]), amps=st.sampled_from([0, 7, 20, 90]), cli=st.booleans())
    def limit(self, place: str, amps: int, cli: bool) -> None:
        fields: dict[str, object] = {"target": place, "limit_a": amps, "source": "cli" if cli else "cloud"}
        if not cli:
            fields["validUntil"] = (self.rig.wall + timedelta(seconds=40)).isoformat()
        self._send(self.rig.request("LIMIT_POWER", self._name(), **fields))

    @rule(name=OUTLETS, plugged=st.booleans())
    def plug(self, name: str, plugged: bool) -> None:
        self.rig[name].plugged = plugged
        self.rig.turn()

    @rule(
        name=OUTLETS,
        what=st.sampled_from(["silent", "deaf", "meter_silent", "asks", "verified"]),
        value=st.booleans(),
    )
    def trouble(self, name: str, what: str, value: bool) -> None:
        setattr(self.rig[name], what, value)
        self.rig.turn()

    @rule(name=OUTLETS, fault=st.sampled_from([None, None, "E1"]))
    def fault(self, name: str, fault: str | None) -> None:
        self.rig[name].fault = fault
        self.rig.turn()

    @rule(name=OUTLETS, room=st.sampled_from([0.0, 6.0, 16.0]), stuck=st.sampled_from([0.0, 0.0, 9.0]))
    def power(self, name: str, room: float, stuck: float) -> None:
        self.rig[name].room_a, self.rig[name].stuck_a = room, stuck
        self.rig.turn()

    @rule(seconds=st.sampled_from([1, 4, 20, 70]))
    def wait(self, seconds: int) -> None:
        self.rig.turns(seconds)

    @rule(seconds=st.integers(1, 30), lost=st.booleans())
    def crash(self, seconds: int, lost: bool) -> None:
        """A restart after any turn, with or without that turn's batch on disk."""
        log = self.rig.durable if lost else self.rig.log
        final = {reply.command for _, reply in log.replies if reply.stage.final}
        self.rig.crash(seconds, tuple(r for r in self.sent.values() if r.id not in final), lost)
        self.ranks = {name: RANK[row.state] for name, row in self.rig.log.rows.items()}
        self.settled = {name for name, row in self.rig.log.rows.items() if row.state is OrderState.SETTLED}
        self.ends = self._ends()
        self.rig.turn()

    @rule(
        name=OUTLETS, how=st.sampled_from(["stop", "unplug", "fault"]), dumb=st.sampled_from(["meter_silent", "silent"])
    )
    def die_while_it_ends(self, name: str, how: str, dumb: str) -> None:
        """The unlucky order: what ends a session comes while its end cannot be seen, and we die before it can."""
        outlet = self.rig[name]
        setattr(outlet, dumb, True)
        self.rig.turns(3)
        if how == "stop":
            self.stop(name)
        outlet.plugged = outlet.plugged and how != "unplug"
        outlet.fault = "E2" if how == "fault" else outlet.fault
        self.rig.turns(13)
        outlet.plugged, outlet.fault = True, None
        self.crash(3, lost=False)
        setattr(outlet, dumb, False)
        self.rig.turns(2)

    @precondition(lambda self: any(row.state is OrderState.FINISHED for row in self.rig.log.rows.values()))
    @rule()
    def settle(self) -> None:
        """Acknowledgements may come again: a session is settled once."""
        done = (OrderState.FINISHED, OrderState.SETTLED)
        names = tuple(n for n, row in self.rig.log.rows.items() if row.state in done)
        self.rig.turn(settled=names)
        self.settled |= set(names)

    @invariant()
    def energy_is_asked_for_only_by_an_open_order(self) -> None:
        """I13: and only once its opening was on disk before the turn (ruling 18), and nobody is ending it."""
        if not self.rig.log.demands:
            return
        for name, demand in self.rig.log.demands[-1][1].items():
            session = self.rig.before[name].session if name in self.rig.before else None
            if not demand.wants:
                assert demand.max_a == 0.0
                continue
            assert session is not None
            assert session.ending is None
            assert session.record.id in self.rig.durable.rows
            assert demand.max_a >= 6.0

    @invariant()
    def orders_only_go_forward(self) -> None:
        for name, row in self.rig.log.rows.items():
            assert RANK[row.state] >= self.ranks.get(name, 0), (name, row.state)
            self.ranks[name] = RANK[row.state]
            assert row.energy_wh is None or row.energy_wh >= 0
            assert row.state.open or row.stop_reason is not None

    @invariant()
    def what_is_being_ended_never_goes_on(self) -> None:
        """ADR 0065: over every restart it stays ended, by the reason that came first."""
        for name, reason in self.ends.items():
            assert self.rig.log.rows[name].stop_reason is reason, name
        self.ends = self._ends()
        taken = {reply.command for _, reply in self.rig.log.replies if reply.stage is Stage.ACCEPTED}
        over = {*self.ends, *(session for command, session in self.stops.items() if command in taken)}
        for post in self.rig.memory.posts.values():
            session = post.session
            assert session is None or session.record.id not in over or session.ending is not None

    def _ends(self) -> dict[SessionId, StopReason]:
        rows = self.rig.log.rows
        return {name: row.stop_reason for name, row in rows.items() if row.stop_reason is not None}

    @invariant()
    def no_session_is_lost_or_doubled(self) -> None:
        """I5: every session that was created is open at its connector, or has exactly one end."""
        facts = [fact for _, fact in self.rig.log.facts]
        created = [f.session for f in facts if f.type == "session.created"]
        ended = [f.session for f in facts if f.type in ENDS]
        settled = [f.session for f in facts if f.type == "session.settled"]
        assert len(set(created)) == len(created)
        assert len(set(ended)) == len(ended)
        assert len(set(settled)) == len(settled)
        live = {p.session.record.id for p in self.rig.memory.posts.values() if p.session is not None}
        assert set(created) == live | set(ended)
        assert not live & set(ended)
        assert set(settled) == self.settled <= set(ended)

    @invariant()
    def a_status_is_told_only_when_it_changes(self) -> None:
        now = self.rig.chapter.connectors if self.rig.chapter is not None else {}
        for name, status in now.items():
            told = self.rig.memory.posts[name].told
            assert told is None or told.status is status.status
            assert status.status is not ConnectorStatus.RESERVED

    @invariant()
    def never_two_final_answers(self) -> None:
        """I10, first half."""
        finals = [reply.command for _, reply in self.rig.log.replies if reply.stage.final]
        assert len(set(finals)) == len(finals)
        for command in set(finals):
            stages = [r.stage for _, r in self.rig.log.replies if r.command == command]
            assert stages[-1].final
            assert stages[:-1] in ([], [Stage.ACCEPTED])

    def teardown(self) -> None:
        """I10, second half: left alone, every command gets its answer and a stopped session its end."""
        for _ in range(140):
            self.rig.turn()
        finals = {reply.command for _, reply in self.rig.log.replies if reply.stage.final}
        assert finals == set(self.sent)
        assert not self.rig.memory.pending
        self.no_session_is_lost_or_doubled()


Story.TestCase.settings = settings(max_examples=50, stateful_step_count=25, deadline=None, phases=PHASES)
TestStory = Story.TestCase
