"""What raw state a simulated charger shows for a pilot: the inverse of how its profile judges its registers."""

from itertools import product

from siteward.model.readings import Pilot
from siteward_drivers.profile_charger import ChargerPart
from siteward_drivers.profile_points import Point
from siteward_drivers.quantities import Quantity

Shown = dict[Quantity, str]
"""Raw content of `status` and of the registers that its rules look at, as texts."""


class States:
    """All contents that the documents of a device name, by what they mean."""

    def __init__(self, part: ChargerPart, points: dict[Quantity, Point]) -> None:
        status = part.status
        self._faults = status.faults
        self._paused = {str(c.raw) for c in part.verbs.paused_when if c.quantity is Quantity.STATUS}
        others = sorted({rule.quantity for rule in status.rules})
        contents = [_contents(part, q, points[q]) for q in others]
        self._by_meaning: dict[tuple[Pilot, bool], list[Shown]] = {}
        for key in status.map:
            for raws in product(*contents):
                meaning = status.judge(key, dict(zip(others, raws, strict=True)))
                texts = {q: str(raw) for q, raw in zip(others, raws, strict=True)}
                if key not in status.faults:
                    self._by_meaning.setdefault(meaning, []).append({Quantity.STATUS: key, **texts})

    def of(self, pilot: Pilot, allowed: bool, paused: bool) -> Shown:
        """For a pilot: the first form where nothing is allowed, the last where it is. KeyError for no such state."""
        found = self._by_meaning[pilot, pilot is Pilot.C]
        if pilot is not Pilot.C:
            fitting = [s for s in found if (s[Quantity.STATUS] in self._paused) is (paused and pilot is not Pilot.A)]
            found = fitting or found
        return found[-1] if allowed and pilot is not Pilot.C else found[0]

    def fault(self, state: str | None) -> Shown:
        """For a fault state, the first one if none is named. KeyError where the device has none."""
        if state is None and not self._faults:
            raise KeyError("no fault state")
        return {Quantity.STATUS: state or next(iter(self._faults))}


def _contents(part: ChargerPart, quantity: Quantity, point: Point) -> list[int]:
    """Raw numbers that a register is known to show: those documented, else those of the rules and one that is none."""
    if point.values:
        return [int(key) for key in point.values]
    ruled = [raw for rule in part.status.rules if rule.quantity is quantity for raw in rule.raw]
    return [*ruled, max(ruled) + 1]
