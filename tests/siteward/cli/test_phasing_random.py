"""The step test against random wiring, signs and other load: faults 33 and 34; a verdict may be noise, never untrue."""

from collections.abc import Sequence
from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.cli.phasing_judge import Outcome, Own, Wiring, judge_meter, saw
from siteward.cli.phasing_measure import measure
from siteward.model.units import PerPhase, Phase

FILE: Wiring = tuple(Phase)
VOLTS = 230.0


def own(*fall: float) -> Own:
    """A charger whose currents fell so far."""
    return Own(fall, 0.1)


Plateaus = list[list[tuple[float, ...]]]
LOOKS, STEPS = 6, 5


@st.composite
def moving(draw: st.DrawFn) -> list[tuple[float, ...]]:
    """Other load on three phases over a whole test: jitter, creep, and one load switched once or on and off once."""
    looks = LOOKS * STEPS
    jitter = draw(st.floats(0.0, 0.3))
    noise = Random(draw(st.integers(0, 2**32)))
    creep = draw(st.floats(-0.05, 0.05))
    columns = []
    for _ in range(3):
        size = draw(st.one_of(st.just(0.0), st.floats(-40.0, 40.0)))
        on, off = sorted((draw(st.integers(0, looks)), draw(st.integers(0, 2 * looks))))
        level = draw(st.floats(-20.0, 60.0))
        columns.append(
            [
                level + creep * n + noise.uniform(-jitter, jitter) + (size if on <= n < off else 0.0)
                for n in range(looks)
            ]
        )
    return list(zip(*columns, strict=True))


def plateaus(load: Sequence[tuple[float, ...]], high: PerPhase, low: PerPhase) -> Plateaus:
    """What a meter shows while the current alternates between two values on top of other load."""
    looks = [
        tuple(a + b for a, b in zip(base, low if n // LOOKS % 2 else high, strict=True)) for n, base in enumerate(load)
    ]
    return [looks[LOOKS * n : LOOKS * (n + 1)] for n in range(STEPS)]


def carried(wiring: Wiring, amps: Sequence[float], signs: PerPhase) -> PerPhase:
    """What the meter's phases see of a charger's."""
    on = [0.0, 0.0, 0.0]
    for a, phase in zip(amps, wiring, strict=True):
        on[phase.position] = a * signs[phase.position]
    return on[0], on[1], on[2]


MAPS = list(permutations(Phase))
SIGN = st.sampled_from([1.0, 1.0, -1.0])


@settings(max_examples=400, deadline=None)
@given(
    truth=st.sampled_from(MAPS),
    file=st.sampled_from(MAPS),
    signs=st.tuples(SIGN, SIGN, SIGN),
    used=st.integers(1, 3),
    high=st.floats(10.5, 32.0),
    load=moving(),
)
def test_whatever_is_wired_is_found_or_called_noisy(
    truth: Wiring, file: Wiring, signs: PerPhase, used: int, high: float, load: list[tuple[float, ...]]
) -> None:
    """Faults 33 and 34: no rotation, sign and other load ever leads to a verdict that is not true."""
    tops, floors = [high] * used + [0.0] * (3 - used), [6.0] * used + [0.0] * (3 - used)
    meter = plateaus(load, carried(truth, tops, signs), carried(truth, floors, signs))
    step = measure(meter)
    assert step is not None
    verdict = judge_meter(Own(tuple(a - b for a, b in zip(tops, floors, strict=True)), 0.0), file, step, None, VOLTS)
    if verdict.outcome is Outcome.NOISY:
        return
    there = set(truth[:used])
    turned = tuple(phase for phase in Phase if phase in there and signs[phase.position] < 0)
    assert verdict.phases == turned
    assert (verdict.outcome is Outcome.REVERSED) == bool(turned)
    assert set(verdict.wiring[:used]) == there
    assert verdict.wiring[: verdict.shown] == truth[: verdict.shown]
    if not turned:
        assert (verdict.outcome is Outcome.FITS) == (set(file[:used]) == there)


@settings(max_examples=100, deadline=None)
@given(high=st.floats(10.5, 32.0), used=st.integers(1, 3), load=moving())
def test_a_meter_that_does_not_see_the_step_is_never_said_to(
    high: float, used: int, load: list[tuple[float, ...]]
) -> None:
    """Fault 33: other load alone is no step."""
    step = measure(plateaus(load, (0.0,) * 3, (0.0,) * 3))
    assert step is not None
    charger = own(*[high - 6.0] * used, *[0.0] * (3 - used))
    assert judge_meter(charger, FILE, step, None, VOLTS).outcome in (Outcome.NOT_SEEN, Outcome.NOISY)
    assert not saw(charger, step)


def test_a_quiet_site_is_never_called_noisy() -> None:
    """Faults 33 and 34: the property above must not hold because everything is noise."""
    quiet = [(30.0, 31.0, 32.0)] * (LOOKS * STEPS)
    for truth in MAPS:
        step = measure(
            plateaus(quiet, carried(truth, (10.0, 0.0, 0.0), (1,) * 3), carried(truth, (6.0, 0, 0), (1,) * 3))
        )
        assert step is not None
        verdict = judge_meter(own(4.0, 0.0, 0.0), FILE, step, None, VOLTS)
        assert verdict.outcome is (Outcome.FITS if truth[0] is Phase.L1 else Outcome.OTHER_PHASE)
        assert verdict.wiring[0] is truth[0]
