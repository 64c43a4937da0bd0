"""What `siteward check` proves first: every fuse holds without a controller and when the mains return (R3)."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.control.routes import NodeKind
from siteward.control.tree import EPS, Node, Tree, overload, tree_of
from siteward.model.ids import FeederId
from siteward.model.site import Site
from siteward.model.units import Phase


class Proof(StrEnum):
    """Which of the two promises does not hold."""

    CONTROLLER_DEAD = "controller_dead"
    MAINS_RETURN = "mains_return"


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One promise that one feeder cannot keep on one phase: load_a > allowed_a; proposal says what to do.

    neutral: its neutral conductor cannot keep it, loaded by one-phase cars on that phase alone.
    """

    feeder: FeederId
    phase: Phase
    proof: Proof
    load_a: float
    allowed_a: float
    proposal: str
    neutral: bool = False

    @property
    def missing_a(self) -> float:
        """Amperes that are missing."""
        return round(self.load_a - self.allowed_a, 3)


def prove(site: Site) -> tuple[Shortfall, ...]:
    """List every feeder and phase that would not be safe; empty = the site may run.

    Controller dead for ever: sum rest_a + worst base <= rating (I4). Mains return with everybody restarting at once:
    sum boot_a + worst base <= k(hold_s + 7) * rating, where a charger whose own hold time is unknown counts for ever.
    """
    tree = tree_of(site)
    found: list[Shortfall] = []
    for node in tree.nodes:
        if node.kind is NodeKind.IMBALANCE:
            continue
        for phase in Phase:
            found.extend(_judge(tree, node, phase))
    return tuple(found)


def _judge(tree: Tree, node: Node, phase: Phase) -> list[Shortfall]:
    cell = node.cells[phase.position]
    below = [tree.outlets[i] for i in node.below if phase.position in tree.outlets[i].wired]
    if not below:
        return []
    rating, worst = tree.rating[cell], tree.worst[cell]
    found = []
    rest = sum(o.rest_a for o in below) + worst
    if rest > rating + EPS:
        biggest = max(below, key=lambda o: (o.rest_a, o.id))
        found.append(_short(node, phase, Proof.CONTROLLER_DEAD, rest, rating, _for_rest(rest - rating, biggest.id)))
    holds = [o.connector.facts.boot.hold_s for o in below]
    known = [h for h in holds if h is not None]
    factor = overload(max(known) + 7.0) if len(known) == len(holds) else 1.0
    boot = sum(o.boot_a for o in below) + worst
    if boot > factor * rating + EPS:
        short = boot - factor * rating
        found.append(_short(node, phase, Proof.MAINS_RETURN, boot, factor * rating, _for_boot(short)))
    return found


def _short(node: Node, phase: Phase, proof: Proof, load: float, allowed: float, proposal: str) -> Shortfall:
    return Shortfall(node.id, phase, proof, round(load, 3), round(allowed, 3), proposal, node.kind is NodeKind.NEUTRAL)


def _for_rest(missing: float, biggest: str) -> str:
    return (
        f"{missing:.1f} A too much when the controller is dead: let the lowest priorities stop as their fail-safe, "
        f"lower fail-safe currents (the largest is {biggest}), or put a group behind a contactor with its own watchdog"
    )


def _for_boot(missing: float) -> str:
    return (
        f"{missing:.1f} A too much when the mains return and every charger restarts: set the chargers' hardware switch "
        "lower (hardware_max_a), delay the supply of a group, or put it behind a contactor"
    )
