"""The judgement of a step test: what a feeder's meter saw of a step at a connector, against the wiring map; pure.

A phase of the meter is one of three: it saw the step, it saw it with the wrong sign, or it saw nothing. These lie so
far apart that noise which could carry one into another is called noise (faults 33 and 34).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations, product

from siteward.cli.phasing_measure import Step
from siteward.model.units import PerPhase, Phase

LEAST_STEP_A = 4.0
"""Below this the noise of a site and the error of a charger's own current hide the step."""

TOLERANCE_A, TOLERANCE = 1.0, 0.15
"""What meter and charger may differ by: the larger of an absolute part and a part of the step."""

CLEAR = 0.4
"""Largest doubt, as a part of the step, with which seen and not seen are still told apart."""

OFF_SIZE = 0.25
"""A step seen larger or smaller by more than this is none of a good meter: its transformer ratio is wrong."""

Wiring = tuple[Phase, ...]
"""The feeder phase that each of the charger's phases is wired to, as `Connector.wiring`."""


class Outcome(StrEnum):
    """What a feeder's meter says about a step below it, or not below it."""

    FITS = "fits"
    OTHER_PHASE = "other_phase"
    REVERSED = "reversed_ct"
    PHASE_MISSING = "phase_missing"
    WRONG_SIZE = "wrong_size"
    NOT_SEEN = "not_seen"
    ELSEWHERE = "seen_elsewhere"
    CT_ORDER = "ct_order"
    NOISY = "noisy"
    SILENT = "no_reading"

    @property
    def wrong(self) -> bool:
        """Whether something has to be done with a screwdriver or in the site file."""
        return self.told and self is not Outcome.FITS

    @property
    def told(self) -> bool:
        """Whether it says anything about the wiring."""
        return self not in (Outcome.NOISY, Outcome.SILENT)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A meter's word. `wiring`: the map that would fit it; `shown`: how many of the charger's phases that map is proven

    for, counted from its first one (a load on all three phases alike proves none); `phases`: the meter's phases that
    the outcome is about, empty where they are not known; `ratio`: size seen over size stepped.
    """

    outcome: Outcome
    wiring: Wiring = ()
    shown: int = 0
    phases: Wiring = ()
    ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Own:
    """The step at the connector by the charger's own phases, A; `sized` False where nobody but the meter tells it."""

    fall_a: tuple[float, ...]
    doubt_a: float
    sized: bool = True

    @property
    def size_a(self) -> float:
        """The largest step on any phase."""
        return max(self.fall_a)


@dataclass(frozen=True, slots=True)
class _Guess:
    """One way the site may be wired: a map, and for each phase of the meter its sign (0: that phase is blind)."""

    wiring: Wiring
    signs: tuple[int, int, int]
    sees: PerPhase
    oddity: tuple[int, bool, bool]


def judge_meter(own: Own, wiring: Wiring, seen: Step, power: Step | None, volts: float) -> Verdict:
    """What a meter that should have seen the step says.

    `power` in W tells a reversed transformer where the meter shows currents without sign; None where it has none.
    """
    fall = (seen.fall[0], seen.fall[1], seen.fall[2])
    slack = tuple(max(TOLERANCE_A, TOLERANCE * own.size_a) + doubt + own.doubt_a for doubt in seen.doubt)
    clear = CLEAR * _smallest(own)
    if max(slack) > clear:
        return Verdict(Outcome.NOISY)
    if all(abs(a) <= s for a, s in zip(fall, slack, strict=True)):
        return Verdict(Outcome.NOT_SEEN)
    fitting = [guess for guess in _guesses(own, wiring) if _close(guess.sees, fall, slack, 1.0)]
    if not fitting:
        return _other_size(own, wiring, fall, slack)
    best = min(fitting, key=lambda guess: guess.oddity)
    verdict = _verdict(best, [guess for guess in fitting if guess.oddity[0] == best.oddity[0]], wiring)
    if verdict.outcome in (Outcome.FITS, Outcome.OTHER_PHASE) and power is not None:
        return _by_power(verdict, fall, power, volts, clear)
    return verdict


def saw(own: Own, seen: Step) -> bool:
    """Whether a meter that is not on the connector's path clearly saw the step, whatever its phases and signs."""
    slack = [max(TOLERANCE_A, TOLERANCE * own.size_a) + doubt + own.doubt_a for doubt in seen.doubt]
    if max(slack) > CLEAR * _smallest(own):
        return False
    return any(abs(abs(a) - own.size_a) <= s for a, s in zip(seen.fall, slack, strict=True))


def own_by_meters(steps: Sequence[Step], phases: int, most_a: float) -> Own | None:
    """The step at a connector whose charger does not measure, by the meter that saw most; None where none is clear.

    `phases` are wired, and `most_a` is how far its limit was moved: more than that is not its doing.
    """
    if not steps:
        return None
    best = max(steps, key=lambda step: max(abs(a) for a in step.fall))
    size_a = max(abs(a) for a in best.fall)
    if not LEAST_STEP_A <= size_a <= most_a * (1.0 + TOLERANCE) + TOLERANCE_A or max(best.doubt) > CLEAR * size_a:
        return None
    used = min(sum(abs(a) > size_a / 2.0 for a in best.fall), phases)
    return Own(tuple(size_a if n < used else 0.0 for n in range(phases)), 0.0, sized=False)


def _smallest(own: Own) -> float:
    """The smallest step on a phase that stepped at all."""
    return min(a for a in own.fall_a if a > own.size_a / 2.0)


def _guesses(own: Own, wiring: Wiring) -> Iterator[_Guess]:
    for order in permutations(Phase, len(wiring)):
        carried = [0.0, 0.0, 0.0]
        for amps, phase in zip(own.fall_a, order, strict=True):
            carried[phase.position] += amps if amps > own.size_a / 2.0 else 0.0
        choices = [(1, -1, 0) if amps > 0.0 else (1,) for amps in carried]
        for a, b, c in product(*choices):
            sees = (carried[0] * a, carried[1] * b, carried[2] * c)
            strange = sum(sign != 1 for sign in (a, b, c))
            yield _Guess(order, (a, b, c), sees, (strange, order != wiring, not _turns(order, wiring)))


def _turns(order: Wiring, wiring: Wiring) -> bool:
    """Whether one map is the other turned on, as outlets of a row are wired in turn: the field keeps its sense."""
    shifts = {(a.position - b.position) % 3 for a, b in zip(order, wiring, strict=True)}
    return len(shifts) == 1


def _close(sees: PerPhase, fall: PerPhase, slack: Sequence[float], ratio: float) -> bool:
    return all(abs(a - ratio * b) <= s for a, b, s in zip(fall, sees, slack, strict=True))


def _verdict(best: _Guess, fitting: Sequence[_Guess], wiring: Wiring) -> Verdict:
    shown = 0
    while shown < len(wiring) and len({guess.wiring[shown] for guess in fitting}) == 1:
        shown += 1
    turned = tuple(phase for phase in Phase if best.signs[phase.position] < 0)
    blind = tuple(phase for phase in Phase if best.signs[phase.position] == 0)
    if turned:
        return Verdict(Outcome.REVERSED, best.wiring, shown, turned)
    if blind:
        return Verdict(Outcome.PHASE_MISSING, best.wiring, shown, blind)
    outcome = Outcome.FITS if best.wiring == wiring else Outcome.OTHER_PHASE
    return Verdict(outcome, best.wiring, shown)


def _other_size(own: Own, wiring: Wiring, fall: PerPhase, slack: Sequence[float]) -> Verdict:
    """The pattern in another size is a transformer ratio; no pattern at all is something else that moved."""
    ratio = sum(abs(a) for a in fall) / sum(a for a in own.fall_a if a > own.size_a / 2.0)
    wide = [s * max(1.0, ratio) for s in slack]
    fitting = [g for g in _guesses(own, wiring) if 0 not in g.signs and _close(g.sees, fall, wide, ratio)]
    far = abs(ratio - 1.0) * own.size_a > max(slack) + TOLERANCE_A and abs(ratio - 1.0) > OFF_SIZE
    if not (own.sized and far and fitting):
        return Verdict(Outcome.NOISY)
    best = min(fitting, key=lambda guess: guess.oddity)
    return Verdict(Outcome.WRONG_SIZE, best.wiring, ratio=ratio)


def _by_power(verdict: Verdict, fall: PerPhase, power: Step, volts: float, clear_a: float) -> Verdict:
    """A meter that shows the size of a current only still counts the power of a reversed transformer backwards."""
    moved = [a for a in fall if a > clear_a]
    whole = volts * sum(moved)
    if power.doubt[0] > volts * clear_a:
        return verdict
    backwards = round(len(moved) * (1.0 - power.fall[0] / whole) / 2.0)
    if backwards <= 0:
        return verdict
    known = len(moved) == backwards
    phases = tuple(phase for phase in Phase if known and fall[phase.position] > clear_a)
    return Verdict(Outcome.REVERSED, verdict.wiring, verdict.shown, phases)
