"""The tables of site.toml for limits: standing, by timetable, by contact, by heat, by demand window."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from siteward.settings.access_tables import Point
from siteward.settings.keys import MISSING, Id, PhaseAmps, Table, key

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Days of the week as the file spells them, Monday first."""

_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)


def _clock(text: str) -> str:
    if _CLOCK.fullmatch(text) is None:
        raise ValueError("write hours and minutes of the local clock, such as 06:30; the end of the day is 24:00")
    return text


ClockTime = Annotated[str, AfterValidator(_clock)]
CurvePoint = Annotated[list[Annotated[float, Field(ge=-50, le=6300)]], Field(min_length=2, max_length=2)]


class PeriodTable(Table):
    """[[limit.schedule]]: a part of the week in which a limit holds, by the local clock of the site."""

    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = key(
        list(DAYS),
        "Days on which the period begins.",
        reason="A period that passes midnight belongs to the day on which it begins.",
        min_length=1,
        max_length=7,
    )
    begin: ClockTime = key(
        MISSING,
        "Begin by the local clock, HH:MM.",
        reason="The clock on the wall decides, daylight saving included.",
        span="00:00 to 23:59",
    )
    end: ClockTime = key(
        MISSING,
        "End by the local clock, HH:MM; not after the begin means the next day.",
        reason="A night is one period, not two.",
        span="00:00 to 24:00",
    )
    limit_a: PhaseAmps = key(
        MISSING,
        "The most that may flow in the period on L1, L2, L3, all load included.",
        unit="A",
        reason="Where periods overlap, the lowest counts; so does the lowest of all while the clock is not trusted.",
        span="three values, 0 to 6300",
    )


class InputTable(Table):
    """[[limit.input]]: a contact of the grid operator and what it allows, one for each step."""

    point: Point = key(
        MISSING,
        "The contact: `board.point` of a relay board, `gpio:pi/17` (BCM number) or `gpio:gpiochip0/17`.",
        reason="A ripple control receiver has one contact for each step, a control box may have one in all.",
    )
    limit_a: PhaseAmps = key(
        MISSING,
        "The most that may flow while the contact says so, on L1, L2, L3, all load included.",
        unit="A",
        reason="The lowest step that is on counts. 4.2 kW on three phases of 230 V are 6.1 A.",
        span="three values, 0 to 6300",
    )
    normally_closed: bool = key(
        False,
        "Whether the contact is closed while it has nothing to say.",
        reason="Then a cut cable says that the step is on.",
    )


class LimitTable(Table):
    """[[limit]]: a limit on a feeder or on a connector. Alone `limit_a` always holds."""

    id: Id = key(MISSING, "Id of the limit.", reason="Cause chains name it.")
    feeder: Id | None = key(None, "The feeder that it bounds.", reason="It counts like a smaller fuse there.")
    connector: Id | None = key(
        None,
        "The connector that it bounds, in place of a feeder.",
        reason="Heat and timetables may be about one outlet; what always holds there is `max_a` of its charger.",
    )
    limit_a: PhaseAmps | None = key(
        None,
        "The most that may flow there on L1, L2, L3, all load included; beside periods or inputs: while none holds.",
        unit="A",
        reason="A contract with the grid operator may be smaller than the fuse. None = no limit outside the periods.",
        span="three values, 0 to 6300",
    )
    schedule: list[PeriodTable] = Field(default_factory=list, description="Periods of the week.")
    input: list[InputTable] = Field(default_factory=list, description="Contacts of the grid operator.")
    failsafe_a: PhaseAmps | None = key(
        None,
        "What holds while an input or a temperature cannot be read; the lowest step or end of the curve if not given.",
        unit="A",
        reason="Silence never releases what the grid operator may have asked for.",
        span="three values, 0 to 6300",
    )
    release_s: float = key(
        10.0,
        "How long the contacts must allow more before it counts.",
        unit="s",
        reason="Contacts bounce; a fall counts at once.",
        ge=0,
        le=600,
    )
    sensor: Id | None = key(
        None,
        "The connector whose charger tells the temperature that `curve` is about.",
        reason="A hot row of chargers may be told by one of them.",
    )
    curve: list[CurvePoint] | None = key(
        None,
        "Points [temperature in C, current in A], hotter ones later, straight between them, level beyond the ends.",
        reason="A charger that gets too hot switches off by itself; less current keeps it going.",
        span="two to 16 points",
        min_length=2,
        max_length=16,
    )
    demand_w: float | None = key(
        None,
        "Mean import power that a demand window must not exceed, as the feeder's meter counts it.",
        unit="W",
        reason="A tariff by the highest mean of a quarter of an hour makes one careless quarter expensive.",
        ge=1000,
        le=10_000_000,
    )
    window_min: Literal[15, 30, 60] = key(
        15,
        "Length of the demand window.",
        unit="min",
        reason="Most tariffs count quarters of an hour.",
    )
    sliding: bool = key(
        False,
        "Whether any window of that length counts, not only those that begin at the quarter.",
        reason="Utilities count aligned windows in standard time; without a trusted clock the window slides anyway.",
    )
    margin_percent: float = key(
        2.0,
        "Share of `demand_w` that is left unused.",
        unit="%",
        reason="Meters round, and a car needs seconds to follow.",
        ge=0,
        le=20,
    )
