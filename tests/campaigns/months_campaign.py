"""Whole months of real sessions: `MONTHS=2019-05,2019-07 make months`, beside acnportal, equal split and first come.

`DAYS=7` takes only the first so many days of each.

Siteward runs twice, without and with what drivers announced (departure and energy); every turn is one second, and time
is passed over only as `tests/months/turns.py` says. The figures of the last run stand in `last_months.json`. Exit
status 1 when siteward broke a limit.
"""

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.campaigns.record import keep
from tests.months.depot import DAY_S, DAYS, FIRST_DAYS, HOLDS, depot, other_load, stays
from tests.months.figures import figures
from tests.months.peers import others
from tests.months.turns import Turns

LAST = Path(__file__).with_name("last_months.json")
Figures = dict[str, float]


def siteward(month: str, days: int, departures: bool) -> Figures:
    """Figures of one month under the load turn."""
    one = depot()
    first, last = _span(month, days)
    here = stays(one, first, last)
    began = time.monotonic()
    turns = Turns(one, here, other_load(one), departures)
    turns.run(first, last)
    fuses = turns.fuses
    return figures(here, turns.got_wh, fuses.broken) | {
        "turns": turns.turn,
        "hours_passed_over": round(turns.passed_s / 3600.0, 1),
        "worst_theta": round(fuses.worst_theta, 3),
        "longest_over_s": fuses.longest_over_s,
        "took_s": round(time.monotonic() - began, 1),
    }


def peers(month: str, days: int) -> dict[str, Figures]:
    """Figures of the same month under the rules of others."""
    one = depot()
    return others(one, stays(one, *_span(month, days)), other_load(one))


def _span(month: str, days: int) -> tuple[int, int]:
    first = FIRST_DAYS[month] * DAY_S
    return first, first + min(days, DAYS[month]) * DAY_S


def main(months: list[str], days: int) -> int:
    """Run the months, print and keep their figures."""
    told: dict[str, dict[str, Figures]] = {}
    with ProcessPoolExecutor(3) as pool:
        plain = {month: pool.submit(siteward, month, days, False) for month in months}
        leaving = {month: pool.submit(siteward, month, days, True) for month in months}
        theirs = {month: pool.submit(peers, month, days) for month in months}
        for month in months:
            told[month] = {
                "siteward": plain[month].result(),
                "siteward, departures known": leaving[month].result(),
                **theirs[month].result(),
            }
            for name, found in told[month].items():
                print(month, name, found, flush=True)
    command = f"MONTHS={','.join(months)} DAYS={days} make months"
    keep(LAST, command, {"holds": HOLDS, "stations": 52, "most_days": days, "months": told})
    mine = [found for month in told.values() for name, found in month.items() if name.startswith("siteward")]
    return min(1, int(sum(found["limits_broken"] for found in mine)))


if __name__ == "__main__":
    sys.exit(main(os.environ.get("MONTHS", "2019-05").split(","), int(os.environ.get("DAYS", "31"))))
