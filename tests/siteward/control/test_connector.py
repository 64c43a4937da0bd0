"""The connector table: every row, every event without a row, its OCPP words, and its picture in the records."""

from pathlib import Path

import pytest

from siteward.control.connector import (
    TABLE,
    ConnectorEvent,
    ConnectorState,
    diagram,
    feed,
    status_of,
    suspended_by,
)
from siteward.model.sessions import ConnectorStatus, SuspendedBy

RECORD = Path(__file__).parents[3] / "edge" / "decisions" / "connector.md"
EVERY = [(state, event) for state in ConnectorState for event in ConnectorEvent]


@pytest.mark.parametrize(("source", "event", "dest"), TABLE)
def test_a_row_moves_as_it_says(source: ConnectorState, event: ConnectorEvent, dest: ConnectorState) -> None:
    assert feed(source, event) == (source, dest)


@pytest.mark.parametrize(("state", "event"), [pair for pair in EVERY if pair not in {(s, e) for s, e, _ in TABLE}])
def test_an_event_without_a_row_changes_nothing(
    state: ConnectorState, event: ConnectorEvent, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor does it log: the machine would warn, and control never logs (law 2)."""
    assert feed(state, event) == (state, state)
    assert caplog.records == []


def test_no_row_contradicts_another_and_every_state_is_reached_and_left() -> None:
    assert len({(s, e) for s, e, _ in TABLE}) == len(TABLE)
    assert {s for s, _, _ in TABLE} == {d for _, _, d in TABLE} == set(ConnectorState)


def test_current_is_reached_only_from_states_that_an_order_opens() -> None:
    """I13: no row leads to charging from available, finishing or faulted."""
    assert {s for s, _, d in TABLE if d is ConnectorState.CHARGING} == {
        ConnectorState.PREPARING,
        ConnectorState.SUSPENDED_CAR,
        ConnectorState.SUSPENDED_STATION,
    }


@pytest.mark.parametrize(
    ("state", "status", "held"),
    [
        (ConnectorState.AVAILABLE, ConnectorStatus.AVAILABLE, None),
        (ConnectorState.PREPARING, ConnectorStatus.OCCUPIED, None),
        (ConnectorState.CHARGING, ConnectorStatus.OCCUPIED, None),
        (ConnectorState.SUSPENDED_CAR, ConnectorStatus.OCCUPIED, SuspendedBy.CAR),
        (ConnectorState.SUSPENDED_STATION, ConnectorStatus.OCCUPIED, SuspendedBy.STATION),
        (ConnectorState.FINISHING, ConnectorStatus.OCCUPIED, None),
        (ConnectorState.FAULTED, ConnectorStatus.FAULTED, None),
    ],
)
def test_words_of_ocpp(state: ConnectorState, status: ConnectorStatus, held: SuspendedBy | None) -> None:
    """Ruling 30: connector status in OCPP 2.0.1 words; unreachable is Unavailable in every state."""
    assert (status_of(state, online=True), suspended_by(state)) == (status, held)
    assert status_of(state, online=False) is ConnectorStatus.UNAVAILABLE


def test_the_record_holds_exactly_the_diagram_of_the_table() -> None:
    assert f"```mermaid\n{diagram()}```\n" in RECORD.read_text("utf-8")
