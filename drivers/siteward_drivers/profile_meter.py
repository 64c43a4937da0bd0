"""Schema of a meter's part of a profile: what control must know of it, and which registers say what others mean."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from siteward_drivers.profile_points import Part
from siteward_drivers.profile_signing import SigningPart
from siteward_drivers.profile_verbs import Condition
from siteward_drivers.quantities import Quantity


class MeterPart(Part):
    """What control must know of a meter: its own refresh, averaging window, largest current, sign, noisy quantities.

    `phases` are those whose currents it shows apart: 0 = totals only. `valid_when`: registers without whose content all
    other values mean something else (transformer ratios), so that they are rejected. `rollover_wh`: the import register
    begins at 0 again there; declared only where standard or data sheet says so. `energy_exponent`: a register that
    says by which power of ten the import register is multiplied. `signing`: how it signs what it counted.
    """

    refresh_s: float = Field(gt=0)
    window_s: float = Field(ge=0)
    range_a: float | None = None
    signed: bool = True
    noise: tuple[Quantity, ...] = ()
    bills_energy: bool = False
    phases: Literal[0, 1, 3] = 3
    valid_when: tuple[Condition, ...] = ()
    rollover_wh: int | None = Field(default=None, gt=0)
    energy_exponent: Quantity | None = None
    signing: SigningPart | None = None

    @property
    def judges(self) -> Iterator[Quantity]:
        """Registers that say what others mean."""
        yield from (condition.quantity for condition in self.valid_when)
        if self.energy_exponent is not None:
            yield self.energy_exponent
