"""The demand window: energy so far by the meter's register, what is left of the contract, and the forecast (B15).

Its rules are those of turn.md 3.10.
Times are boot-time seconds, energies Wh. Energy is counted along one line (`trail`), and a window is a stretch of it:
windows meet at one point of the line, so that nothing between them is lost or counted twice, whatever the wall clock
does. What was not measured counts as the worst that could have flowed, and as late as it could have.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from siteward.model.readings import MeterReading
from siteward.model.rules import DemandWindow

FRESH_S = 5.0
"""Age of a meter's answer up to which its load counts as the present one (B01)."""

GAP_S = 10.0
"""A longer time between two answers is a gap: power says nothing about it, only registers do."""

LEAST_LEFT_S = 60.0
"""The rest of a budget is spread over at least this time, so that the end of a window is no feast."""

SLIP_S = 2.0
"""A begin that moves by more than this is another begin: the wall clock was set."""

_SAMPLES = 60
_COARSE_WH = 1000.0


@dataclass(frozen=True, slots=True)
class Window:
    """Energy through a meter: `trail` are (time, Wh until then), at least one, rising, the newest last.

    measured_from: since when all of it was measured; register_wh: the meter's register at the newest sample, never a
    guess; begun_at, begun_wh: begin of the present window, None before the first; mark_wh: the register then, for the
    journal; over_since: since when the forecast is above the contract.
    """

    trail: tuple[tuple[float, float], ...]
    measured_from: float
    register_wh: float | None = None
    begun_at: float | None = None
    begun_wh: float = 0.0
    mark_wh: float | None = None
    over_since: float | None = None


class Left(NamedTuple):
    """What a window leaves: mean power allowed from now on in W, energy so far and by its end at the present load.

    sure: all of it was measured.
    """

    allowed_w: float
    used_wh: float
    forecast_wh: float
    sure: bool


def start(at: float) -> Window:
    """A window of which nothing is known."""
    return Window(((at, 0.0),), at)


def resume(rule: DemandWindow, ends_at: float, mark_wh: float, at: float) -> Window:
    """A window after a restart: `mark_wh` was the register when the window that ends at `ends_at` began.

    An end that lies a whole window ahead belongs to a boot of which nobody knows how long ago it was.
    """
    begun_at = ends_at - rule.window_s
    if begun_at > at - 1.0:
        begun_at = at - rule.window_s
    return Window(((begun_at, 0.0),), begun_at, register_wh=mark_wh)


def count(window: Window, reading: MeterReading, nominal_v: float, worst_w: Callable[[], float]) -> Window:
    """Add what flowed until a newer reading."""
    since, total = window.trail[-1]
    seconds = reading.sent_at - since
    if seconds <= 0.0:
        return window
    wh = _by_register(window, reading, seconds, worst_w)
    measured_from = window.measured_from
    if wh is None:
        power_w = flow_w(reading, nominal_v)
        wh = power_w * seconds / 3600.0 if power_w is not None and seconds <= GAP_S else None
    if wh is None:
        wh, measured_from = worst_w() * seconds / 3600.0, reading.sent_at
    trail = window.trail
    if seconds > GAP_S:
        began = reading.sent_at - wh * 3600.0 / max(worst_w(), 1.0)
        trail = (*trail, (max(began, since), total))
    register = None if reading.energy_wh is None else float(reading.energy_wh)
    trail = (*trail, (reading.sent_at, total + wh))
    return replace(window, trail=trail, measured_from=measured_from, register_wh=register)


def _by_register(window: Window, reading: MeterReading, seconds: float, worst_w: Callable[[], float]) -> float | None:
    """Difference of registers, None where it goes back or beyond what the fuses could have carried (B22)."""
    if reading.energy_wh is None or window.register_wh is None:
        return None
    wh = reading.energy_wh - window.register_wh
    if not wh >= 0.0 or (wh > _COARSE_WH and wh > 1.2 * worst_w() * seconds / 3600.0 + _COARSE_WH):
        return None
    return wh


def flow_w(reading: MeterReading, nominal_v: float) -> float | None:
    """Import by a reading in W, from currents at nominal voltage where the meter shows no power."""
    if reading.power_w is not None:
        return max(0.0, reading.power_w)
    return None if reading.current_a is None else max(0.0, sum(reading.current_a) * nominal_v)


def thin(window: Window, rule: DemandWindow, at: float) -> Window:
    """Keep one sample in each sixtieth of the window, and one at or before its reach."""
    trail = window.trail
    if len(trail) >= 3 and trail[-1][0] - trail[-3][0] < rule.window_s / _SAMPLES:
        trail = (*trail[:-2], trail[-1])
    while len(trail) >= 2 and trail[1][0] <= at - rule.window_s:
        trail = trail[1:]
    return window if trail is window.trail else replace(window, trail=trail)


def total_wh(window: Window, at: float, tail_w: float, worst_w: Callable[[], float]) -> float:
    """Where the line of energy stands at an instant: between samples straight, after the newest with `tail_w`.

    Before the oldest the worst is counted.
    """
    trail = window.trail
    newest, total = trail[-1]
    if at >= newest:
        return total + tail_w * (at - newest) / 3600.0
    first, least = trail[0]
    if at <= first:
        return least - worst_w() * (first - at) / 3600.0
    for (t1, c1), (t2, c2) in pairwise(trail):
        if at < t2:
            return c1 + (c2 - c1) * (at - t1) / (t2 - t1)
    return total


def turn_over(window: Window, begin: float, tail_w: float, worst_w: Callable[[], float]) -> tuple[Window, float | None]:
    """The window that began at `begin`, and the energy of the one that it follows, None where it follows none.

    It goes over only when the meter has answered since: until then nobody knows how much belongs to which.
    """
    if window.trail[-1][0] < begin or (window.begun_at is not None and abs(window.begun_at - begin) <= SLIP_S):
        return window, None
    at_begin = total_wh(window, begin, tail_w, worst_w)
    register = window.register_wh
    mark = None if register is None else register - (window.trail[-1][1] - at_begin)
    closed = None if window.begun_at is None or begin <= window.begun_at else at_begin - window.begun_wh
    return replace(window, begun_at=begin, begun_wh=at_begin, mark_wh=mark), closed


def left_aligned(
    rule: DemandWindow, window: Window, at: float, tail_w: float, worst_w: Callable[[], float], load_w: float
) -> Left:
    """What the running window leaves."""
    begun = at if window.begun_at is None else window.begun_at
    used = total_wh(window, at, tail_w, worst_w) - window.begun_wh
    rest_s = max(0.0, begun + rule.window_s - at)
    budget = rule.demand_w * (1.0 - rule.margin) * rule.window_s / 3600.0
    allowed_w = max(0.0, budget - used) * 3600.0 / max(LEAST_LEFT_S, rest_s)
    return Left(allowed_w, used, used + load_w * rest_s / 3600.0, window.measured_from <= begun + SLIP_S)


def left_sliding(
    rule: DemandWindow, window: Window, at: float, tail_w: float, worst_w: Callable[[], float], load_w: float
) -> Left:
    """What any window leaves that ends within the next minute, and never more than the contract itself."""
    reach = at + LEAST_LEFT_S - rule.window_s
    used = total_wh(window, at, tail_w, worst_w) - total_wh(window, reach, tail_w, worst_w)
    demand_w = rule.demand_w * (1.0 - rule.margin)
    rest_wh = max(0.0, demand_w * rule.window_s / 3600.0 - used)
    allowed_w = min(demand_w, rest_wh * 3600.0 / LEAST_LEFT_S)
    forecast = used + load_w * LEAST_LEFT_S / 3600.0
    return Left(allowed_w, used, forecast, window.measured_from <= reach)
