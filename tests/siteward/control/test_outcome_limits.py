"""B15, I8, I14: when a limit is done, and what is observed for whoever asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from siteward.control.connector import ConnectorState
from siteward.control.draft import Pending
from siteward.control.session import Ending
from siteward.model.ids import ConnectorId, OrderId
from siteward.model.limits import Grant, Limit, LimitSource
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName
from siteward.model.sessions import StopReason
from tests.siteward.control.course_bench import A1, AT, grant, opened
from tests.siteward.control.outcome_bench import DONE, ROW, Bench, asked, failed, start, stop

CLOUD = Limit("l1", LimitSource.CLOUD, (16.0, 16.0, 16.0), connector=A1)
BELOW = ("A3", "A4")


def limited(since_s: float = 1.0) -> Pending:
    """A limit that was accepted so long ago."""
    return asked(CommandName.LIMIT_POWER, AT - since_s, connector=None, session=None, limit="l1")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (grant(), DONE),
        (grant(16.05, 16.05), DONE),
        (grant(16.0, 16.06), None),
        (grant(16.0, None), None),
        (replace(grant(), reachable=False), None),
    ],
)
def test_a_limit_on_a_connector_is_done_once_it_was_read_back(given: Grant, told: tuple[str, str] | None) -> None:
    """I14: to a twentieth of an ampere; others have no say in it."""
    bench = Bench(limited(), limits=(replace(CLOUD, id="l0", limit_a=(0.0, 0.0, 0.0)), CLOUD))
    bench.grants = {A1: given}
    found = bench.reply()
    assert (None if found is None else (found.stage.value, found.code)) == told
    if found is not None:
        assert found.result == {"limitId": "l1"}


@pytest.mark.parametrize(
    ("confirmed", "booked", "told"),
    [
        ((8.0, 8.0), (16.05, 16.05, 16.05), DONE),
        ((8.0, 8.0), (16.0, 16.0, 16.06), None),
        ((8.0, 8.0), None, None),
        ((0.0, 0.0), (99.0, 99.0, 99.0), DONE),
        ((0.0, 0.1), (99.0, 99.0, 99.0), None),
        ((0.0, None), (0.0, 0.0, 0.0), None),
    ],
)
def test_a_limit_on_a_feeder_is_done_with_all_below_it(
    confirmed: tuple[float | None, float | None],
    booked: tuple[float, float, float] | None,
    told: tuple[str, str] | None,
) -> None:
    """B15: with the other load; where everybody is paused nothing more can be done."""
    bench = Bench(limited(), limits=(replace(CLOUD, connector=None, feeder=ROW),))
    bench.grants = {
        ConnectorId(name): replace(grant(), connector=ConnectorId(name), confirmed_a=amps)
        for name, amps in zip(BELOW, confirmed, strict=True)
    }
    bench.booked = {} if booked is None else {ROW: booked}
    assert bench.told() == told


@pytest.mark.parametrize(
    ("since_s", "there", "message"),
    [
        (14.9, True, None),
        (15.0, True, "It stays in force."),
        (1.0, False, "Another limit replaced it, or it has ended."),
    ],
)
def test_a_limit_that_is_not_confirmed_stays_in_force(since_s: float, there: bool, message: str | None) -> None:
    """I14: said after a quarter of a minute; one that is gone is said at once."""
    bench = Bench(limited(since_s), limits=(CLOUD,) if there else (replace(CLOUD, id="l0"),))
    bench.grants = {}
    found = bench.reply()
    if message is None:
        assert found is None
        return
    assert found is not None
    assert (found.stage.value, found.code) == failed(Refusal.LIMIT_NOT_CONFIRMED)
    assert found.message == f"{REFUSALS[Refusal.LIMIT_NOT_CONFIRMED].en} {message}"
    expected = {
        "limitId": "l1",
        "connectorId": "A1",
        "observed": {"state": "charging", "online": True, "current_a": 16.0},
    }
    assert found.result == expected


@pytest.mark.parametrize(
    ("state", "stop_it", "word"),
    [
        (ConnectorState.CHARGING, None, "charging"),
        (ConnectorState.CHARGING, Ending(StopReason.USER, AT), "stopping"),
        (ConnectorState.FAULTED, Ending(StopReason.USER, AT), "faulted"),
        (ConnectorState.CHARGING, Ending(StopReason.USER, AT, stopped_at=AT), "finishing"),
    ],
)
def test_a_command_of_an_earlier_life_is_told_what_is_seen_now(
    state: ConnectorState, stop_it: Ending | None, word: str
) -> None:
    """I8: it is never done again; the connector that it named stands for one that nobody kept."""
    pending = replace(start(unknown=True), connector=None, session=None)
    found = Bench(pending, opened(ending=stop_it), state).reply()
    assert found is not None
    assert (found.stage.value, found.code) == failed(Refusal.OUTCOME_UNKNOWN)
    assert found.message == REFUSALS[Refusal.OUTCOME_UNKNOWN].en
    assert found.result == {"connectorId": "A1", "observed": {"state": word, "online": True, "current_a": 16.0}}


def test_a_command_that_named_no_connector_observes_none() -> None:
    """I8: an order alone names no place."""
    pending = replace(stop(unknown=True), connector=None, session=None)
    pending = replace(pending, request=replace(pending.request, target=None, order=OrderId("O-1")))
    found = Bench(pending, opened()).reply()
    assert found is not None
    assert found.result == {}
