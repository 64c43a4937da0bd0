"""Real sessions under the whole decision and a real journal: every Wh of the meters must stand in exactly one session.

The plant is that of `turns.py`; here the story runs too. A driver starts his session a few seconds after he plugged in,
and again when that is refused, as while a controller that came back knows no charger yet. Each box has a register that
counts whole Wh, and every batch is committed to SQLite before time goes on. A turn is one second while anything moves,
three while nothing does (longer would be a gap), and time is passed over only while no car is there. Once a day, at a
random instant, the controller dies and goes on from its file (B23).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from siteward.client.tariff_form import read_tariff
from siteward.control.decide import Decision, Memory, decide, restore
from siteward.model.events import ClockQuality
from siteward.model.ids import CommandId, ConnectorId
from siteward.model.recovered import Recovered
from siteward.model.requests import CommandName, Request, Source, Stage
from siteward.model.snapshot import Snapshot
from siteward.model.tariff import Pricing
from siteward.store.open import open_store
from siteward.store.store import Store
from tests.fixtures.tariffs import depot as prices
from tests.months.depot import DAY_S, Depot, Stay
from tests.months.turns import DRAWS_A, QUIET_TURNS, STARTED_AT, WALL, Outlet, Turns

PRICES = read_tariff(prices(timezone="UTC", validFrom="2025-12-01T00:00:00Z"))
ASKS_S, AGAIN_S, AWAY_S, STEP_S, DEAD_S = 5, 30, 20, 3, 40


@dataclass
class DepotClock:
    """The depot's time; nothing sleeps by it."""

    at: float = STARTED_AT

    def now(self) -> float:
        """Seconds since boot."""
        return self.at

    def wall(self) -> datetime:
        """UTC of that."""
        return WALL + timedelta(seconds=self.at - STARTED_AT)

    def quality(self) -> ClockQuality:
        """Trusted."""
        return ClockQuality.NTP

    async def sleep(self, seconds: float) -> None:
        """Upkeep by the hour is no part of this."""
        await asyncio.Event().wait()


def billed(one: Depot) -> Depot:
    """The depot with boxes whose own registers bill, by a tariff of four periods."""
    chargers = tuple(
        replace(
            charger,
            connectors=tuple(replace(c, facts=replace(c.facts, bills_energy=True)) for c in charger.connectors),
        )
        for charger in one.site.chargers
    )
    return replace(one, site=replace(one.site, chargers=chargers, pricing=Pricing(default=PRICES.id)))


class Books(Turns):
    """The depot under the whole decision, with its journal in `folder`; seed decides when the controller dies."""

    def __init__(self, one: Depot, stays: Sequence[Stay], base: Sequence[float], folder: Path, seed: int = 1) -> None:
        super().__init__(billed(one), stays, base, departures=False)
        self.clock, self.path, self.dice = DepotClock(), folder / "siteward.db", Random(seed)
        self.wh: dict[str, float] = {o.connector.id: self.dice.uniform(1e6, 1e7) for o in self.outlets}
        self.first_wh = {name: int(wh) for name, wh in self.wh.items()}
        self.free_from = dict.fromkeys(self.wh, 0)
        self.asks: list[tuple[int, ConnectorId | None]] = []
        self.refused: list[str] = []
        self.asked_at: dict[CommandId, ConnectorId | None] = {}
        self.step, self.deaths, self.commands = 1, 0, 0
        self.dies_at = self._some_time(stays[0].arrival // DAY_S)
        self.mind: Memory = restore(self.depot.site, Recovered(), self.at, self.clock.wall())

    async def live(self, first_s: int, last_s: int) -> None:
        """From one instant to another, and on until everybody has left and every session is closed."""
        store = await open_store(self.path, self.clock)
        self.now = first_s
        while self.now < last_s or self._inside():
            if self.now >= self.dies_at:
                store = await self._die(store)
            self._leave_and_come()
            if not self._inside() and self.coming:
                # One who came before the outlet was free again waits beside it.
                self._pass(max(1, self.coming[-1].arrival - self.now))
                continue
            await self._turn(store)
        await store.close()

    def _inside(self) -> bool:
        """Whether a car is there, or a session is not closed yet."""
        return any(o.stay is not None for o in self.outlets) or any(
            post.session is not None for post in self.mind.story.posts.values()
        )

    # -- the plant ---------------------------------------------------------------------------------------------

    def _leave_and_come(self) -> None:
        for o in self.outlets:
            if o.stay is not None and self.now >= o.stay.departure:
                o.stay, o.rest_wh, o.current, o.full_at = None, 0.0, 0.0, None
                self.free_from[o.connector.id] = self.now + AWAY_S
                self.quiet = 0
        for stay in reversed([s for s in self.coming if s.arrival <= self.now]):
            o = self.outlets[stay.outlet]
            if o.stay is None and self.now >= self.free_from[o.connector.id]:
                self.coming.remove(stay)
                o.stay, o.rest_wh, o.full_at = stay, stay.wanted_wh, None
                self.asks.append((self.now + ASKS_S, o.connector.id))
                self.quiet = 0

    def _pass(self, seconds: int) -> None:
        """Time in which every box draws what it draws."""
        for _ in range(seconds if self._drawn() else 1):
            for o in self.outlets:
                before = o.rest_wh
                o.second(self.now)
                self.wh[o.connector.id] += before - o.rest_wh
        self.fuses.pass_time(self._load(), seconds)
        self.now, self.at = self.now + seconds, self.at + seconds
        self.clock.at = self.at

    def _drawn(self) -> float:
        return sum(o.current for o in self.outlets) + sum(o.goal for o in self.outlets)

    async def _turn(self, store: Store) -> None:
        drawn = [o.current for o in self.outlets]
        self._pass(self.step)
        snapshot = self._poll(self._load())
        asked = self._asked()
        entropy = self.dice.randbytes(10)
        await self._decide(store, replace(snapshot, wall=self.clock.wall(), requests=asked, entropy=entropy))
        moved = drawn != [o.current for o in self.outlets]
        self.quiet = 0 if moved or asked or self._moves() else self.quiet + 1
        self.step = STEP_S if self.quiet >= QUIET_TURNS else 1

    async def _decide(self, store: Store, snapshot: Snapshot) -> None:
        decision: Decision = decide(self.depot.site, snapshot, self.mind)
        self.mind = decision.memory
        self.wrote = bool(decision.cuts or decision.raises or decision.failsafes)
        for reply in decision.batch.replies:
            if reply.stage is Stage.REJECTED:
                self.refused.append(f"{reply.command}: {reply.code}")
                self.asks.append((self.now + AGAIN_S, self.asked_at[reply.command]))
        for write in (*decision.cuts, *decision.failsafes):
            self._send(decision.ledger, write)
        if not decision.batch.empty:
            await store.commit(decision.batch)
        for write in decision.raises:
            self._send(decision.ledger, write)

    def _moves(self) -> bool:
        return self.wrote or any(abs(o.current - o.goal) > DRAWS_A for o in self.outlets)

    async def _die(self, store: Store) -> Store:
        """The controller is gone for a while, in which cars go on drawing; it comes back knowing only its file."""
        self.day_over(self.now // DAY_S)
        await store.close()
        self.dies_at = self._some_time(self.now // DAY_S + 1)
        self._pass(DEAD_S)
        self.deaths, self.quiet, self.step, self.wire = self.deaths + 1, 0, 1, []
        store = await open_store(self.path, self.clock)
        self.mind = restore(self.depot.site, await store.recover(), self.at, self.clock.wall())
        return store

    def day_over(self, day: int) -> None:
        """Hear once a day how far it is."""

    def _some_time(self, day: int) -> int:
        """An instant between six and eighteen, when cars are there."""
        return day * DAY_S + self.dice.randrange(6 * 3600, 18 * 3600)

    # -- what the controller knows -----------------------------------------------------------------------------

    def _asked(self) -> tuple[Request, ...]:
        if PRICES.id not in {tariff for tariff, _ in self.mind.story.prices.versions}:
            return (self._request(CommandName.SET_TARIFF, None),)
        due = [name for at, name in self.asks if at <= self.now]
        self.asks = [(at, name) for at, name in self.asks if at > self.now]
        return tuple(self._request(CommandName.START_CHARGE, name) for name in due)

    def _request(self, name: CommandName, target: ConnectorId | None) -> Request:
        self.commands += 1
        tariff = PRICES if name is CommandName.SET_TARIFF else None
        command = CommandId(f"{name.value}-{self.commands}")
        self.asked_at[command] = target
        return Request(command, name, Source.LOCAL, self.at, self.clock.wall(), target, tariff=tariff)

    def _due(self, k: int) -> bool:
        return self.step > 1 or super()._due(k)

    def _read(self, o: Outlet) -> None:
        super()._read(o)
        name = o.connector.id
        self.readings[name] = replace(self.readings[name], energy_wh=int(self.wh[name]))
