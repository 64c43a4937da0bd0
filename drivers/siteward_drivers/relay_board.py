"""A relay board on a line as a device with inputs and outputs: off first, then what guards it, then its work."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.points import Drive, InputReading, PointName, PointPlan, local_of
from siteward.model.ports import Clock, DriveGate
from siteward.model.site import RelayBoard as BoardSpec
from siteward.model.wire import FrameStage
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank, no_guard
from siteward_drivers.modbus import Request
from siteward_drivers.modbus_device import FedBy, Guard
from siteward_drivers.point_edges import Edges
from siteward_drivers.relay_profile import RelayProfile, Run, input_runs
from siteward_drivers.slave import Slave

_PAIR_DEAD_S = 0.05
_READ_HOLDING, _WRITE_COIL, _WRITE_REGISTER = 3, 5, 6


class RelayBoard:
    """One board; implements model.ports.PointDevice."""

    def __init__(
        self,
        board: BoardSpec,
        profile: RelayProfile,
        owner: LineOwner,
        slave: Slave,
        clock: Clock,
        gate: DriveGate,
        idle: Guard = no_guard,
        feeds: FedBy | None = None,
    ) -> None:
        self._board = board
        self._profile = profile
        self._owner = owner
        self._slave = slave
        self._clock = clock
        self._gate = gate
        self._idle = idle
        self._feeds = feeds
        self._edges = Edges()
        self._inputs: dict[PointName, int] = {}
        self._runs: tuple[Run, ...] = ()
        self._ready = False
        self._pulses: set[asyncio.Task[None]] = set()

    @property
    def id(self) -> str:
        """The board's id in site.toml."""
        return self._board.id

    async def prepare(self, plan: PointPlan) -> None:
        """Off first, then setup, pulses, pairs and watchdog, each read back. Raises DeviceError."""
        self._ready = False
        file = self._profile.file
        for name in self._plain(plan):
            await self._coil(file.outputs[name], 0)
        for point in plan.outputs:
            if self._profile.pair(local_of(point)) is not None:
                await self._coil(self._profile.coil(local_of(point)), 0)
        for write in file.setup:
            await self._load(write.register_, write.value)
        for point, pulse_s in plan.outputs.items():
            await self._load_pulse(local_of(point), pulse_s)
        await self._load_watchdog(plan)
        self._inputs = {point: file.inputs.points[local_of(point)] for point in plan.inputs}
        self._runs = input_runs(self._profile, [local_of(point) for point in plan.inputs])
        self._ready = True

    def _plain(self, plan: PointPlan) -> list[str]:
        """The single outputs of the plan, those that make up a pair included: a relay left on must fall first."""
        names = list(self._profile.file.outputs)
        wanted = {local_of(point) for point in plan.outputs} & set(names)
        for pair in self._board.pairs:
            wanted.update(names[2 * pair - 2 : 2 * pair])
        return [name for name in names if name in wanted]

    async def _load_pulse(self, name: str, pulse_s: float | None) -> None:
        found = self._profile.pair(name)
        if found is not None:
            pair, opens = found
            # A level on a pair is a pulse of the longest time: the board ends it when everybody else is dead.
            units = round((600.0 if pulse_s is None else pulse_s) / pair.time_unit_s)
            await self._load(pair.failsafe, pair.failsafe_value)
            # Short: a closing arm must open within 0.3 s of the input that says so (I11).
            await self._load(pair.dead_time, round(_PAIR_DEAD_S / pair.dead_unit_s))
            await self._load(pair.time_open if opens else pair.time_close, units)
            await self._load(pair.mode, pair.mode_value)
            return
        pulse = self._profile.file.pulse
        if pulse is None or pulse.mode_first is None:
            return
        place = self._profile.place(name)
        if pulse_s is not None:
            await self._load(pulse.first + place, self._units(pulse_s))
        await self._load(pulse.mode_first + place, 0 if pulse_s is None else pulse.mode_value)

    async def _load_watchdog(self, plan: PointPlan) -> None:
        watchdog = self._profile.file.watchdog
        if watchdog is None:
            return
        for name in self._plain(plan):
            place = self._profile.place(name)
            await self._load(watchdog.state_first + place, 0)
            await self._load(watchdog.action_first + place, watchdog.action_value)
        low, high = watchdog.range_s
        await self._load(watchdog.timeout, max(low, min(high, self._board.watchdog_s)))
        await self._load(watchdog.trigger, watchdog.trigger_value)

    async def _load(self, register: int, value: int) -> None:
        """Have a register hold a value; it is written only where it differs, which spares the board's memory."""
        if await self._word(register) == value:
            return
        await self._perform(Request(self._slave.unit, _WRITE_REGISTER, register, 1, (value,)), Rank.CONTROL, 1)
        held = await self._word(register)
        if held != value:
            raise DeviceRefused(f"{self.id}: register {register} holds {held} after {value} was written")

    async def _word(self, register: int) -> int:
        request = Request(self._slave.unit, _READ_HOLDING, register, 1)
        return (await self._perform(request, Rank.CONTROL, 1))[0]

    async def _coil(self, address: int, value: int, raw: bool = False) -> None:
        await self._perform(Request(self._slave.unit, _WRITE_COIL, address, 1, (value,), raw), Rank.CUT, 1)

    async def read(self, urgent: bool, wanted: Collection[PointName] = ()) -> Mapping[PointName, InputReading]:
        """Read inputs, before everything but cuts while something moves (ruling 3). Raises DeviceError."""
        self._must_be_ready()
        needed = {self._inputs[point] for point in wanted if point in self._inputs}
        runs = [
            run for run in self._runs if not needed or not needed.isdisjoint(range(run.first, run.first + run.count))
        ]
        # All at once: between two frames that follow each other the line would begin to wait for somebody else's gap.
        parts = await asyncio.gather(*(self._read_run(run, urgent) for run in runs), return_exceptions=True)
        found: dict[PointName, InputReading] = {}
        for part in parts:
            if isinstance(part, BaseException):
                raise part
            found.update(part)
        return found

    async def _read_run(self, run: Run, urgent: bool) -> dict[PointName, InputReading]:
        sent: list[float] = []
        request = Request(self._slave.unit, run.table.read_function, run.first, run.count)
        guard = no_guard if urgent else self._idle
        bits = await self._perform(request, Rank.CUT if urgent else Rank.REST, 0, guard, sent=sent)
        now = self._clock.now()
        return {
            point: self._edges.reading(point, bool(bits[address - run.first]), sent[-1], now)
            for point, address in self._inputs.items()
            if run.first <= address < run.first + run.count
        }

    async def drive(self, drive: Drive) -> None:
        """Perform one command by the board's own pulse, pair or plain coil. Raises DeviceError."""
        self._must_be_ready()
        name = local_of(drive.point)
        pulse = self._profile.file.pulse
        if drive.on and drive.pulse_s is not None and self._profile.pair(name) is None:
            if pulse is None:
                await self._pulse_by_hand(drive)
                return
            if pulse.kind == "raw_coil":
                address = pulse.first + self._profile.place(name)
                await self._send(drive, address, self._units(drive.pulse_s), raw=True)
                return
        await self._send(drive, self._profile.coil(name), int(drive.on))

    async def _send(self, drive: Drive, address: int, value: int, raw: bool = False) -> None:
        def guard(at: float) -> str:
            return "" if not drive.risky or self._gate.may_drive(drive, at) else "the reason to move is gone"

        request = Request(self._slave.unit, _WRITE_COIL, address, 1, (value,), raw)
        # What frees the way is tried twice and goes before the looks at the arm, what blocks it is tried once and goes
        # among them: while its inputs are young or not at all; behind them it would wait for ever.
        rank, retries = (Rank.CUT, 0) if drive.risky else (Rank.FREE, 1)
        await self._perform(request, rank, retries, guard, drive.deadline)

    async def _pulse_by_hand(self, drive: Drive) -> None:
        """On, and off after the time: for boards without a pulse of their own."""
        await self._send(drive, self._profile.coil(local_of(drive.point)), 1)
        task = asyncio.create_task(self._end_pulse(drive))
        self._pulses.add(task)
        task.add_done_callback(self._pulses.discard)

    async def _end_pulse(self, drive: Drive) -> None:
        await self._clock.sleep(drive.pulse_s or 0.0)
        try:
            await self._coil(self._profile.coil(local_of(drive.point)), 0)
        except (DeviceUnreachable, DeviceRefused):
            # Who cannot be told to switch off must be prepared anew, which switches everything off first.
            self._ready = False

    async def close(self) -> None:
        """Forget what is prepared; the line itself is closed by its owner."""
        self._ready = False
        pulses = tuple(self._pulses)
        for task in pulses:
            task.cancel()
        await asyncio.gather(*pulses, return_exceptions=True)

    def _units(self, pulse_s: float) -> int:
        pulse = self._profile.file.pulse
        return 1 if pulse is None else max(1, min(pulse.most, round(pulse_s / pulse.unit_s)))

    def _must_be_ready(self) -> None:
        if not self._ready:
            raise DeviceUnreachable(f"{self.id} is not prepared")

    async def _perform(
        self,
        request: Request,
        rank: Rank,
        retries: int,
        guard: Guard = no_guard,
        deadline: float | None = None,
        sent: list[float] | None = None,
    ) -> Sequence[int]:
        def trace(stage: FrameStage, at: float, sent_at: float | None, _reason: str) -> None:
            if stage is FrameStage.SENT and sent is not None:
                sent.append(at if sent_at is None else sent_at)
            if self._feeds is not None:
                self._feeds(stage, at, sent_at)

        job = Job(self._slave, request, rank, retries=retries, guard=guard, trace=trace, deadline=deadline)
        return (await self._owner.perform(job)).values
