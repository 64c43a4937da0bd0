"""A box whose cable can be let go, in the story's rig: what its wire carries, and what its lock shows."""

from dataclasses import replace

from siteward.model.facts import UnlockFacts
from siteward.model.ids import ConnectorId
from siteward.model.readings import Cable, ChargerReading
from siteward.model.requests import Request
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from siteward.model.tariff import Pricing
from siteward.model.wire import FrameKind, FrameStage, WireEvent, Write
from tests.fixtures.story_rig import Outlet, Rig
from tests.siteward.control.test_money import SITE

A1 = ConnectorId("A1")
WITHIN_S = 4.0


def lockable(shows: bool = True) -> Site:
    """The story's site with boxes whose cables can be let go."""
    site = SITE
    facts = UnlockFacts(shows, WITHIN_S)
    return replace(
        site,
        chargers=tuple(
            replace(box, connectors=tuple(replace(c, facts=replace(c.facts, unlock=facts)) for c in box.connectors))
            for box in site.chargers
        ),
    )


class LockRig(Rig):
    """The rig with one lock: what its wire carries, and what its register shows."""

    def __init__(self, shows: bool = True) -> None:
        self.cable: Cable | None = Cable.LOCKED
        self.obeys_after_s: float | None = 1.0
        self.answers = True
        self.charging_shown: bool | None = None
        self.last_read: float | None = None
        self.writes: list[Write] = []
        self._due: WireEvent | None = None
        self._free_at: float | None = None
        super().__init__(replace(lockable(shows), pricing=Pricing(default="SZ-TOU")))

    def snapshot(self, requests: tuple[Request, ...] = (), settled: tuple[object, ...] = ()) -> Snapshot:
        """What the devices say now, and what became of the last write."""
        if self._free_at is not None and self.at >= self._free_at:
            self.cable = Cable.UNLOCKED if self.cable is not None else None
        due, self._due = self._due, None
        return replace(super().snapshot(requests, settled), wire=() if due is None else (due,))  # type: ignore[arg-type]

    def _reading(self, name: ConnectorId, outlet: Outlet, sent_at: float) -> ChargerReading:
        reading = replace(super()._reading(name, outlet, sent_at), cable=self.cable)
        if self.charging_shown is not None:
            reading = replace(reading, charging=self.charging_shown)
        return reading if self.last_read is None else replace(reading, sent_at=self.last_read)

    def hear(self, stage: FrameStage, turn: int) -> None:
        """Let the next turn hear of a frame."""
        self._due = WireEvent(A1, FrameKind.UNLOCK, stage, self.at + 0.5, 0.0, self.at + 0.2, turn)

    def step(self, *requests: Request) -> None:
        """One turn, and the wire that carries what it may send."""
        chapter = self.turn(*requests)
        for write in chapter.draft.unlocks:
            self.writes.append(write)
            if self.answers and write.turn == self.turn_number:
                at = self.at + 0.5
                self._due = WireEvent(A1, FrameKind.UNLOCK, FrameStage.ANSWERED, at, 0.0, self.at + 0.2, write.turn)
                self._free_at = None if self.obeys_after_s is None else at + self.obeys_after_s

    def steps(self, count: int) -> None:
        """Some turns."""
        for _ in range(count):
            self.step()

    def ask(self, command: str = "u1", **fields: object) -> None:
        """Hand in an UNLOCK_CONNECTOR of A1."""
        self.step(self.request("UNLOCK_CONNECTOR", command, target="A1", **fields))
