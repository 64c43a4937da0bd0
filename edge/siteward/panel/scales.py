"""Where the ticks of a picture stand: round numbers, and round times by the site's clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_STEPS_S = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)
_ROUND = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A time on the axis; narrow: it has its place on a phone, too."""

    at: datetime
    text: str
    narrow: bool


def step_of(top: float, most: int) -> float:
    """The smallest round step (1, 2, 5, 10, ...) of which `most` reach the top."""
    scale = 1.0
    while True:
        for one in _ROUND:
            if one * scale * most >= top:
                return one * scale
        scale *= 10.0


def time_ticks(begin: datetime, end: datetime, zone: tzinfo, wide: int = 10, narrow: int = 4) -> tuple[TimeTick, ...]:
    """Round times between two instants, by the site's clock; none for a time that no axis can hold."""
    seconds = (end - begin).total_seconds()
    step, coarse = _step_s(seconds, wide), _step_s(seconds, narrow)
    if step is None or coarse is None:
        return ()
    return tuple(
        TimeTick(at, _text(at.astimezone(zone), step), rest) for at, rest in _marks(begin, end, zone, step, coarse)
    )


def _step_s(seconds: float, most: int) -> int | None:
    return next((step for step in _STEPS_S if step * most >= seconds), None)


def _marks(begin: datetime, end: datetime, zone: tzinfo, step: int, coarse: int) -> Iterator[tuple[datetime, bool]]:
    """Instants whose local time is a multiple of the step, counted from a Monday's midnight."""
    at = begin.astimezone(UTC)
    while True:
        local = at.astimezone(zone)
        since = local.weekday() * 86_400 + local.hour * 3600 + local.minute * 60 + local.second
        rest = since % step
        if not rest and not at.microsecond:
            if at > end:
                return
            yield at, since % coarse == 0
        # A step of the clock (daylight saving) only makes one way shorter: the next round is aligned again.
        at = at.replace(microsecond=0) + timedelta(seconds=step - rest)
        if at > end:
            return


def _text(local: datetime, step: int) -> str:
    if step >= 86_400 or (local.hour, local.minute, local.second) == (0, 0, 0):
        return f"{local:%m-%d}"
    return f"{local:%H:%M:%S}" if step < 60 else f"{local:%H:%M}"
