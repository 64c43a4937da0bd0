"""Schema of how a charger tells its state: pilot, flowing energy, faults."""

from collections.abc import Mapping
from typing import Self

from pydantic import Field, model_validator

from siteward.model.readings import Pilot
from siteward_drivers.profile_points import Part
from siteward_drivers.quantities import Quantity


class StatusRule(Part):
    """Raw numbers of another register that tell the pilot whatever `status` says; `charging`: energy flows."""

    quantity: Quantity
    raw: tuple[int, ...] = Field(min_length=1)
    pilot: Pilot
    charging: bool = False


class StatusPart(Part):
    """Raw states of quantity `status`: pilot by IEC 61851-1, those in which energy flows, those that are faults.

    The first of `rules` that applies goes before the map, faults excepted.
    """

    map: dict[str, Pilot]
    charging: tuple[str, ...] = ()
    faults: dict[str, str] = Field(default_factory=dict)
    rules: tuple[StatusRule, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> Self:
        strange = (set(self.charging) | set(self.faults)) - set(self.map)
        if strange:
            raise ValueError(f"states not in map: {', '.join(sorted(strange))}")
        if not self.charging and not any(rule.charging for rule in self.rules):
            raise ValueError("no state in which energy flows")
        return self

    def judge(self, state: str, others: Mapping[Quantity, object]) -> tuple[Pilot, bool]:
        """Pilot, and whether energy flows, by a known state and the other registers. KeyError for a strange state."""
        if state not in self.faults:
            for rule in self.rules:
                if others.get(rule.quantity) in rule.raw:
                    return rule.pilot, rule.charging
        return self.map[state], state in self.charging
