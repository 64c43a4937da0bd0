"""Goal 10 over time: real sessions of two days behind a fuse tree that holds 40 %, beside the rules of acnportal.

Siteward lives through every second that changes something, with ramps, cars that take time to wake, meters and polls;
the rules of others see everything at once and act at once, which flatters them. Whole months: `make months`.
"""

from concurrent.futures import ProcessPoolExecutor

from tests.bench.rows import Row, row
from tests.campaigns.months_campaign import Figures, peers, siteward

MONTH, DAYS = "2019-05", 2
OF_THE_BEST = 0.99
"""Of what the best of the rules delivers that know everything at once."""


def measure() -> list[Row]:
    """The rows of `make bench`: energy, fairness, energy owed at departure, limits broken."""
    with ProcessPoolExecutor(2) as pool:
        plain, leaving = (pool.submit(siteward, MONTH, DAYS, known) for known in (False, True))
        theirs = peers(MONTH, DAYS)
        mine = {"": plain.result(), ", departures known": leaving.result()}
    return [found for name, figures in mine.items() for found in _rows(name, figures, theirs)]


def _rows(name: str, mine: Figures, theirs: dict[str, Figures]) -> list[Row]:
    at = f"2 real days, 52 stations{name}"
    best = max(theirs, key=lambda rule: theirs[rule]["delivered_percent"])
    other = theirs[best]
    broken = max(figures["limits_broken"] for figures in theirs.values())
    return [
        row(
            10,
            f"{at}: delivered",
            *_more(mine, other, "delivered_percent"),
            "%",
            other["delivered_percent"],
            best,
            "more",
        ),
        row(10, f"{at}: fairness", *_more(mine, other, "jain"), "Jain", other["jain"], best, "more"),
        row(10, f"{at}: owed at departure", mine["owed_kwh"], _owed(other), "kWh", other["owed_kwh"], best),
        row(10, f"{at}: limits broken", mine["limits_broken"], 0.0, "limits", broken, "worst of them"),
    ]


def _more(mine: Figures, other: Figures, key: str) -> tuple[float, float]:
    return mine[key], round(OF_THE_BEST * other[key], 3)


def _owed(other: Figures) -> float:
    """What may be owed where so much less is delivered."""
    return round(other["owed_kwh"] + (1.0 - OF_THE_BEST) * other["wanted_kwh"], 2)
