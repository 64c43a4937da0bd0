"""Days that can be asked for, as people write them."""

from datetime import date

_YEARS = range(1970, 2200)


def read_day(text: str) -> date:
    """A day. Raises ValueError for what is none, and for one at the ends of the calendar: its midnights have no UTC."""
    day = date.fromisoformat(text)
    if day.year not in _YEARS:
        raise ValueError(f"{text} is outside the years {_YEARS[0]} to {_YEARS[-1]}")
    return day
