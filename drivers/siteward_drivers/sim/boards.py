"""A simulated relay board made from its profile: coils, own pulses, interlocked pairs, watchdog, and wired arms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from siteward.model.points import PointName
from siteward.model.site import RelayBoard
from siteward_drivers.profile_points import Table
from siteward_drivers.relay_profile import RelayProfile
from siteward_drivers.sim.arms import SimArm, Wiring
from siteward_drivers.sim.faults import DeviceFaults
from siteward_drivers.sim.registers import ILLEGAL_ADDRESS, ILLEGAL_VALUE, ModbusFault

_ON, _OFF = 0xFF00, 0x0000


@dataclass(slots=True)
class _Coil:
    name: str
    on: bool = False
    off_at: float | None = None


class SimBoard:
    """One board at a unit id; time is lazy: everything that was due happens, in order, when somebody looks."""

    def __init__(self, board: RelayBoard, profile: RelayProfile, wiring: Wiring, now: Callable[[], float]) -> None:
        self.faults = DeviceFaults()
        self.board = board
        self.refuse_loads = False
        self.heard: list[tuple[float, int, int, int]] = []
        self._profile = profile
        self._wiring = wiring
        self._now = now
        self._polled_at = now()
        file = profile.file
        coils = dict(file.outputs)
        for n, pair in enumerate(file.pairs, 1):
            coils |= {f"open_{n}": pair.open, f"close_{n}": pair.close}
        self._coils = {address: _Coil(name) for name, address in coils.items()}
        self.registers = dict.fromkeys(self._known_registers(), 0)
        if file.watchdog is not None:
            self.registers[file.watchdog.timeout] = 10

    def _known_registers(self) -> set[int]:
        file = self._profile.file
        outputs = range(len(file.outputs))
        known = {write.register_ for write in file.setup}
        if file.pulse is not None and file.pulse.mode_first is not None:
            known.update(file.pulse.first + n for n in outputs)
            known.update(file.pulse.mode_first + n for n in outputs)
        for pair in file.pairs:
            known.update((pair.mode, pair.time_open, pair.time_close, pair.dead_time, pair.failsafe))
        if file.watchdog is not None:
            known.update((file.watchdog.timeout, file.watchdog.trigger))
            known.update(file.watchdog.state_first + n for n in outputs)
            known.update(file.watchdog.action_first + n for n in outputs)
        return known

    @property
    def name(self) -> str:
        """Its id in the site."""
        return self.board.id

    @property
    def answers(self) -> bool:
        """Always up."""
        return True

    @property
    def think_s(self) -> float:
        """The profile's usual time and the fault's."""
        return self._profile.file.timing.turnaround_s + self.faults.latency_s

    def overhear(self) -> None:
        """Frames for others mean nothing to it."""

    def settle(self) -> None:
        """Let happen what was due: ends of pulses, the watchdog, movement."""
        now = self._now()
        while due := [(c.off_at, a) for a, c in self._coils.items() if c.off_at is not None and c.off_at <= now]:
            at, address = min(due)
            self._switch(address, False, at)
        fires_at = self._watchdog_at()
        if fires_at is not None and fires_at <= now:
            for address, coil in self._coils.items():
                if coil.on and self._guarded(coil.name):
                    self._switch(address, False, fires_at)
        for arm in self._arms():
            arm.advance(now)

    def _watchdog_at(self) -> float | None:
        watchdog = self._profile.file.watchdog
        return None if watchdog is None else self._polled_at + self.registers[watchdog.timeout]

    def _guarded(self, name: str) -> bool:
        watchdog = self._profile.file.watchdog
        if watchdog is None or self._profile.pair(name) is not None:
            return False
        return self.registers[watchdog.action_first + self._profile.place(name)] == watchdog.action_value

    def _arms(self) -> list[SimArm]:
        mine = f"{self.board.id}."
        both = [*self._wiring.outputs.items(), *((p, arm) for p, (arm, _) in self._wiring.inputs.items())]
        return list({id(arm): arm for point, arm in both if point.startswith(mine)}.values())

    def _switch(self, address: int, on: bool, at: float, off_at: float | None = None) -> None:
        coil = self._coils[address]
        coil.on, coil.off_at = on, off_at if on else None
        point = PointName(f"{self.board.id}.{coil.name}")
        if point in self._wiring.outputs:
            self._wiring.outputs[point].relay(point, on, at)

    def is_on(self, name: str) -> bool:
        """Whether an output is on now."""
        self.settle()
        return next(c.on for c in self._coils.values() if c.name == name)

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Bits of a block. Raises ModbusFault where one is not documented."""
        self._touch()
        inputs = self._profile.file.inputs
        known = {a: name for name, a in inputs.points.items()} if table is inputs.table else {}
        if table is Table.COIL:
            known |= {a: coil.name for a, coil in self._coils.items()}
        names = [known.get(address + n) for n in range(count)]
        if any(name is None for name in names):
            raise ModbusFault(ILLEGAL_ADDRESS)
        return [self._bit(table, address + n, str(name)) for n, name in enumerate(names)]

    def _bit(self, table: Table, address: int, name: str) -> bool:
        if table is Table.COIL and address in self._coils:
            return self._coils[address].on
        point = PointName(f"{self.board.id}.{name}")
        arm = self._wiring.inputs.get(point)
        return point in self._wiring.closed if arm is None else arm[0].contact(arm[1])

    def write_coil(self, address: int, value: int) -> None:
        """Function 5: on, off, or the board's own pulse with its raw time. Raises ModbusFault."""
        self._touch()
        self.heard.append((self._now(), 5, address, value))
        pulse = self._profile.file.pulse
        if pulse is not None and pulse.kind == "raw_coil" and 0 <= address - pulse.first < len(self._coils):
            if not 1 <= value <= pulse.most:
                raise ModbusFault(ILLEGAL_VALUE)
            self._pulse(list(self._profile.file.outputs.values())[address - pulse.first], value * pulse.unit_s)
            return
        if address not in self._coils:
            raise ModbusFault(ILLEGAL_ADDRESS)
        if value not in (_ON, _OFF):
            raise ModbusFault(ILLEGAL_VALUE)
        self._set(address, value == _ON)

    def _set(self, address: int, on: bool) -> None:
        name = self._coils[address].name
        found = self._profile.pair(name)
        if not on:
            self._switch(address, False, self._now())
        elif found is not None:
            pair, opens = found
            if self.registers[pair.mode] != pair.mode_value:
                raise ModbusFault(ILLEGAL_VALUE)
            self._switch(pair.close if opens else pair.open, False, self._now())
            self._pulse(address, self.registers[pair.time_open if opens else pair.time_close] * pair.time_unit_s)
        else:
            self._pulse(address, self._timer_s(name))

    def _timer_s(self, name: str) -> float | None:
        pulse = self._profile.file.pulse
        if pulse is None or pulse.mode_first is None:
            return None
        place = self._profile.place(name)
        if self.registers[pulse.mode_first + place] != pulse.mode_value:
            return None
        return self.registers[pulse.first + place] * pulse.unit_s

    def _pulse(self, address: int, seconds: float | None) -> None:
        now = self._now()
        self._switch(address, True, now, None if seconds is None else now + seconds)

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Holding registers that the driver knows. Raises ModbusFault."""
        self._touch()
        if table is not Table.HOLDING or any(address + n not in self.registers for n in range(count)):
            raise ModbusFault(ILLEGAL_ADDRESS)
        return [self.registers[address + n] for n in range(count)]

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """One holding register. Raises ModbusFault."""
        self._touch()
        self.heard.append((self._now(), function, address, words[0]))
        if address not in self.registers or len(words) != 1:
            raise ModbusFault(ILLEGAL_ADDRESS)
        if not self.refuse_loads:
            self.registers[address] = words[0]

    def _touch(self) -> None:
        self.settle()
        self._polled_at = self._now()
