"""Schema of a charger's own watchdog: how it is loaded, fed and verified, and its life bit; unknown = worst."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from siteward.model.facts import OnExpiry, ResetBy
from siteward_drivers.profile_points import Part
from siteward_drivers.quantities import Quantity


class OnResume(StrEnum):
    """Which limit holds after contact came back."""

    KEEPS_FAILSAFE = "keeps_fs"
    OLD_SET_POINT = "old_set_point"
    UNKNOWN = "unknown"


class Persists(Part):
    """What survives a restart of the device."""

    limit: bool
    failsafe: bool
    timeout: bool


class FailsafePart(Part):
    """The charger's own watchdog: quantities `failsafe_current` and `watchdog_timeout`, written in `order`.

    `timeout_s` is what we write, or what the device has built in (`timeout_fixed`). `off_code` is the raw time-out that
    switches it off, `off_current` the raw current that does, `encode_stop` the raw current that means stop on expiry
    (None: it cannot). `fixed` are further registers of `order` with the raw number that the watchdog needs in them;
    any other content counts as switched off. `shown_current` and `shown_timeout` are read to verify; a time that
    `counts_down` verifies as long as it is not above `timeout_s`.
    """

    timeout_s: float = Field(gt=0)
    timeout_range_s: tuple[float, float]
    tolerance: float = Field(default=0.0, ge=0)
    min_a: float = Field(gt=0)
    max_a: float = Field(gt=0)
    encode_stop: int | None = None
    off_code: int | None = None
    off_current: int | None = None
    reset_by: ResetBy
    on_expiry: OnExpiry
    on_resume: OnResume = OnResume.UNKNOWN
    recovery: str = ""
    writable: bool = True
    persists: Persists
    timeout_fixed: bool = False
    counts_down: bool = False
    fixed: dict[Quantity, int] = Field(default_factory=dict)
    shown_current: Quantity = Quantity.FAILSAFE_CURRENT
    shown_timeout: Quantity = Quantity.WATCHDOG_TIMEOUT
    order: tuple[Quantity, ...] = (Quantity.FAILSAFE_CURRENT, Quantity.WATCHDOG_TIMEOUT)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        low, high = self.timeout_range_s
        if not low <= self.timeout_s <= high:
            raise ValueError("timeout_s lies outside timeout_range_s")
        if self.writable and not self._asked() <= set(self.order):
            raise ValueError(f"order must name {' and '.join(sorted(self._asked()))}")
        if self.encode_stop is not None and self.encode_stop == self.off_current:
            raise ValueError("encode_stop and off_current are the same number")
        return self

    def _asked(self) -> set[Quantity]:
        timed = set() if self.timeout_fixed else {Quantity.WATCHDOG_TIMEOUT}
        return {Quantity.FAILSAFE_CURRENT, *timed, *self.fixed}

    @property
    def shown(self) -> tuple[Quantity, ...]:
        """Registers that must be read for the watchdog to be verified."""
        timed = () if self.timeout_fixed else (self.shown_timeout,)
        second = tuple(q for q in self.order if q is Quantity.FAILSAFE_CURRENT_1PH)
        return (self.shown_current, *second, *timed, *self.fixed)


class HeartbeatPart(Part):
    """A life bit: `raw` is written into `quantity` with a poll at least every `every_s`, while there is a lease."""

    quantity: Quantity = Quantity.HEARTBEAT
    raw: int
    every_s: float = Field(gt=0)
