"""Runs the step test through core: limits that end by themselves, and looks at charger and meters in between."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from siteward.cli.act import stamp
from siteward.cli.errors import CommandFailed
from siteward.cli.phasing_judge import LEAST_STEP_A
from siteward.cli.phasing_measure import Look
from siteward.cli.phasing_path import Heard, Place, Report, Untested, judge_path
from siteward.client.messages import ConnectorMessage, LiveMessage, ReplyMessage, RequestMessage
from siteward.model.limits import Cause, LimitSource
from siteward.model.readings import Pilot
from siteward.model.requests import CommandName, Stage
from siteward.model.units import FLOOR_A, Phase

VALID_S = 150.0
"""A limit of the test ends by itself after so long, whatever becomes of this terminal."""

RELEASE_S = 3.0
"""A limit is released by one that ends at once: longer than the age of the live view that its end counts from."""

RELEASE_WAIT_S = 10

MOST_WAIT_S = 110
"""Longest wait for a plateau: a raise waits up to 30 s for quiet, ramps, and a slow car follows late."""

LAG_S, LOOKS = 5, 8
"""After the charger stands still a meter gets so many seconds to show it; then so many looks, one a second."""

FOLLOW_S = 20
"""Seconds until a car has followed and was read, where it does not show that; core stops those that are later."""

STEADY_A, STEADY_LOOKS = 0.6, 4
NEAR_A, ARRIVED_A = 0.6, 1.0
FRESH_S = 5.0

STEPS = 5
"""Plateaus: high, low, high, low, high."""

_IDLE = frozenset({Pilot.A.value, Pilot.B.value, Pilot.E.value, Pilot.F.value})

Tell = Callable[[str], None]
"""Says on the terminal what goes on; called about once a second."""


class Core(Protocol):
    """The part of the client of the local API that a step test needs."""

    async def site(self) -> dict[str, Any]:
        """The site document."""
        ...

    async def live(self) -> LiveMessage:
        """The live view of the last turn."""
        ...

    async def submit(self, request: RequestMessage) -> ReplyMessage:
        """Hand in one request."""
        ...


@dataclass(frozen=True, slots=True)
class Plan:
    """What the site file says: connectors in the tree, the meter of each feeder, the voltage of a phase."""

    places: tuple[Place, ...]
    meters: Mapping[str, str]
    volts: float


def read_plan(site: Mapping[str, Any]) -> Plan:
    """From the site document of core."""
    feeders = {feeder["id"]: feeder for feeder in site["feeders"]}
    meters = {name: feeder["meter"] for name, feeder in feeders.items() if feeder["meter"] is not None}
    places = []
    for connector in (c for charger in site["chargers"] for c in charger["connectors"]):
        path, at = [], connector["feeder"]
        while at is not None:
            path.append(at)
            at = feeders[at]["parent"]
        wiring = tuple(Phase(phase) for phase in connector["wiring"])
        floor_a = max(FLOOR_A, float(connector["facts"]["limit"]["min_a"]))
        places.append(Place(connector["id"], wiring, tuple(name for name in path if name in meters), floor_a))
    return Plan(tuple(places), meters, float(site["phase_voltage_v"]))


def why_not(place: Place, live: LiveMessage) -> Untested | None:
    """What stands against a test of a connector now; None when it can be tested."""
    connector = _connector(live, place.connector)
    if not place.path:
        return Untested.NO_METER
    if not connector.online:
        return Untested.OFFLINE
    if connector.session is None or connector.pilot in _IDLE or not connector.grant.confirmed_a:
        return Untested.NO_CAR
    if _limited_here(live, place.connector):
        return Untested.LIMITED
    if connector.grant.confirmed_a - place.floor_a < LEAST_STEP_A:
        return Untested.TOO_LITTLE
    return None


def _connector(live: LiveMessage, name: str) -> ConnectorMessage:
    return next(connector for connector in live.connectors if connector.id == name)


def _limited_here(live: LiveMessage, name: str) -> bool:
    """Whether a limit from a terminal stands there: ours would replace it, and it would be gone after the test."""
    return any(limit.target == name and limit.source == LimitSource.CLI.value for limit in live.limits)


@dataclass(slots=True)
class StepTest:
    """One connector's test. `tell` hears each second what goes on."""

    core: Core
    plan: Plan
    place: Place
    tell: Tell
    _high_a: float = 0.0
    _held: dict[str, float] = field(default_factory=dict)
    _charger: list[list[Look]] = field(default_factory=list)
    _amps: dict[str, list[list[Look]]] = field(default_factory=dict)
    _watts: dict[str, list[list[Look]]] = field(default_factory=dict)

    async def run(self) -> Report:
        """Step the current down and back twice and judge. Raises CommandFailed when core refuses a limit.

        The limits are released in every case: by hand at the end, by the end of their validity otherwise.
        """
        live = await self.core.live()
        reason = why_not(self.place, live)
        if reason is not None:
            return Report(self.place.connector, reason)
        self._high_a = _connector(live, self.place.connector).grant.confirmed_a or 0.0
        self._held = _others(live, self.place.connector)
        try:
            report = await self._step()
        finally:
            await self._limit(self._high_a, RELEASE_S)
        await self._released()
        return report

    async def _step(self) -> Report:
        for number in range(STEPS):
            low = number % 2 == 1
            amps = self.place.floor_a if low else self._high_a
            await self._limit(amps, VALID_S)
            said = f"step {number + 1} of {STEPS}, {amps:g} A"
            if not await self._settle(amps, said):
                return Report(self.place.connector, Untested.NOT_FOLLOWED if low else Untested.UNSTEADY)
            await self._look(said)
        meters = {feeder: Heard(amps, self._watts[feeder]) for feeder, amps in self._amps.items()}
        charger = self._charger if all(self._charger) else []
        return judge_path(self.place, charger, meters, self._high_a - self.place.floor_a, self.plan.volts)

    async def _limit(self, amps: float, valid_s: float) -> None:
        """Bound the connector, and everybody who would take the room that it gives up at what they have."""
        at = (await self.core.live()).at
        for target, limit_a in {**self._held, self.place.connector: amps}.items():
            end = stamp(at + timedelta(seconds=valid_s))
            request = RequestMessage(
                command_id=f"cli-{secrets.token_hex(10)}",
                name=CommandName.LIMIT_POWER.value,
                target=target,
                params={"limit_a": limit_a, "validUntil": end},
                # Where the station's clock is not trusted, the validity is what lies between these two times.
                issued_at=at,
            )
            reply = await self.core.submit(request)
            if Stage(reply.stage) in (Stage.REJECTED, Stage.FAILED, Stage.EXPIRED):
                raise CommandFailed(
                    f"core refuses the limit of the step test at {target}: {reply.message or reply.code}",
                    "what was set already ends by itself within three minutes",
                    reply.code or "",
                )

    async def _released(self) -> None:
        """Wait until nothing of ours stands any more: the next connector would take it for somebody else's limit."""
        for _ in range(RELEASE_WAIT_S):
            await self._second("giving the current back")
            live = await self.core.live()
            if not any(_limited_here(live, name) for name in (*self._held, self.place.connector)):
                return

    async def _settle(self, amps: float, said: str) -> bool:
        """Wait until the limit was read back and what flows stands still; False when it does not come to that."""
        seen: list[Look] = []
        for second in range(MOST_WAIT_S):
            await self._second(f"{said}: waiting for charger and car ({second} s)")
            connector = _connector(await self.core.live(), self.place.connector)
            confirmed = connector.grant.confirmed_a
            if confirmed is None or abs(confirmed - amps) > NEAR_A:
                seen.clear()
                continue
            own = self._own(connector)
            seen.append(own or (0.0,))
            arrived = own is not None and abs(max(own) - self._level(amps)) <= ARRIVED_A
            if _still(seen, STEADY_LOOKS if arrived else FOLLOW_S):
                break
        else:
            return False
        for _ in range(LAG_S):
            await self._second(f"{said}: waiting for the meters")
        return True

    def _level(self, amps: float) -> float:
        """What the car should draw now: at high what it drew before, which may be less than it was granted."""
        first = self._charger[0] if self._charger else []
        return amps if amps == self.place.floor_a or not first else max(first[-1])

    async def _look(self, said: str) -> None:
        """One plateau of readings; an old reading is none."""
        live = await self.core.live()
        self._charger.append([])
        for feeder in self.plan.meters:
            self._amps.setdefault(feeder, []).append([])
            self._watts.setdefault(feeder, []).append([])
        for number in range(LOOKS):
            own = self._own(_connector(live, self.place.connector))
            if own is not None:
                self._charger[-1].append(own)
            self._look_at_meters(live)
            await self._second(f"{said}: look {number + 1} of {LOOKS}")
            live = await self.core.live()

    def _look_at_meters(self, live: LiveMessage) -> None:
        meters = {meter.id: meter for meter in live.meters}
        for feeder, name in self.plan.meters.items():
            meter = meters[name]
            if meter.current_a is None or meter.age_s is None or meter.age_s > FRESH_S:
                continue
            self._amps[feeder][-1].append(meter.current_a)
            if meter.power_w is not None:
                self._watts[feeder][-1].append((meter.power_w,))

    def _own(self, connector: ConnectorMessage) -> Look | None:
        """What flows by the charger's own phases; the live view shows it by those of the feeder."""
        if connector.current_a is None:
            return None
        return [connector.current_a[phase.position] for phase in self.place.wiring]

    async def _second(self, said: str) -> None:
        self.tell(said)
        await asyncio.sleep(1.0)


def _others(live: LiveMessage, tested: str) -> dict[str, float]:
    """Who is held down now and would rise into the room of the one under test, with what they have."""
    return {
        other.id: other.grant.limit_a
        for other in live.connectors
        if other.id != tested and other.session is not None and _short(other) and not _limited_here(live, other.id)
    }


def _short(connector: ConnectorMessage) -> bool:
    """Whether something other than its own maximum or its car bounds it."""
    chain = connector.grant.chain
    return bool(chain) and chain[0].cause not in (Cause.MAXIMUM.value, Cause.NO_DEMAND.value)


def _still(seen: Sequence[Look], looks: int) -> bool:
    """Whether the newest looks differ by no more than a car's own unrest."""
    if len(seen) < looks:
        return False
    return all(max(column) - min(column) <= STEADY_A for column in zip(*seen[-looks:], strict=True))
