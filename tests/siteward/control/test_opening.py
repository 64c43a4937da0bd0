"""I8, I10, S-31: the session that a command opens, the limit that it sets, and each refusal word by word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.limits import changed, expire
from siteward.control.register import Register
from siteward.control.session import OpenSession
from siteward.model.auth import AuthorisedBy
from siteward.model.events import EventType
from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, Limit, LimitSource, OnLimitExpiry
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Reply, Request
from siteward.model.sessions import OrderState, SessionRecord
from tests.fixtures.story_rig import Rig


@pytest.fixture
def rig() -> Rig:
    """A quiet station with a car at A1."""
    rig = Rig()
    rig["A1"].plugged = True
    rig.turn()
    return rig


def taken(rig: Rig, request: Request) -> Reply:
    """The first answer to a command."""
    rig.turn(request)
    return next(reply for _, reply in rig.log.replies if reply.command == request.id)


def opened(rig: Rig, target: str, **params: object) -> tuple[OpenSession, float]:
    """The session that a start opens, as the first row says, and when."""
    assert taken(rig, rig.start(target, **params)).stage.value == "accepted"
    session = rig.memory.posts[ConnectorId(target)].session
    assert session is not None
    return session, rig.at


def test_a_start_leaves_all_that_it_said_in_its_session(rig: Rig) -> None:
    """I8: on disk, and told."""
    params = {"maxEnergy_wh": 5000, "maxTime_s": 3600, "maxCurrent_a": 10, "order": "O-1", "role": "installer"}
    session, at = opened(rig, "A1", **params)
    record = session.record
    expected = SessionRecord(
        record.id,
        ConnectorId("A1"),
        OrderState.STARTING,
        rig.wall,
        "cloud",
        record.order,
        start_register_wh=1000,
        last_register_wh=1000,
        meter="A1",
        max_energy_wh=5000,
        max_time_s=3600,
        max_current_a=10,
        authorised=record.authorised,
        segments=record.segments,
    )
    assert record == expected
    (segment,) = record.segments
    assert (segment.begin_wh, segment.end_wh, segment.meter, segment.ended) == (1000, 1000, "A1", None)
    assert record.authorised is not None
    assert record.authorised.by is AuthorisedBy.PLATFORM
    assert record.order == "O-1"
    assert session.register == Register("A1", 1000, at - 0.1, at - 0.1, at - 0.1)
    assert (session.metered, session.opened_at, session.row_wh, session.row_at) == (True, at, 1000, at)
    assert rig.log.last(EventType.SESSION_CREATED).data == {
        "commandId": "c1",
        "source": "cloud",
        "meter": "A1",
        "start_register_wh": 1000,
        "max_energy_wh": 5000,
        "max_time_s": 3600,
        "max_current_a": 10,
        "user": "ann",
        "authorised": {"by": "platform", "listVersion": 0},
    }


def test_an_unmetered_start_has_no_register(rig: Rig) -> None:
    """Contract: unmetered, and no energy can be promised."""
    rig["A3"].plugged = True
    rig.turn()
    session, _ = opened(rig, "A3")
    record = session.record
    assert (record.meter, record.start_register_wh, record.last_register_wh) == (None, None, None)
    assert (session.metered, session.register) == (False, Register(""))


@pytest.mark.parametrize(
    ("wait_s", "deadline_s", "until_s", "code"),
    [(60, None, 60.0, Refusal.NO_VEHICLE), (60, 59.0, 58.0, Refusal.EXPIRED), (60, 62.0, 60.0, Refusal.NO_VEHICLE)],
)
def test_a_car_is_waited_for_until_the_earlier_end(
    wait_s: int, deadline_s: float | None, until_s: float, code: Refusal
) -> None:
    """B20: of the wait and of the command's own time."""
    rig = Rig()
    deadline = None if deadline_s is None else rig.at + deadline_s
    session, at = opened(rig, "A2", waitForVehicle_s=wait_s, deadline=deadline)
    assert (session.vehicle_until, session.vehicle_code) == (at + until_s, code)


@pytest.mark.parametrize(
    ("request_of", "code", "detail"),
    [
        (lambda r: r.start(maxEnergy_wh=0), Refusal.BAD_PARAMS, "maxEnergy_wh: 0 is outside 1..1e+07"),
        (
            lambda r: r.start("A3", maxEnergy_wh=5000),
            Refusal.BAD_PARAMS,
            "maxEnergy_wh: this connector has no billing meter to count it",
        ),
        (lambda r: r.start(order="a b"), Refusal.BAD_PARAMS, "orderId: 'a b' is no id"),
        (lambda r: r.request("START_CHARGE"), Refusal.BAD_PARAMS, "target: name the connector"),
        (lambda r: r.start("Z9"), Refusal.UNKNOWN_TARGET, "Z9"),
        (
            lambda r: r.request("LIMIT_POWER", limit_a=6),
            Refusal.BAD_PARAMS,
            "target: name station, a feeder or a connector",
        ),
        (lambda r: r.request("LIMIT_POWER", target="Z9", limit_a=6), Refusal.UNKNOWN_TARGET, "Z9"),
        (
            lambda r: r.request("LIMIT_POWER", target="A1", limit_a=6),
            Refusal.BAD_PARAMS,
            "validUntil: a limit from the platform must end, at most 24 h ahead",
        ),
        (
            lambda r: r.request("LIMIT_POWER", target="A1", limit_a=6, validUntil="2031-03-01T08:00:00Z"),
            Refusal.BAD_PARAMS,
            "validUntil: 2031-03-01T08:00:00.000Z is not within the next 24 h",
        ),
        (lambda r: r.request("OPEN_BARRIER"), Refusal.NOT_SUPPORTED, "OPEN_BARRIER"),
        (lambda r: r.stop(sessionId="nobody"), Refusal.NO_SUCH_SESSION, ""),
    ],
)
def test_a_refusal_says_its_sentence_and_what_it_is_about(  # type: ignore[no-untyped-def]
    rig: Rig, request_of, code: Refusal, detail: str
) -> None:
    """I10: the whole message, word by word; nothing is opened."""
    reply = taken(rig, request_of(rig))
    assert (reply.stage.value, reply.code) == ("rejected", code.value)
    assert reply.message == f"{REFUSALS[code].en} {detail}".rstrip()
    assert all(post.session is None for post in rig.memory.posts.values())
    assert rig.memory.limits == ()


def test_who_is_busy_is_named(rig: Rig) -> None:
    """I10: with the session, or with the order and where it is open; a stop with where it charges."""
    session = rig.charging("A1")
    rig["A2"].plugged = True
    rig.turn()
    mismatch = f"{REFUSALS[Refusal.SESSION_MISMATCH].en} "
    busy = f"{REFUSALS[Refusal.CONNECTOR_BUSY].en} "
    assert taken(rig, rig.start("A1", "x1", order="O-2")).message == f"{busy}session {session}"
    assert taken(rig, rig.start("A2", "x2", order="O-1")).message == f"{busy}order O-1 is open at A1"
    assert taken(rig, rig.stop("x3", sessionId=session, orderId="O-9")).message == f"{mismatch}session {session}"
    elsewhere = taken(rig, rig.stop("x4", sessionId=session, target="A2"))
    assert elsewhere.message == f"{mismatch}it charges at A1"
    other = taken(rig, rig.stop("x5", sessionId="nobody", target="A1"))
    assert other.code == Refusal.SESSION_MISMATCH
    assert taken(rig, rig.stop("x6", orderId="O-9", target="A2")).code == Refusal.NO_SUCH_SESSION
    done = taken(rig, rig.stop("x7", orderId="O-1", target="station"))
    assert done.result == {"sessionId": session, "connectorId": "A1"}


@pytest.mark.parametrize(
    ("params", "limit"),
    [
        (
            {"target": "station", "limit_a": 20, "class": "grid", "source": "local"},
            {"source": LimitSource.GRID, "feeder": "grid", "on_expiry": OnLimitExpiry.FAILSAFE},
        ),
        ({"target": "row", "limit_a": 20}, {"source": LimitSource.CLOUD, "feeder": "row"}),
        ({"target": "row", "limit_w": 13_800}, {"source": LimitSource.CLOUD, "feeder": "row"}),
        ({"target": "A1", "limit_a": 20}, {"source": LimitSource.CLOUD, "connector": "A1"}),
        (
            {"target": "row", "limit_a": 20, "onExpiry": "keep", "failsafe_a": 6},
            {"source": LimitSource.CLOUD, "feeder": "row", "on_expiry": OnLimitExpiry.KEEP, "failsafe_a": (6.0,) * 3},
        ),
    ],
)
def test_a_command_sets_the_limit_that_it_says(rig: Rig, params: dict[str, object], limit: dict[str, object]) -> None:
    """B15: until its end, on its target; a grid limit falls back at its end unless it is kept."""
    request = rig.request("LIMIT_POWER", **params)
    until = rig.wall + timedelta(seconds=3601.0)
    request = replace(request, params=dict(request.params) | {"validUntil": until.isoformat()})
    reply = taken(rig, request)
    assert reply.result == {"limitId": "c1"}
    (found,) = rig.memory.limits
    expected = Limit("c1", LimitSource.CLOUD, (20.0,) * 3, ends_at=request.received_at + 3601.0)
    assert found == replace(expected, **limit)  # type: ignore[arg-type]


END = Limit("x", LimitSource.CLOUD, (9.0, 8.0, 7.0), FeederId("grid"), ends_at=102.0, failsafe_a=(6.0, 6.0, 6.0))
KEPT, FALLS = replace(END, on_expiry=OnLimitExpiry.KEEP), replace(END, on_expiry=OnLimitExpiry.FAILSAFE)


@pytest.mark.parametrize(
    ("limit", "left", "cause"),
    [
        (END, (), "release"),
        (
            replace(END, on_expiry=OnLimitExpiry.KEEP),
            (replace(END, on_expiry=OnLimitExpiry.KEEP, ends_at=None),),
            "keep",
        ),
        (FALLS, (replace(FALLS, ends_at=None, limit_a=(6.0, 6.0, 6.0), reason=Cause.EXPIRED),), "failsafe"),
        (replace(FALLS, failsafe_a=None), (replace(FALLS, failsafe_a=None, ends_at=None),), "failsafe"),
    ],
)
def test_the_end_of_a_limit(limit: Limit, left: tuple[Limit, ...], cause: str) -> None:
    """B15: at its very instant, told with what it did; the others stay as they are."""
    rig = Rig()
    snapshot = replace(rig.snapshot(), at=102.0)
    later = replace(END, id="y", ends_at=102.1)
    forever = replace(END, id="z", ends_at=None)
    found, facts = expire((later, limit, forever), snapshot)
    assert found == (later, *left, forever)
    (fact,) = facts
    assert fact.data["cause"] == cause
    assert fact.data["limit_a"] == list((left[0] if left else limit).limit_a)
    assert expire((later, forever), snapshot) == ((later, forever), ())


def test_a_limit_is_told_with_the_rest_of_its_time() -> None:
    """Contract: to the millisecond, none where it has no end."""
    rig = Rig()
    snapshot = rig.snapshot()
    limit = replace(END, feeder=None, connector=ConnectorId("A1"), ends_at=snapshot.at + 12.34567)
    fact = changed(limit, "set", snapshot)
    assert fact.data == {
        "limitId": "x",
        "source": "cloud",
        "target": "A1",
        "limit_a": [9.0, 8.0, 7.0],
        "onExpiry": "release",
        "validFor_s": 12.346,
        "cause": "set",
    }
    assert (fact.type, fact.connector, fact.occurred_at) == (EventType.LIMIT_CHANGED, "A1", snapshot.wall)
    assert changed(replace(limit, ends_at=None), "set", snapshot).data["validFor_s"] is None
