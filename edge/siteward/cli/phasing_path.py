"""The judgement of one connector from all meters above it and beside it: the charger, a meter, or the file; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from siteward.cli.phasing_judge import LEAST_STEP_A, Outcome, Own, Verdict, Wiring, judge_meter, own_by_meters, saw
from siteward.cli.phasing_measure import Plateau, Step, measure
from siteward.model.units import FLOOR_A


class Untested(StrEnum):
    """Why a connector could not be tested: nothing is said about its wiring."""

    OFFLINE = "offline"
    NO_CAR = "no_car"
    NO_METER = "no_meter"
    LIMITED = "limited"
    TOO_LITTLE = "too_little"
    NOT_FOLLOWED = "not_followed"
    UNSTEADY = "unsteady"


@dataclass(frozen=True, slots=True)
class Place:
    """A connector in the fuse tree; `path`: the feeders above it that have a meter, nearest first.

    floor_a is the least that its charger can be set to without a pause.
    """

    connector: str
    wiring: Wiring
    path: tuple[str, ...]
    floor_a: float = FLOOR_A


@dataclass(frozen=True, slots=True)
class Heard:
    """What one source of readings said on each plateau: a meter its currents and power, a charger its currents."""

    amps: Sequence[Plateau]
    watts: Sequence[Plateau] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """The word of one feeder's meter, and by how much its currents fell."""

    feeder: str
    verdict: Verdict
    fall_a: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The result at a connector; `put` is the wiring map that all of its meters want in the file, None = no change."""

    connector: str
    untested: Untested | None = None
    rows: tuple[Row, ...] = ()
    put: Wiring | None = None
    step_a: tuple[float, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether something must be changed at the site."""
        return any(row.verdict.outcome.wrong for row in self.rows)

    @property
    def told(self) -> bool:
        """Whether every meter said something about the wiring."""
        return self.untested is None and all(row.verdict.outcome.told for row in self.rows)


def judge_path(
    place: Place, charger: Sequence[Plateau], meters: Mapping[str, Heard], most_a: float, volts: float
) -> Report:
    """What the meters say about the wiring of a connector.

    `charger`: its own currents by its own phases, empty where it does not measure; `meters` by feeder, all of the site;
    `most_a`: how far its limit was moved; `volts` of a phase.
    """
    steps = {feeder: step for feeder, heard in meters.items() if (step := measure(heard.amps)) is not None}
    own = _own(place, charger, tuple(steps.values()), most_a)
    if own is None or own.size_a < LEAST_STEP_A:
        return Report(place.connector, Untested.NOT_FOLLOWED)
    rows = [_row(place, own, feeder, steps.get(feeder), meters[feeder], volts) for feeder in place.path]
    rows += [
        Row(feeder, Verdict(Outcome.ELSEWHERE), step.fall)
        for feeder, step in steps.items()
        if feeder not in place.path and saw(own, step)
    ]
    return _conclude(place, tuple(rows), own)


def _own(place: Place, charger: Sequence[Plateau], steps: Sequence[Step], most_a: float) -> Own | None:
    phases = len(place.wiring)
    if not charger:
        return own_by_meters(steps, phases, most_a)
    step = measure([[look[:phases] for look in plateau] for plateau in charger])
    return None if step is None else Own(step.fall, max(step.doubt))


def _row(place: Place, own: Own, feeder: str, step: Step | None, heard: Heard, volts: float) -> Row:
    if step is None:
        return Row(feeder, Verdict(Outcome.SILENT))
    return Row(feeder, judge_meter(own, place.wiring, step, measure(heard.watts), volts), step.fall)


def _conclude(place: Place, rows: tuple[Row, ...], own: Own) -> Report:
    """Where one meter sees the map of the file, another that does not has its transformers in another order."""
    right = any(row.verdict.wiring == place.wiring and _proves(row.verdict) for row in rows)
    others = {row.verdict.wiring for row in rows if _proves(row.verdict)} - {place.wiring}
    put = next(iter(others)) if len(others) == 1 and not right else None
    if right or len(others) > 1:
        rows = tuple(_reordered(row) if row.verdict.outcome is Outcome.OTHER_PHASE else row for row in rows)
    return Report(place.connector, rows=rows, put=put, step_a=own.fall_a)


def _proves(verdict: Verdict) -> bool:
    """Whether its map is more than the file's for want of a reason against it."""
    return verdict.shown > 0 or verdict.outcome in (Outcome.FITS, Outcome.OTHER_PHASE)


def _reordered(row: Row) -> Row:
    return replace(row, verdict=replace(row.verdict, outcome=Outcome.CT_ORDER))
