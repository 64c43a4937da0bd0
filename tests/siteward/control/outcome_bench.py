"""One open command beside one connector, and the answer that a turn gives it."""

from __future__ import annotations

from dataclasses import replace

from siteward.control.connector import ConnectorState
from siteward.control.draft import Draft, Pending, Post, StoryMemory
from siteward.control.outcomes import Loads, finish
from siteward.control.session import Closed, OpenSession
from siteward.model.events import ClockQuality
from siteward.model.ids import CommandId, ConnectorId, FeederId, SessionId
from siteward.model.limits import Grant, Limit
from siteward.model.readings import ChargerReading, Pilot
from siteward.model.refusals import Refusal
from siteward.model.requests import CommandName, Reply, Request, Source
from siteward.model.snapshot import Snapshot
from tests.fixtures.story_rig import START
from tests.siteward.control.course_bench import A1, AT, SITE, grant, opened

S1 = SessionId("s1")
ROW = FeederId("row")


def asked(name: CommandName, since: float = AT - 1.0, **more: object) -> Pending:
    """A command that was accepted so long ago, concerning A1."""
    request = Request(CommandId("c1"), name, Source.CLOUD, since, START, target="A1")
    return Pending(request, since, **({"connector": A1, "session": S1} | more))  # type: ignore[arg-type]


class Bench:
    """One turn's draft with one command open."""

    def __init__(
        self,
        pending: Pending,
        session: OpenSession | None = None,
        state: ConnectorState = ConnectorState.CHARGING,
        amps: float | None = 16.0,
        online: bool = True,
        limits: tuple[Limit, ...] = (),
        closed: Closed | None = None,
    ) -> None:
        measured = None if amps is None else (amps, 0.0, 0.0)
        read = ChargerReading(A1, AT - 0.4, pilot=Pilot.C, measured_a=measured)
        snapshot = Snapshot(AT, START, ClockQuality.NTP, 9, {}, {A1: read}, {} if online else {A1: 9})
        memory = StoryMemory(posts={A1: Post(state, True, session=session)}, pending=(pending,), limits=limits)
        self.draft = Draft(SITE, snapshot, memory)
        if closed is not None:
            self.draft.closed[S1] = closed
        self.grants: dict[ConnectorId, Grant] = {A1: grant()}
        self.booked: dict[FeederId, tuple[float, float, float]] = {}

    def reply(self) -> Reply | None:
        """The answer of this turn, None while it stays open."""
        finish(self.draft, Loads(self.grants, self.booked))
        assert len(self.draft.replies) + len(self.draft.pending) == 1
        return self.draft.replies[0] if self.draft.replies else None

    def told(self) -> tuple[str, str | None] | None:
        """Its stage and code."""
        found = self.reply()
        return None if found is None else (found.stage.value, found.code)


OTHER = opened()._replace(record=replace(opened().record, id=SessionId("s2")))
OBSERVED = {
    "connectorId": "A1",
    "observed": {"state": "charging", "online": True, "current_a": 16.0},
    "sessionId": "s1",
}
DONE = ("done", None)


def start(**more: object) -> Pending:
    """A START_CHARGE."""
    return asked(CommandName.START_CHARGE, **more)  # type: ignore[arg-type]


def stop(**more: object) -> Pending:
    """A STOP_CHARGE."""
    return asked(CommandName.STOP_CHARGE, **more)  # type: ignore[arg-type]


def failed(code: Refusal) -> tuple[str, str | None]:
    """A failure with this code."""
    return ("failed", code.value)
