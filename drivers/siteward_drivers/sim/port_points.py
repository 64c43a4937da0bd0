"""Port fidelity of inputs and outputs: a board, or a chip of the computer's own lines, straight on simulated arms."""

import asyncio
from collections.abc import Callable, Collection, Mapping

from siteward.model.errors import DeviceUnreachable, Withdrawn
from siteward.model.points import Drive, InputReading, PointName, PointPlan
from siteward.model.ports import Clock, DriveGate
from siteward_drivers.point_edges import Edges
from siteward_drivers.sim.arms import Wiring
from siteward_drivers.sim.boards import SimBoard
from siteward_drivers.sim.port_wire import PortWire, Urgency


class PortPoints:
    """One device with inputs and outputs; implements model.ports.PointDevice.

    `board` is that of the site and `wire` what it hangs on; None for a chip, which answers at once.
    """

    def __init__(
        self,
        name: str,
        wiring: Wiring,
        clock: Clock,
        gate: DriveGate,
        wire: PortWire | None = None,
        board: SimBoard | None = None,
    ) -> None:
        self._name = name
        self._wiring, self._clock, self._gate = wiring, clock, gate
        self._wire, self._board = wire, board
        self._edges = Edges()
        self._plan: PointPlan | None = None
        self._ends: dict[PointName, asyncio.TimerHandle] = {}

    @property
    def id(self) -> str:
        """The board's id, or `gpio:chip`."""
        return self._name

    async def prepare(self, plan: PointPlan) -> None:
        """Everything off first (fault 79). Raises DeviceUnreachable."""
        self._plan = None
        await self._exchange(Urgency.CUT, lambda: self._all_off(plan))
        self._plan = plan

    def _all_off(self, plan: PointPlan) -> None:
        for point in plan.outputs:
            self._switch(point, False)

    async def read(self, urgent: bool, wanted: Collection[PointName] = ()) -> Mapping[PointName, InputReading]:
        """Read every planned input. Raises DeviceUnreachable."""
        plan = self._ready()
        sent_at = self._clock.now()
        seen: dict[PointName, bool] = {}
        await self._exchange(
            Urgency.CUT if urgent else Urgency.POLL,
            lambda: seen.update((point, self._contact(point)) for point in plan.inputs),
        )
        now = self._clock.now()
        return {point: self._edges.reading(point, on, sent_at, now) for point, on in seen.items()}

    def _contact(self, point: PointName) -> bool:
        wired = self._wiring.inputs.get(point)
        if wired is None:
            return point in self._wiring.closed
        arm, role = wired
        arm.advance(self._clock.now())
        return arm.contact(role)

    async def drive(self, drive: Drive) -> None:
        """Perform one command; a pulse ends by itself. Raises DeviceUnreachable, Withdrawn."""
        self._ready()
        at = self._clock.now()
        late = drive.deadline is not None and at > drive.deadline
        if drive.risky and (late or not self._gate.may_drive(drive, at)):
            raise Withdrawn("the reason to move is gone")
        await self._exchange(Urgency.CUT, lambda: self._act(drive))

    def _act(self, drive: Drive) -> None:
        self._switch(drive.point, drive.on)
        if drive.on and drive.pulse_s is not None:
            loop = asyncio.get_running_loop()
            self._ends[drive.point] = loop.call_later(drive.pulse_s, self._switch, drive.point, False)

    def _switch(self, point: PointName, on: bool) -> None:
        running = self._ends.pop(point, None)
        if running is not None:
            running.cancel()
        self._wiring.relay(point, on, self._clock.now())

    async def close(self) -> None:
        """Let the outputs go, off."""
        for point in tuple(self._ends):
            self._switch(point, False)
        self._plan = None

    def _ready(self) -> PointPlan:
        if self._plan is None:
            raise DeviceUnreachable(f"{self._name} is not prepared")
        return self._plan

    async def _exchange(self, urgency: Urgency, act: Callable[[], None]) -> None:
        """One frame there, what it does, and back; a board that is gone is found out by its time-out."""
        if self._wire is None or self._board is None:
            act()
            return
        async with self._wire.turn(urgency):
            if not await self._wire.exchange(self._board, act):
                raise DeviceUnreachable(f"{self._name} does not answer")
