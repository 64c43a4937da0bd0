"""A connector whose billing meter signs, in the story's rig: what the meter is asked, and what it hands over."""

import json
from dataclasses import replace
from typing import Any

from siteward.control.compose import Chapter
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, MeterId, SessionId
from siteward.model.requests import Request
from siteward.model.signed import SignAnswer, SignedHead, SignFailure, SignOrder, SignResult, SignStep, Unsigned
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot
from tests.fixtures.story_rig import Rig, story_site

MISSING, DOUBTED = AlarmCode.SIGNED_VALUE_MISSING, AlarmCode.SIGNED_VALUE_DOUBTED
A4, METER = ConnectorId("A4"), MeterId("m-A4")
KEY = b"key of the meter"
SERIAL = "SN-1"


def signing_site(unsigned: Unsigned = Unsigned.ALLOW, plate: bytes | None = None) -> Site:
    """The story's site; the meter of A4 signs."""
    base = story_site()
    meter = base.meters[-1]
    signs = replace(meter, facts=replace(meter.facts, signs=True), public_key=plate)
    return replace(base, meters=(*base.meters[:-1], signs), pricing=replace(base.pricing, unsigned=unsigned))


def document(about: str, page: int, begin_wh: int | None, end_wh: int | None = None, serial: str = SERIAL) -> bytes:
    """A record as such a meter writes it; its end holds both readings, or its own alone."""
    reading: dict[str, Any] = {"TM": "2026-03-01T09:00:00,000+0100 S", "RU": "Wh", "ST": "G", "EF": ""}
    said = (("B", begin_wh), ("E", end_wh))
    readings = [{"TX": reason, "RV": wh, **reading} for reason, wh in said if wh is not None]
    payload = {"FV": "1.0", "PG": f"T{page}", "MS": serial, "ID": about, "RD": readings}
    return b"OCMF|" + json.dumps(payload).encode() + b'|{"SD":"3003020101"}'


class SignRig(Rig):
    """The rig with one meter that signs when it is told to: `answers` go to the next turn."""

    def __init__(self, unsigned: Unsigned = Unsigned.ALLOW, plate: bytes | None = None) -> None:
        self.answers: list[SignResult] = []
        self.orders: tuple[SignOrder, ...] = ()
        self.page = 0
        self.begins: dict[str, int] = {}
        super().__init__(signing_site(unsigned, plate))

    def snapshot(self, requests: tuple[Request, ...] = (), settled: tuple[SessionId, ...] = ()) -> Snapshot:
        """What the devices say now, and what the meter handed over."""
        answers, self.answers = tuple(self.answers), []
        return replace(super().snapshot(requests, settled), signed=answers)

    def turn(self, *requests: Request, settled: tuple[SessionId, ...] = ()) -> Chapter:
        """One second, one turn, and what it asks the meter."""
        chapter = super().turn(*requests, settled=settled)
        self.orders = chapter.signings
        return chapter

    @property
    def order(self) -> SignOrder:
        """The one thing that the meter is asked now."""
        (order,) = self.orders
        return order

    @property
    def wh(self) -> int:
        """What the meter shows."""
        return int(self["A4"].register)

    @property
    def head(self) -> SignedHead:
        """What the connector keeps for the sessions to come."""
        return self.memory.book.signed[A4]

    def signs(self, order: SignOrder | None = None, verified: bool | None = True, **changes: Any) -> SignResult:
        """The meter does what it is asked (now, or was asked once); it is heard of in the next turn."""
        order = order or self.order
        if order.step is SignStep.BEGIN:
            self.begins[order.session] = self.wh
        self.page += 1
        fields = {"about": order.session, "page": self.page, "begin_wh": self.begins.get(order.session, self.wh)}
        fields |= {"end_wh": None if order.step is SignStep.BEGIN else self.wh} | changes
        result = SignResult(order, SignAnswer(document(**fields), KEY), verified)
        self.answers.append(result)
        return result

    def fails(self, failure: SignFailure | None, order: SignOrder | None = None) -> None:
        """The meter hands over nothing."""
        self.answers.append(SignResult(order or self.order, SignAnswer(None, failure=failure)))

    def told(self) -> list[Fact]:
        """Every session.signed in order."""
        return [fact for _, fact in self.log.facts if fact.type is EventType.SESSION_SIGNED]

    def summary(self) -> dict[str, Any]:
        """What the last session.finished says of signed values."""
        found = self.log.last(EventType.SESSION_FINISHED).data["signed"]
        assert isinstance(found, dict)
        return found

    @property
    def alarms(self) -> set[AlarmCode]:
        """What is wrong about signing now."""
        assert self.chapter is not None
        return {alarm.code for alarm in self.chapter.draft.noticed if alarm.subject == A4} & {MISSING, DOUBTED}

    def arrives(self, order: str = "O-1") -> SessionId:
        """A car is plugged in and started by the platform; the meter is asked for its begin now."""
        self["A4"].plugged = True
        self.turn()
        self.turn(self.start("A4", f"start-{order}", order=order))
        while not (self.orders and self.order.step is SignStep.BEGIN):
            self.turn()
        return self.order.session

    def charges(self, order: str = "O-1", seconds: int = 20) -> SessionId:
        """So it is signed, and charges."""
        session = self.arrives(order)
        self.signs()
        self.turns(seconds)
        return session

    def leaves(self) -> SignOrder:
        """The car goes; returns what the meter is asked then."""
        self["A4"].plugged = False
        while not self.orders:
            self.turn()
        return self.order


__all__ = ["A4", "DOUBTED", "KEY", "METER", "MISSING", "SERIAL", "SignRig", "document"]
