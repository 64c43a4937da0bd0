"""B23, I8, R15: what a start makes of each row that the journal kept, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.account import recalled as account_of
from siteward.control.connector import ConnectorState
from siteward.control.draft import Pending, Post, StoryMemory
from siteward.control.recover import recall
from siteward.control.register import Register
from siteward.control.session import Ending, OpenSession
from siteward.model.ids import CommandId, ConnectorId, OrderId, SessionId
from siteward.model.limits import Limit, LimitSource
from siteward.model.recovered import Recovered
from siteward.model.requests import CommandName, Request, Source
from siteward.model.sessions import OrderState, SessionRecord, StopReason, SuspendedBy
from siteward.model.tariff import TariffBook
from tests.fixtures.story_rig import START
from tests.siteward.control.course_bench import A1, SITE

AT = 50.0
WALL = START + timedelta(hours=1)
A3, A4 = ConnectorId("A3"), ConnectorId("A4")
ROW = SessionRecord(
    SessionId("s1"),
    A1,
    OrderState.CHARGING,
    START,
    "cloud",
    OrderId("O-1"),
    started_at=START + timedelta(minutes=10),
    start_register_wh=1000,
    last_register_wh=5000,
    meter="SN-1",
    rolled_wh=7,
    charging_s=600,
)


def recalled(*rows: SessionRecord, limits: tuple[Limit, ...] = (), unfinished: tuple[Request, ...] = ()) -> StoryMemory:
    """The memory of a controller that starts an hour later."""
    return recall(SITE, Recovered(sessions=rows, limits=limits, unfinished=unfinished), AT, WALL)


def session(memory: StoryMemory, name: ConnectorId = A1) -> OpenSession:
    """The session at a connector."""
    found = memory.posts[name].session
    assert found is not None
    return found


def test_an_open_session_waits_for_its_first_look() -> None:
    """B23: as if the computer had never stopped; its register may have grown since it was opened."""
    memory = recalled(ROW)
    register = Register("SN-1", 5000, AT - 3600.0, serial="SN-1", rolled_wh=7)
    assert session(memory) == OpenSession(
        ROW,
        register,
        True,
        AT,
        durable=True,
        restored=True,
        vehicle_until=AT + 120.0,
        counts_from=AT - 3000.0,
        charging_s=600.0,
        row_at=AT,
        row_wh=5000,
        account=account_of(ROW, TariffBook(), AT),
    )
    assert memory.posts[A1].state is ConnectorState.CHARGING
    assert all(post == Post() for name, post in memory.posts.items() if name != A1)
    assert list(memory.posts) == [c.id for c in SITE.connectors]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"state": OrderState.CREATED}, ConnectorState.PREPARING),
        ({"state": OrderState.STARTING}, ConnectorState.PREPARING),
        ({"suspended_by": SuspendedBy.CAR}, ConnectorState.SUSPENDED_CAR),
        ({"suspended_by": SuspendedBy.STATION}, ConnectorState.SUSPENDED_STATION),
        ({"state": OrderState.STARTING, "suspended_by": SuspendedBy.CAR}, ConnectorState.PREPARING),
    ],
)
def test_its_connector_is_where_it_was(changes: dict[str, object], state: ConnectorState) -> None:
    """B23."""
    assert recalled(replace(ROW, **changes)).posts[A1].state is state  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("connector", "meter", "name", "serial", "metered"),
    [
        (A1, "SN-1", "SN-1", "SN-1", True),
        (A1, "A1", "A1", None, True),
        (A1, None, "A1", None, True),
        (A4, None, "m-A4", None, True),
        (A4, "m-A4", "m-A4", None, True),
        (A3, None, "", None, False),
    ],
)
def test_its_meter_is_the_one_that_it_had(
    connector: ConnectorId, meter: str | None, name: str, serial: str | None, metered: bool
) -> None:
    """B22: a serial is one only where it is not the meter's own name."""
    found = session(recalled(replace(ROW, connector=connector, meter=meter)), connector)
    assert (found.register.name, found.register.serial, found.metered) == (name, serial, metered)


@pytest.mark.parametrize(("created_s", "since"), [(10.0, AT - 10.0), (0.0, AT - 86_400.0), (-5.0, AT - 86_400.0)])
def test_a_wall_clock_that_went_back_leaves_a_day_for_its_register(created_s: float, since: float) -> None:
    """B21: nobody knows how long it was."""
    row = replace(ROW, created_at=WALL - timedelta(seconds=created_s))
    assert session(recalled(row)).register.since == since


@pytest.mark.parametrize(
    ("started_s", "counts_from"), [(900.0, AT - 900.0), (300.0, AT - 600.0), (-60.0, AT - 600.0), (None, None)]
)
def test_its_time_is_never_less_than_it_charged(started_s: float | None, counts_from: float | None) -> None:
    """B21."""
    started = None if started_s is None else WALL - timedelta(seconds=started_s)
    assert session(recalled(replace(ROW, started_at=started))).counts_from == counts_from


def test_only_the_last_open_row_of_a_connector_counts() -> None:
    """I8: what ended waits for the platform or is gone."""
    finished = replace(ROW, id=SessionId("s0"), state=OrderState.FINISHED)
    settled = replace(ROW, id=SessionId("s9"), state=OrderState.SETTLED)
    memory = recalled(finished, replace(ROW, id=SessionId("s2")), ROW, settled)
    assert session(memory).record.id == "s1"
    assert memory.finished == {"s0": finished}


def limit(name: str, source: LimitSource, ends_at: float | None = None) -> Limit:
    """A limit of the journal."""
    return Limit(name, source, (9.0, 9.0, 9.0), connector=A1, ends_at=ends_at)


def test_no_validity_outlasts_a_day() -> None:
    """R15: whatever the boot clock of an earlier life said; what the site file describes follows from it again."""
    kept = [limit("a", LimitSource.CLOUD), limit("b", LimitSource.CLOUD, AT + 60.0), limit("c", LimitSource.GRID, 1e9)]
    gone = [limit("d", LimitSource.STATIC), limit("window:q", LimitSource.DEMAND, AT + 60.0)]
    assert recalled(limits=(*kept, *gone)).limits == (*kept[:2], replace(kept[2], ends_at=AT + 86_400.0))


def command(name: CommandName, source: Source = Source.CLOUD, wall_s: float = -10.0, **more: object) -> Request:
    """A command that was accepted before, and not answered; wall_s from the opening of the session."""
    params = more.pop("params", {})
    fields = {"target": "A1", "order": "O-1"} | more
    at = START + timedelta(seconds=wall_s)
    return Request(CommandId("c1"), name, source, 40.0, at, params=params, **fields)  # type: ignore[arg-type]


UNKNOWN: dict[str, object] = {"unknown": True}
FOUND: dict[str, object] = {"connector": A1, "session": SessionId("s1")}


@pytest.mark.parametrize(
    ("request_", "trace"),
    [
        (command(CommandName.START_CHARGE), FOUND),
        (command(CommandName.START_CHARGE, wall_s=0.0), FOUND),
        (command(CommandName.START_CHARGE, wall_s=0.1), UNKNOWN),
        (command(CommandName.START_CHARGE, order="O-2"), UNKNOWN),
        (command(CommandName.START_CHARGE, Source.PANEL), UNKNOWN),
        (command(CommandName.START_CHARGE, target="A2"), UNKNOWN),
        (command(CommandName.START_CHARGE, target=None), UNKNOWN),
        (command(CommandName.REPORT_NOW), UNKNOWN),
        (command(CommandName.STOP_CHARGE, params={"sessionId": "s1"}), FOUND),
        (command(CommandName.STOP_CHARGE, params={}), FOUND),
        (command(CommandName.STOP_CHARGE, params={"sessionId": "s2"}), UNKNOWN),
        (command(CommandName.STOP_CHARGE, params={"sessionId": "s1"}, order="O-2"), UNKNOWN),
        (command(CommandName.STOP_CHARGE, params={}, order="O-2"), UNKNOWN),
        (command(CommandName.STOP_CHARGE, params={}, order=None), UNKNOWN),
        (command(CommandName.LIMIT_POWER), UNKNOWN),
    ],
)
def test_a_command_is_followed_where_it_left_a_trace(request_: Request, trace: dict[str, object]) -> None:
    """I8: from now on; never done again."""
    other = replace(ROW, id=SessionId("s7"), connector=A3, meter=None, order=OrderId("O-7"))
    memory = recalled(other, ROW, unfinished=(request_,))
    assert memory.pending == (Pending(request_, AT, **trace),)  # type: ignore[arg-type]
    stops = request_.name is CommandName.STOP_CHARGE and trace is FOUND
    assert session(memory).ending == (Ending(StopReason.REMOTE, AT) if stops else None)
    assert session(memory, A3).ending is None


def test_a_stop_of_somebody_here_is_his() -> None:
    """I10: not the platform's."""
    request = command(CommandName.STOP_CHARGE, Source.PANEL, params={"sessionId": "s1"})
    assert session(recalled(ROW, unfinished=(request,))).ending == Ending(StopReason.USER, AT)


def test_a_limit_that_reached_the_journal_is_followed() -> None:
    """I8: until it is read back."""
    request = command(CommandName.LIMIT_POWER)
    memory = recalled(limits=(limit("x", LimitSource.CLOUD), limit("c1", LimitSource.CLOUD)), unfinished=(request,))
    assert memory.pending == (Pending(request, AT, limit="c1"),)
