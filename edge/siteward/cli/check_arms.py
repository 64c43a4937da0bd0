"""What `check` says of barriers and parking locks: how soon each stops for what comes into its way (I11, I12)."""

from typing import Any

from siteward.cli.paint import Grid
from siteward_drivers.arm_timing import BOUND_S, ArmPlan

_COLUMNS = ("barrier or lock", "wires", "stops in ms", "frees way in ms", "worst stop in ms")
_OWN = "the computer's own lines"


def grid(plans: tuple[ArmPlan, ...]) -> list[Grid]:
    """A table of all arms, nothing for a site without any."""
    rows = [
        (plan.arm, ", ".join(plan.lines) or _OWN, _ms(plan.stop_s), _ms(plan.free_s), _ms(plan.worst_s))
        for plan in plans
    ]
    return [Grid("barriers and parking locks", _COLUMNS, rows, frozenset(_COLUMNS[2:]))] if rows else []


def refusals(plans: tuple[ArmPlan, ...]) -> list[str]:
    """One sentence for each arm that would go on too long although everything answers."""
    return [
        f"{plan.arm} would go on for up to {_ms(plan.stop_s)} ms after something came into its way, more than "
        f"{_ms(BOUND_S)} ms; raise the speed of {' and '.join(plan.lines)}, give its boards a wire of their own, or "
        "wire it to the computer's own lines"
        for plan in plans
        if plan.too_late
    ]


def notes(plans: tuple[ArmPlan, ...]) -> list[str]:
    """What a site may live with, but somebody should know."""
    found = []
    for plan in plans:
        if plan.too_late:
            continue
        if plan.free_s > BOUND_S:
            found.append(
                f"{plan.arm} stops within {_ms(plan.stop_s)} ms of what comes into its way, but begins to free it only "
                f"after up to {_ms(plan.free_s)} ms; a faster wire or a board with a shorter pause shortens that"
            )
        if plan.worst_s > BOUND_S:
            wires = " and ".join(plan.lines)
            found.append(
                f"{plan.arm} needs up to {_ms(plan.worst_s)} ms to stop on the worst day of {wires}: "
                "another device silent, its chargers cut and its other arms turned round at once; a wire of its own "
                "has no such day"
            )
    return found


def report(plans: tuple[ArmPlan, ...]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "id": plan.arm,
            "lines": list(plan.lines),
            "stop_s": round(plan.stop_s, 3),
            "free_s": round(plan.free_s, 3),
            "worstStop_s": round(plan.worst_s, 3),
        }
        for plan in plans
    ]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f}"
