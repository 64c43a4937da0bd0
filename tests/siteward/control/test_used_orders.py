"""S-14, S-75, 0064: one order is charged once; what came to no energy may be tried again."""

import pytest

from siteward.model.ids import ConnectorId, SessionId
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.sessions import OrderState
from tests.fixtures.story_rig import Rig

A1 = ConnectorId("A1")


def charged(rig: Rig) -> SessionId:
    """Order O-1 is charged at A1 and over; the platform has not acknowledged it yet."""
    session = rig.charging(order="O-1")
    rig.turn(rig.stop(order="O-1"))
    rig.turns(4)
    assert rig.log.rows[session].state is OrderState.FINISHED
    rig["A2"].plugged = True
    rig.turn()
    return session


@pytest.mark.parametrize("target", ["A1", "A2"])
@pytest.mark.parametrize("restart", [False, True])
def test_a_finished_order_is_not_charged_again(target: str, restart: bool) -> None:
    """A new commandId is no new order: here or elsewhere, also when the controller was dead in between."""
    rig = Rig()
    session = charged(rig)
    if restart:
        rig.crash()
        rig.turns(2)
    rig.turn(rig.start(target, "again", order="O-1"))
    said = rig.log.final("again")
    assert (said.code, said.message) == (
        Refusal.ORDER_USED,
        f"{REFUSALS[Refusal.ORDER_USED].en} session {session}",
    )
    assert all(post.session is None for post in rig.memory.posts.values())
    rig.turn(rig.start(target, "next", order="O-2"))
    assert rig.log.stages("next")[0] == "accepted"


def test_an_order_that_is_settled_in_this_turn_is_not_charged_again() -> None:
    """The acknowledgement takes it out of the memory in the very turn in which the start came past the door."""
    rig = Rig()
    session = charged(rig)
    rig.turn(rig.start("A2", "again", order="O-1"), settled=(session,))
    assert rig.log.stages("again") == ["rejected ORDER_USED"]
    assert rig.log.rows[session].state is OrderState.SETTLED


def test_starts_without_an_order_are_as_many_as_one_likes() -> None:
    """Ruling 15: an order comes only from the platform; cards and buttons have none."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    for command in ("first", "second"):
        rig.turn(rig.start("A1", command, source="panel"))
        assert rig.log.stages(command)[0] == "accepted"
        rig.turns(6)
        post = rig.memory.posts[A1].session
        assert post is not None
        rig.turn(rig.stop(f"stop-{command}", sessionId=post.record.id, source="panel"))
        rig.turns(4)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("state", [OrderState.CANCELLED, OrderState.FAILED])
def test_an_order_that_was_never_charged_may_be_tried_again(state: OrderState, restart: bool) -> None:
    """FAILED and CANCELLED came to no energy and no bill: nothing is charged twice by another try."""
    rig = Rig()
    failed = state is OrderState.FAILED
    rig["A1"].plugged, rig["A1"].wants_a = failed, 0.0
    rig.turn()
    rig.turn(rig.start("A1", "early", order="O-1", waitForVehicle_s=30))
    rig["A1"].fault = "lock error" if failed else ""
    rig.turns(40)
    assert [row.state for row in rig.log.rows.values()] == [state]
    if restart:
        rig.crash()
        rig.turns(2)
    rig["A1"].plugged, rig["A1"].fault = True, ""
    rig.turns(20)
    rig.turn(rig.start("A1", "again", order="O-1"))
    assert rig.log.stages("again")[0] == "accepted"


@pytest.mark.parametrize("busy", [False, True])
def test_nothing_is_kept_for_an_order_that_was_charged(busy: bool) -> None:
    """0064: a connector kept for a start that would be refused is kept for nobody, at once or as the next."""
    rig = Rig()
    session = charged(rig)
    if busy:
        rig.charging("A2", order="O-2")
    rig.turn(rig.request("RESERVE", "r1", target="A2", order="O-1", next=True))
    said = rig.log.final("r1")
    assert (said.code, said.message) == (Refusal.ORDER_USED, f"{REFUSALS[Refusal.ORDER_USED].en} session {session}")
    assert (rig.memory.book.reservations, rig.memory.book.waiting) == ({}, {})
