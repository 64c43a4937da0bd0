"""B20, B23, I10, S-31: the one final answer of a start and of a stop: when, which, and what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.session import Closed, Ending, OpenSession
from siteward.model.limits import Grant
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.sessions import OrderState, StopReason
from tests.siteward.control.course_bench import A1, AT, grant, opened
from tests.siteward.control.outcome_bench import DONE, OBSERVED, OTHER, Bench, failed, start, stop


def test_a_start_is_done_once_current_flows() -> None:
    """B20: with what is observed, and nothing to wait for."""
    found = Bench(start(), opened()).reply()
    assert found is not None
    assert (found.stage.value, found.result) == ("done", OBSERVED)


@pytest.mark.parametrize(
    ("closed", "told", "message"),
    [
        (None, failed(Refusal.SESSION_ENDED), ""),
        (OrderState.FINISHED, DONE, ""),
        (OrderState.CANCELLED, failed(Refusal.SESSION_ENDED), " CHARGER_FAULT"),
    ],
)
def test_a_start_whose_session_is_gone(closed: OrderState | None, told: tuple[str, str | None], message: str) -> None:
    """I10: it may have charged within one turn; else the reason of its end follows."""
    detail = message.strip() or None
    ended = None if closed is None else Closed(replace(opened().record, state=closed), detail)
    for session in (None, OTHER):
        found = Bench(start(), session, closed=ended).reply()
        assert found is not None
        assert (found.stage.value, found.code) == told
        if told != DONE:
            assert found.message == REFUSALS[Refusal.SESSION_ENDED].en + message


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("EXPIRED", ("expired", "EXPIRED")),
        ("NO_VEHICLE", failed(Refusal.NO_VEHICLE)),
        ("START_TIMEOUT", failed(Refusal.START_TIMEOUT)),
        ("CHARGER_DISOBEYS", failed(Refusal.SESSION_ENDED)),
        (None, failed(Refusal.SESSION_ENDED)),
    ],
)
def test_a_start_that_is_being_ended_never_began(detail: str | None, told: tuple[str, str | None]) -> None:
    """I10: with the code of its end where that is one of its own."""
    session = opened(OrderState.STARTING, ending=Ending(StopReason.FAULT, AT, detail))
    found = Bench(start(), session).reply()
    assert found is not None
    assert (found.stage.value, found.code) == told
    assert found.result == OBSERVED | {"observed": {"state": "stopping", "online": True, "current_a": 16.0}}
    sentence = REFUSALS[Refusal(found.code or "")].en
    assert found.message == (f"{sentence} {detail}" if detail == "CHARGER_DISOBEYS" else sentence)


@pytest.mark.parametrize(("state", "more"), [(OrderState.CREATED, {}), (OrderState.STARTING, {"durable": False})])
def test_a_start_waits_for_its_car_and_for_its_disk(state: OrderState, more: dict[str, object]) -> None:
    """I8: nothing is said before it is on disk."""
    bench = Bench(start(since=AT - 300.0), opened(state, **more))
    assert bench.told() is None
    assert bench.draft.pending[0].taking_since is None


def test_the_wait_for_an_offer_begins_when_the_car_is_there() -> None:
    """B20: not when the command came."""
    bench = Bench(start(since=AT - 300.0), opened(OrderState.STARTING))
    assert bench.told() is None
    assert bench.draft.pending[0].taking_since == AT


@pytest.mark.parametrize(
    ("taking_s", "given", "reachable", "waiting_for"),
    [
        (0.1, grant(), True, "current"),
        (0.1, grant(0.5, 0.5), True, "current"),
        (9.0, grant(16.0, 0.0), True, None),
        (9.0, grant(16.0, None), True, None),
        (9.0, grant(), False, None),
        (4.9, grant(0.0, 0.0), True, None),
        (5.0, grant(0.0, 0.0), True, "queue"),
        (5.0, replace(grant(0.0, 0.0), target_a=0.5), True, "delay"),
        (5.0, grant(0.0, 16.0), True, "queue"),
        (59.9, grant(0.0, 0.0), False, None),
    ],
)
def test_an_offer_or_the_reason_why_there_is_none_is_enough(
    taking_s: float, given: Grant, reachable: bool, waiting_for: str | None
) -> None:
    """B20: read back; none for five seconds is told as a queue, or as a delay where there is room."""
    bench = Bench(start(taking_since=AT - taking_s), opened(OrderState.STARTING))
    bench.grants = {A1: replace(given, reachable=reachable)}
    found = bench.reply()
    assert (found and found.result) == (None if waiting_for is None else OBSERVED | {"waitingFor": waiting_for})


@pytest.mark.parametrize(("taking_s", "late"), [(59.9, False), (60.0, True)])
def test_a_start_that_is_not_taken_for_a_minute_has_failed(taking_s: float, late: bool) -> None:
    """B20: and its session begins no more."""
    bench = Bench(start(taking_since=AT - taking_s), opened(OrderState.STARTING))
    bench.grants = {}
    assert bench.told() == (failed(Refusal.START_TIMEOUT) if late else None)
    session = bench.draft.posts[A1].session
    assert session is not None
    assert session.ending == (Ending(StopReason.NEVER_STARTED, AT, "START_TIMEOUT", failed=True) if late else None)


@pytest.mark.parametrize(
    ("state", "since_s", "until_s", "late"),
    [
        (OrderState.STARTING, 59.9, -99.0, False),
        (OrderState.STARTING, 60.0, 99.0, True),
        (OrderState.CREATED, 99.0, 0.1, False),
        (OrderState.CREATED, 1.0, 0.0, True),
    ],
)
def test_after_a_restart_a_silent_charger_is_waited_for_as_before(
    state: OrderState, since_s: float, until_s: float, late: bool
) -> None:
    """B23: as long as for its car, or to be taken."""
    session = opened(state, restored=True, vehicle_until=AT + until_s)
    assert Bench(start(since=AT - since_s), session).told() == (failed(Refusal.START_TIMEOUT) if late else None)


@pytest.mark.parametrize(
    ("session", "told"),
    [
        (None, DONE),
        (OTHER, DONE),
        (opened(ending=Ending(StopReason.USER, AT, stopped_at=AT)), DONE),
        (opened(ending=Ending(StopReason.USER, AT)), None),
        (opened(), None),
    ],
)
def test_a_stop_is_done_once_no_current_flows(session: OpenSession | None, told: tuple[str, str] | None) -> None:
    """S-31: by evidence."""
    assert Bench(stop(), session).told() == told


@pytest.mark.parametrize(
    ("since_s", "amps", "online", "message"),
    [
        (9.9, 16.0, True, None),
        (10.0, 16.0, True, "The stop goes on."),
        (10.0, 0.5, True, "The stop goes on."),
        (10.0, None, True, "The stop goes on."),
        (10.0, 0.4, True, "None is measured now, but the charger has not confirmed the pause; the stop goes on."),
        (10.0, 0.0, False, "The charger does not answer; the stop goes on."),
    ],
)
def test_a_stop_that_takes_ten_seconds_has_failed(
    since_s: float, amps: float | None, online: bool, message: str | None
) -> None:
    """S-31: only measured current is called current."""
    bench = Bench(stop(since=AT - since_s), opened(ending=Ending(StopReason.USER, AT)), amps=amps, online=online)
    found = bench.reply()
    if message is None:
        assert found is None
        return
    assert found is not None
    assert (found.stage.value, found.code) == failed(Refusal.STOP_TIMEOUT)
    assert found.message == f"{REFUSALS[Refusal.STOP_TIMEOUT].en} {message}"
