"""What happens by itself in a simulated site: base load that moves and cars that come and go, all from one seed."""

from collections.abc import Callable
from random import Random

from siteward.model.ids import ConnectorId, FeederId
from siteward.model.site import Site
from siteward.model.units import ZERO, PerPhase, add
from siteward_drivers.sim.car import Car
from siteward_drivers.sim.chance import stream
from siteward_drivers.sim.scenario import ArrivalPlan, BaseLoadPlan, Span
from siteward_drivers.sim.world import World

MayPark = Callable[[ConnectorId], bool]
"""Whether a car can drive into the bay of a connector now."""


def base_budget(site: Site) -> dict[FeederId, PerPhase]:
    """Most other load that may hang on each node itself, so that no node exceeds its worst base load (R18)."""
    total: dict[FeederId, PerPhase] = {}
    own: dict[FeederId, PerPhase] = {}
    for feeder in site.feeders:
        # Parents come first: a child may have been scaled down by what its parent still has.
        allowed = total.setdefault(feeder.id, feeder.worst_base_load_a)
        children = [f for f in site.feeders if f.parent == feeder.id]
        asked = ZERO
        for child in children:
            asked = add(asked, child.worst_base_load_a)
        share = [min(1.0, have / want) if want > 0 else 1.0 for have, want in zip(allowed, asked, strict=True)]
        for child in children:
            worst = child.worst_base_load_a
            total[child.id] = (worst[0] * share[0], worst[1] * share[1], worst[2] * share[2])
        left = [max(0.0, have - want) for have, want in zip(allowed, asked, strict=True)]
        own[feeder.id] = (left[0], left[1], left[2])
    return own


class BaseLoad:
    """Moves the base load of every node in steps, each phase by itself, within its budget."""

    def __init__(self, world: World, plan: BaseLoadPlan, seed: int) -> None:
        self._world = world
        self._plan = plan
        self._budget = base_budget(world.site)
        self._held: set[FeederId] = set()
        for feeder, budget in self._budget.items():
            if max(budget) > 0.0:
                self._step(feeder, stream(seed, f"base:{feeder}"))

    def hold(self, feeder: FeederId) -> None:
        """Leave a node alone from now on: somebody sets its load by hand."""
        self._held.add(feeder)

    def release(self, feeder: FeederId) -> None:
        """Let a node move by itself again, from its next step on."""
        self._held.discard(feeder)

    def _step(self, feeder: FeederId, random: Random) -> None:
        budget = self._budget[feeder]
        low, high = self._plan.share
        shares = [random.uniform(low, high) for _ in range(3)]
        if feeder not in self._held:
            load = (budget[0] * shares[0], budget[1] * shares[1], budget[2] * shares[2])
            self._world.set_base(feeder, load)
        wait = random.expovariate(1.0 / self._plan.step_s)
        self._world.at(self._world.now + max(0.5, wait), lambda: self._step(feeder, random))


class Arrivals:
    """Cars come to free outlets whose bay `may_park` lets them in, and leave when full or when their time is over."""

    def __init__(self, world: World, plan: ArrivalPlan, seed: int, may_park: MayPark | None = None) -> None:
        for connector in world.outlets:
            random = stream(seed, f"cars:{connector}")
            visits = _Visits(world, plan, connector, random, may_park or _always)
            world.at(world.now + _draw(random, plan.first_s), visits)


def _always(_: ConnectorId) -> bool:
    return True


class _Visits:
    """One outlet's stream of cars: called when the next one arrives, looks in until it has left."""

    _LOOK_S = 5.0

    def __init__(
        self, world: World, plan: ArrivalPlan, connector: ConnectorId, random: Random, may_park: MayPark
    ) -> None:
        self._world, self._plan, self._connector, self._may_park = world, plan, connector, may_park
        self._random, self._number = random, 1
        self._car: Car | None = None
        self._leaves_at = 0.0

    def __call__(self) -> None:
        random, world, plan = self._random, self._world, self._plan
        if world.outlets[self._connector].car is not None or not self._may_park(self._connector):
            world.at(world.now + _draw(random, plan.free_s), self)
            return
        low, high = plan.soc
        self._car = Car(
            name=f"{self._connector}-car-{self._number}",
            capacity_wh=_draw(random, plan.capacity_kwh) * 1000.0,
            soc=random.uniform(low, high),
            phases=random.choice(plan.phases),
            max_a=random.choice(plan.max_a),
            react_s=_draw(random, plan.react_s),
        )
        self._number += 1
        self._leaves_at = world.now + _draw(random, plan.stay_s)
        world.plug(self._connector, self._car)
        world.at(world.now + self._LOOK_S, self._look)

    def _look(self) -> None:
        world = self._world
        if world.outlets[self._connector].car is not self._car or self._car is None:
            # Somebody took the car away by hand: the next one comes in its time.
            world.at(world.now + _draw(self._random, self._plan.free_s), self)
            return
        if self._car.full:
            self._leaves_at = min(self._leaves_at, world.now + _draw(self._random, self._plan.linger_s))
            world.at(max(self._leaves_at, world.now), self._leave)
        elif world.now >= self._leaves_at:
            self._leave()
        else:
            world.at(min(self._leaves_at, world.now + self._LOOK_S), self._look)

    def _leave(self) -> None:
        world = self._world
        if world.outlets[self._connector].car is self._car:
            world.unplug(self._connector)
        world.at(world.now + _draw(self._random, self._plan.free_s), self)


def _draw(random: Random, span: Span) -> float:
    return random.uniform(*span)
