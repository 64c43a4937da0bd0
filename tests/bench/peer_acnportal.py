"""acnportal's algorithms on scenes given as JSON on stdin; runs in an environment of its own, knows nothing of ours.

Its distribution brings a top-level package `tests`, which would hide this project's: it must never be installed
beside siteward. A scene is {"room_a": [...], "floor_a": [...], "cap_a": [...], "cells": [[...], ...]} of those that
were admitted; out comes, for each algorithm and scene, the currents and the processor time in ms.
"""

import json
import sys
import warnings
from time import process_time

import numpy
from acnportal.acnsim.interface import InfrastructureInfo, SessionInfo
from acnportal.algorithms import RoundRobin, SortedSchedulingAlgo, earliest_deadline_first, least_laxity_first

LONG = 10_000


class Interface:
    """What the algorithms ask of a simulator: one infrastructure, five-minute periods, nobody is ever full."""

    period = 5
    current_time = 0

    def __init__(self, infrastructure: InfrastructureInfo) -> None:
        self._infrastructure = infrastructure

    def infrastructure_info(self) -> InfrastructureInfo:
        """The fuses as constraints."""
        return self._infrastructure

    def remaining_amp_periods(self, session: SessionInfo) -> float:
        """Energy that is still wanted, as A * periods at 208 V."""
        return session.remaining_demand * 1000.0 / 208.0 * 60.0 / self.period

    def max_pilot_signal(self, station_id: str) -> float:
        """Most that a station may be told, A."""
        return float(self._infrastructure.max_pilot[self._infrastructure.get_station_index(station_id)])


def build(scene: dict) -> tuple[InfrastructureInfo, list[SessionInfo]]:
    """Each cell that anybody loads is a constraint; all phases stand at the same angle, so that currents add up."""
    count = len(scene["floor_a"])
    names = [f"s{i}" for i in range(count)]
    rows = sorted({cell for cells in scene["cells"] for cell in cells})
    place = {cell: k for k, cell in enumerate(rows)}
    matrix = numpy.zeros((len(rows), count))
    for i, cells in enumerate(scene["cells"]):
        for cell in cells:
            matrix[place[cell], i] = 1.0
    infrastructure = InfrastructureInfo(
        matrix,
        numpy.array([scene["room_a"][cell] for cell in rows]),
        numpy.zeros(count),
        numpy.full(count, 208.0),
        [str(cell) for cell in rows],
        names,
        numpy.array(scene["cap_a"]),
        numpy.array(scene["floor_a"]),
    )
    sessions = [
        SessionInfo(name, name, 50.0 + i, 0.0, 0, 100 + i * 37 % 90, None, 0, [floor] * (100 + i * 37 % 90), cap)
        for i, (name, floor, cap) in enumerate(zip(names, scene["floor_a"], scene["cap_a"], strict=True))
    ]
    return infrastructure, sessions


def main() -> int:
    """Read scenes, run every algorithm on each, write what came of it."""
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    makers = {
        "RR 1 A": lambda: RoundRobin(least_laxity_first, continuous_inc=1.0),
        "RR 0.1 A": lambda: RoundRobin(least_laxity_first, continuous_inc=0.1),
        "EDF": lambda: SortedSchedulingAlgo(earliest_deadline_first),
        "LLF": lambda: SortedSchedulingAlgo(least_laxity_first),
    }
    found: dict[str, list[dict]] = {name: [] for name in makers}
    for scene in request["scenes"]:
        infrastructure, sessions = build(scene)
        for name, make in makers.items():
            if name == "RR 0.1 A" and len(sessions) > request["finestUpTo"]:
                continue
            algorithm = make()
            algorithm.register_interface(Interface(infrastructure))
            begun = process_time()
            schedule = algorithm.schedule(list(sessions))
            spent = (process_time() - begun) * 1000.0
            found[name].append({"amps": [float(schedule[s.station_id][0]) for s in sessions], "ms": spent})
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
