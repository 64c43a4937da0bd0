"""A switch between one and three phases on a bench laid out by hand: one car, one turn, what was told of it."""

from __future__ import annotations

from dataclasses import replace

from siteward.control.memory import Watch
from siteward.control.phases import switch_phases
from siteward.control.phasing import AS_BUILT, ONE, THREE, Stage
from siteward.control.work import Work
from siteward.model.readings import ChargerReading
from tests.siteward.control.bench import AT, demand, lay, told, watch
from tests.siteward.control.sites import Box

READ_AT = AT - 0.4
SWITCHES = Box(phase_switching=True, fs_a=0.0, boot_a=0.0)
ON, OFF = (16.0, 16.0, 16.0), (0.0, 0.0, 0.0)
FIRST_ONLY = (16.0, 0.0, 0.0)


def car(
    stage: Stage = Stage.IDLE,
    closed: int | None = THREE,
    conf_a: float | None = 0.0,
    measured: tuple[float, float, float] | None = OFF,
    seen: dict[str, object] | None = None,
    **phasing: object,
) -> Watch:
    """A car at a box that shows so many phases closed, while its switch stands at a stage."""
    more: dict[str, object] = {"measured_a": measured, "drawing": measured is not None and max(measured) > 1.0}
    found = watch(conf_a, **(more | (seen or {})))
    held = Stage.PAUSE <= stage <= Stage.SWITCH
    known: dict[str, object] = {"stage": stage, "held": held, "since": AT - 5.0, "goal": ONE}
    found.phasing = AS_BUILT._replace(**(known | phasing))
    found.reading = ChargerReading(lay().tree.outlets[0].id, found.read_at, phases_closed=closed)
    return found


def turn(seen: Watch, said: dict[str, object] | None = None, work: Work | None = None) -> Work:
    """One turn of it; the session allows switching unless said."""
    if work is None:
        work = lay([seen], [SWITCHES], demands=[replace(demand(), **({"may_switch": True} | (said or {})))])  # type: ignore[arg-type]
    switch_phases(work)
    return work


def step(work: Work) -> dict[str, object] | None:
    """The step that was told, if one was."""
    found = told(work.facts)
    assert all(kind == "connector.phases" for kind, _ in found)
    return found[0][1] if found else None


def went(seen: Watch, said: dict[str, object] | None = None) -> str | None:
    """The name of the step of one turn."""
    found = step(turn(seen, said))
    return None if found is None else str(found["step"])


def moved(seen: Watch) -> tuple[Stage, bool, float]:
    """Where it stands after that."""
    return seen.phasing.stage, seen.phasing.held, seen.phasing.since
