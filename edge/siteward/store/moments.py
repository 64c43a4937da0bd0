"""One instant on both clocks: what stored times are judged against."""

from dataclasses import dataclass
from datetime import datetime

from siteward.model.ports import Clock


@dataclass(frozen=True, slots=True)
class Moment:
    """Boot time in s, wall time, whether the latter may be trusted, and the name of this boot."""

    now: float
    wall: datetime
    trusted: bool
    boot: str


def moment(clock: Clock, boot: str) -> Moment:
    """This instant."""
    return Moment(clock.now(), clock.wall(), clock.quality().trusted, boot)
