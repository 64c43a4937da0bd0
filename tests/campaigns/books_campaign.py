"""Whole months of real sessions into one journal, reconciled with the meters: `MONTHS=2019-05 DAYS=n make books`.

The plant is `tests/months/books.py`; the controller dies once a day. The figures of the last run stand in
`last_books.json`. Exit status 1 when a single Wh of a meter stands in no session, or in two,
or a bill comes out otherwise when it is made again.
"""

import asyncio
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory

from siteward.store.open import open_store
from tests.campaigns.record import commit, keep
from tests.months.books import Books
from tests.months.depot import DAY_S, DAYS, FIRST_DAYS, depot, other_load, stays
from tests.months.ledger import closed, differences_wh, faulty_bills

LAST = Path(__file__).with_name("last_books.json")
Figures = dict[str, object]


class Told(Books):
    """Says once a day how far it is: a month takes half an hour."""

    def day_over(self, day: int) -> None:
        """A line for each day."""
        print(f"day {day}: {self.commands} commands, {self.turn} turns, {len(self.coming)} cars to come", flush=True)


def month(name: str, days: int) -> Figures:
    """Figures of one month."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_month(name, days, Path(folder)))


async def _month(name: str, days: int, folder: Path) -> Figures:
    one = depot()
    first = FIRST_DAYS[name] * DAY_S
    last = first + min(days, DAYS[name]) * DAY_S
    here = stays(one, first, last)
    books = Told(one, here, other_load(one), folder)
    began = time.monotonic()
    await books.live(first, last)
    store = await open_store(books.path, books.clock)
    verdict = await store.verify()
    told = closed(books.path)
    wrong = await faulty_bills(store, told)
    await store.close()
    counted = {name: int(wh) - books.first_wh[name] for name, wh in books.wh.items()}
    return {
        "stays": len(here),
        "sessions": len(told),
        "stays_without_session": len(here) - len(told),
        "registers_wh": sum(counted.values()),
        "sessions_wh": sum(session.energy_wh for session in told),
        "differences_wh": differences_wh(told, books.first_wh, books.wh),
        "bills_total": sum(session.total for session in told),
        "bills_not_made_again": wrong,
        "refused": books.refused,
        "deaths": books.deaths,
        "sessions_over_a_gap": sum(session.gap for session in told),
        "estimated": sum(session.estimated for session in told),
        "chain": str(verdict),
        "limits_broken": books.fuses.broken,
        "turns": books.turn,
        "took_s": round(time.monotonic() - began, 1),
    }


def main(months: list[str], days: int) -> int:
    """Run the months side by side, print and keep their figures; return whether the books are wrong.

    A month that is not run keeps the figures of its last run, with the commit that it began with.
    """
    began, told = commit(), dict[str, Figures]()
    command = f"MONTHS={','.join(months)} DAYS={days} make books"
    kept = json.loads(LAST.read_text("utf-8"))["months"] if LAST.exists() else {}
    with ProcessPoolExecutor() as pool:
        waiting = {pool.submit(month, name, days): name for name in months}
        for ready in as_completed(waiting):
            name = waiting[ready]
            told[name] = {"commit": began, "most_days": days, **ready.result()}
            print(name, told[name], flush=True)
            keep(LAST, command, {"commit": began, "months": dict(sorted({**kept, **told}.items()))})
    faults = ("differences_wh", "bills_not_made_again", "stays_without_session")
    return int(any(found[fault] for found in told.values() for fault in faults))


if __name__ == "__main__":
    sys.exit(main(os.environ.get("MONTHS", "2019-05").split(","), int(os.environ.get("DAYS", "31"))))
