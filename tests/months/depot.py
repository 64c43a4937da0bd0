"""The depot of the real sessions: 52 one-phase outlets on three floors below one connection, as site and as data.

The connection holds 40 % of what all outlets may draw, the other load included; its other load peaks at 30 % of it.
"""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from siteward.model.site import Site
from siteward.model.units import PerPhase
from tests.siteward.control.sites import Box, feeder, site

FOLDER = Path(__file__).parents[1] / "fixtures" / "months"
DAY_S, QUARTER_S = 86_400, 900
FIRST_DAYS = {"2019-05": 0, "2019-06": 31, "2019-07": 61, "2019-08": 92}
DAYS = {"2019-05": 31, "2019-06": 30, "2019-07": 31, "2019-08": 31}
MOST_A, FLOOR_A, VOLTS = 32.0, 6.0, 230.0
HOLDS, OTHER = 0.4, 0.3
FLOOR_HOLDS = 0.5


@dataclass(frozen=True, slots=True)
class Stay:
    """A car that stays: times in s since the first midnight, the energy it takes, the departure that was announced."""

    number: int
    outlet: int
    arrival: int
    departure: int
    told: int | None
    wanted_wh: float

    @property
    def most_wh(self) -> float:
        """What could flow at most in its stay."""
        return min(self.wanted_wh, MOST_A * VOLTS * (self.departure - self.arrival) / 3600.0)


@dataclass(frozen=True)
class Depot:
    """The site, and which cells (3 * feeder + phase) each outlet loads."""

    site: Site
    stations: tuple[str, ...]
    cells: tuple[tuple[int, ...], ...]
    rating_a: tuple[float, ...]
    worst_base_a: float


def depot() -> Depot:
    """Stations in the order of their names, phases in turn; all ratings follow from HOLDS and FLOOR_HOLDS."""
    stations = tuple(sorted({row["station"] for row in _rows("sessions.csv.gz")}))
    floors = sorted({name[3:5] for name in stations})
    boxes = [Box(f"floor-{name[3]}", wiring="123"[i % 3], line=f"bus-{name[3]}") for i, name in enumerate(stations)]
    asked: dict[str, list[float]] = {"grid": [0.0] * 3} | {f"floor-{f[0]}": [0.0] * 3 for f in floors}
    for box in boxes:
        for node in ("grid", box.feeder):
            asked[node]["123".index(box.wiring)] += MOST_A
    grid = _share(asked["grid"], HOLDS)
    worst = round(OTHER * min(grid), 1)
    nodes = [feeder("grid", grid, worst=worst, metered=True)]
    nodes += [feeder(name, _share(amps, FLOOR_HOLDS), "grid") for name, amps in asked.items() if name != "grid"]
    built = site(nodes, boxes)
    place = {f.id: k for k, f in enumerate(built.feeders)}
    cells = tuple(tuple(3 * place[f.id] + c.wiring[0].position for f in built.path(c.feeder)) for c in built.connectors)
    return Depot(built, stations, cells, tuple(a for f in built.feeders for a in f.rating_a), worst)


def _share(asked: list[float], share: float) -> PerPhase:
    a, b, c = (float(round(share * amps)) for amps in asked)
    return (a, b, c)


def stays(one: Depot, first_s: int, last_s: int) -> list[Stay]:
    """Stays that begin in [first_s, last_s), by arrival."""
    place = {name: i for i, name in enumerate(one.stations)}
    found = []
    for number, row in enumerate(_rows("sessions.csv.gz")):
        arrival = int(row["arrival_s"])
        if first_s <= arrival < last_s:
            told = int(row["told_departure_s"]) if row["told_departure_s"] else None
            outlet = place[row["station"]]
            found.append(Stay(number, outlet, arrival, int(row["departure_s"]), told, float(row["taken_wh"])))
    return found


def other_load(one: Depot) -> list[float]:
    """Other load of the connection in A on each phase, one value a quarter of an hour."""
    return [round(one.worst_base_a * float(row["g3_m"]), 2) for row in _rows("base_load.csv.gz")]


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(gzip.decompress((FOLDER / name).read_bytes()).decode())))
