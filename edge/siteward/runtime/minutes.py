"""When a register that bills is read: once in its period, and close to each whole minute, where prices change (B24)."""

from siteward.model.ports import Clock

AROUND_S = 1.6
"""Furthest from a whole minute; the rest of the 2 s that a price boundary allows is for the wire."""

_LEAST_WAIT_S = 0.5


def spread(number: int, count: int) -> float:
    """Where the `number`-th (from 0) of so many meters has its place around a whole minute, in s; not all at once."""
    return AROUND_S * (2 * number + 1 - count) / count


def next_read(clock: Clock, period_s: float, place_s: float) -> float:
    """The next read (Clock): a whole number of periods after a whole minute, shifted by the meter's place.

    A minute is a whole number of periods. After a step of the wall clock the next read comes early, never late.
    """
    past_s = (clock.wall().timestamp() - place_s) % period_s
    wait_s = period_s - past_s
    return clock.now() + (wait_s if wait_s >= _LEAST_WAIT_S else wait_s + period_s)
