"""What an outlet loads besides its fuses: neutral conductors and the imbalance of phases, as cells like those (B13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from siteward.model.limits import Cause
from siteward.model.site import Connector, Site


class NodeKind(StrEnum):
    """What a node of the tree stands for: a fuse, its neutral conductor, or the imbalance of its phases (B13)."""

    FUSE = "fuse"
    NEUTRAL = "neutral"
    IMBALANCE = "imbalance"


LINE_CAUSE = {
    NodeKind.FUSE: Cause.FUSE,
    NodeKind.NEUTRAL: Cause.NEUTRAL,
    NodeKind.IMBALANCE: Cause.IMBALANCE,
}
"""Why a connector has no more where this kind of node is the tightest."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """What an outlet loads: nodes, their cells by charger phase, and by bit mask of its phases.

    lends are the cells that it does not load now and would load if its car dropped a phase.
    """

    path: tuple[int, ...]
    by_phase: tuple[tuple[int, ...], ...]
    cells: tuple[tuple[int, ...], ...]
    lends: tuple[int, ...] = ()


EVEN, UNKNOWN, UNEVEN = 0, 1, 2
"""Position in Outlet.routes: all phases alike, not known, and from UNEVEN on by the mask of phases that draw."""


Bounds = Sequence[tuple[int, NodeKind]]
"""Feeder and kind of every bound of a site."""


def bounds_of(site: Site) -> Bounds:
    """Feeder and kind of every bound besides the fuses, in the order of the feeders."""
    found: list[tuple[int, NodeKind]] = []
    for i, feeder in enumerate(site.feeders):
        if feeder.neutral_a is not None:
            found.append((i, NodeKind.NEUTRAL))
        if feeder.imbalance_a is not None:
            found.append((i, NodeKind.IMBALANCE))
    return found


def route(path: tuple[int, ...], by_phase: Sequence[tuple[int, ...]], lends: tuple[int, ...] = ()) -> Route:
    """A route from its cells by charger phase."""
    masks = range(1 << len(by_phase))
    cells = (tuple(x for i, own in enumerate(by_phase) if mask >> i & 1 for x in own) for mask in masks)
    return Route(path, tuple(by_phase), tuple(cells), lends)


def routes_of(
    c: Connector, narrow: Route, wired: tuple[int, ...], bounds: Sequence[tuple[int, NodeKind]], site: Site
) -> tuple[Route, ...]:
    """What it loads by what is known of its car; a rectifier loads all its phases alike, whatever the car."""
    if not bounds or (c.facts.power is not None and c.facts.power.balanced and len(wired) == 3):
        return (narrow,)
    first = len(site.feeders)
    neutral = [first + k for k, kind in bounds if kind is NodeKind.NEUTRAL]
    spread = [first + k for k, kind in bounds if kind is NodeKind.IMBALANCE]
    unknown = route(
        (*narrow.path, *neutral),
        [(*own, *(n * 3 + p for n in neutral)) for own, p in zip(narrow.by_phase, wired, strict=True)],
    )
    uneven = [
        route(
            (*unknown.path, *spread),
            [
                (*own, *(n * 3 + p for n in spread)) if mask >> i & 1 else own
                for i, (own, p) in enumerate(zip(unknown.by_phase, wired, strict=True))
            ],
        )
        for mask in range(1 << len(wired))
    ]
    lends = tuple(n * 3 + p for n in neutral for p in wired)
    return (route(narrow.path, narrow.by_phase, lends), unknown, *uneven)
