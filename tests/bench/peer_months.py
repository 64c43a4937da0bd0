"""Other people's rules on the real sessions, given as JSON on stdin: acnportal's, an equal split, first come.

Runs in an environment of its own (see peer_acnportal.py), knows nothing of ours. Its plant is kinder than ours: every
period of five minutes each rule knows the other load and the cars exactly, may use the fuses to the last ampere
without any margin, and cars follow at once. Out comes for each rule the energy of each stay and the limits broken.
"""

import json
import sys
import warnings
from collections.abc import Callable

import numpy
from acnportal.acnsim.interface import InfrastructureInfo, SessionInfo
from acnportal.algorithms import RoundRobin, SortedSchedulingAlgo, earliest_deadline_first, least_laxity_first

PERIOD_S, QUARTER_S = 300, 900
UNTOLD_S = 8 * 3600
"""What is taken for a stay that nobody announced."""
Rule = Callable[[list[dict], list[float], int], dict[int, float]]


class Interface:
    """What acnportal's algorithms ask of a simulator."""

    period = PERIOD_S / 60.0

    def __init__(self, infrastructure: InfrastructureInfo, volts: float, now: int) -> None:
        self._infrastructure, self._volts = infrastructure, volts
        self.current_time = now

    def infrastructure_info(self) -> InfrastructureInfo:
        """The fuses as constraints."""
        return self._infrastructure

    def remaining_amp_periods(self, session: SessionInfo) -> float:
        """Energy that is still wanted, as A * periods; the last bit is asked for at the floor, or it never came."""
        return max(6.0, session.remaining_demand * 1000.0 / self._volts * 3600.0 / PERIOD_S)

    def max_pilot_signal(self, station_id: str) -> float:
        """Most that a station may be told, A."""
        return float(self._infrastructure.max_pilot[self._infrastructure.get_station_index(station_id)])


class Depot:
    """The fuse tree as it came."""

    def __init__(self, told: dict) -> None:
        self.cells, self.rating, self.base = told["cells"], told["rating_a"], told["base_a"]
        self.volts, self.most, self.floor = told["volts"], told["most_a"], told["floor_a"]

    def room(self, at: int) -> list[float]:
        """What is left for cars on each cell; the connection's own three cells come first."""
        base = self.base[at // QUARTER_S]
        return [rating - base if cell < 3 else rating for cell, rating in enumerate(self.rating)]

    def acnportal(self, make: Callable[[], SortedSchedulingAlgo]) -> Rule:
        """One of acnportal's algorithms, pilots of 0 or whole amperes from the floor up."""
        pilots = numpy.array([0.0, *numpy.arange(self.floor, self.most + 0.5, 1.0)])

        def rule(here: list[dict], room: list[float], at: int) -> dict[int, float]:
            names = [str(stay["number"]) for stay in here]
            matrix = numpy.zeros((len(room), len(here)))
            for i, stay in enumerate(here):
                matrix[self.cells[stay["outlet"]], i] = 1.0
            count = len(here)
            infrastructure = InfrastructureInfo(
                matrix,
                numpy.array(room),
                numpy.zeros(count),
                numpy.full(count, self.volts),
                [str(cell) for cell in range(len(room))],
                names,
                numpy.full(count, self.most),
                numpy.zeros(count),
                [pilots] * count,
                numpy.full(count, False),
            )
            now = at // PERIOD_S
            sessions = [self._session(name, stay, now) for name, stay in zip(names, here, strict=True)]
            algorithm = make()
            algorithm.register_interface(Interface(infrastructure, self.volts, now))
            schedule = algorithm.schedule(sessions)
            return {
                stay["number"]: float(schedule[name][0]) if name in schedule else 0.0
                for name, stay in zip(names, here, strict=True)
            }

        return rule

    def _session(self, name: str, stay: dict, now: int) -> SessionInfo:
        arrival = stay["arrival"] // PERIOD_S
        told = stay["arrival"] + UNTOLD_S if stay["told"] is None else stay["told"]
        return SessionInfo(
            name,
            name,
            stay["wanted_wh"] / 1000.0,
            (stay["wanted_wh"] - stay["rest_wh"]) / 1000.0,
            arrival,
            max(now, stay["departure"] // PERIOD_S) + 1,
            max(arrival + 1, told // PERIOD_S),
            now,
            0,
            self.most,
        )

    def equal(self, here: list[dict], room: list[float], _at: int) -> dict[int, float]:
        """Each fuse divided by those below it who want current; below the floor nobody gets any."""
        count = [0] * len(room)
        for stay in here:
            for cell in self.cells[stay["outlet"]]:
                count[cell] += 1
        found = {}
        for stay in here:
            amps = min(self.most, *(room[cell] / count[cell] for cell in self.cells[stay["outlet"]]))
            found[stay["number"]] = amps if amps >= self.floor else 0.0
        return found

    def first_come(self, here: list[dict], room: list[float], _at: int) -> dict[int, float]:
        """Everybody in the order of arrival as much as is left, or nothing below the floor."""
        left, found = list(room), {}
        for stay in sorted(here, key=lambda s: (s["arrival"], s["number"])):
            cells = self.cells[stay["outlet"]]
            amps = min(self.most, *(left[cell] for cell in cells))
            found[stay["number"]] = amps = amps if amps >= self.floor else 0.0
            for cell in cells:
                left[cell] -= amps
        return found


def play(depot: Depot, stays: list[dict], rule: Rule) -> dict:
    """All stays under one rule, period by period; a stay that begins or ends within one gets its part of it."""
    coming = sorted((dict(stay, rest_wh=stay["wanted_wh"]) for stay in stays), key=lambda s: -s["arrival"])
    here: list[dict] = []
    got: dict[str, float] = {}
    broken = 0
    at = stays[0]["arrival"] // PERIOD_S * PERIOD_S if stays else 0
    while coming or here:
        while coming and coming[-1]["arrival"] < at + PERIOD_S:
            here.append(coming.pop())
        hungry = [stay for stay in here if stay["rest_wh"] > 0.0]
        room = depot.room(at)
        amps = rule(hungry, room, at) if hungry else {}
        for stay in hungry:
            seconds = min(at + PERIOD_S, stay["departure"]) - max(at, stay["arrival"])
            taken = min(stay["rest_wh"], amps[stay["number"]] * depot.volts * max(0, seconds) / 3600.0)
            stay["rest_wh"] -= taken
            for cell in depot.cells[stay["outlet"]]:
                room[cell] -= amps[stay["number"]]
        broken += sum(left < -0.01 for left in room)
        at += PERIOD_S
        for stay in here:
            if stay["departure"] <= at:
                got[str(stay["number"])] = stay["wanted_wh"] - stay["rest_wh"]
        here = [stay for stay in here if stay["departure"] > at]
        if not here and coming:
            at = coming[-1]["arrival"] // PERIOD_S * PERIOD_S
    return {"got_wh": got, "broken": broken}


def main() -> int:
    """Read the depot and the stays, play them under every rule, write what came of it."""
    warnings.simplefilter("ignore")
    request = json.load(sys.stdin)
    depot = Depot(request)
    rules: dict[str, Rule] = {
        "acnportal RR": depot.acnportal(lambda: RoundRobin(least_laxity_first)),
        "acnportal EDF": depot.acnportal(lambda: SortedSchedulingAlgo(earliest_deadline_first)),
        "acnportal LLF": depot.acnportal(lambda: SortedSchedulingAlgo(least_laxity_first)),
        "equal split": depot.equal,
        "first come": depot.first_come,
    }
    json.dump({name: play(depot, request["stays"], rule) for name, rule in rules.items()}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
