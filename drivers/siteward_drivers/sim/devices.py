"""The face that every simulated device shows to a wire: register reads and writes with Modbus exceptions."""

from collections.abc import Sequence
from random import Random
from typing import Protocol, runtime_checkable

from siteward_drivers.profile_points import Table
from siteward_drivers.sim.faults import DeviceFaults


class SimDevice(Protocol):
    """A device at one unit id of a line."""

    faults: DeviceFaults

    @property
    def name(self) -> str:
        """Its id in the site."""
        ...

    @property
    def answers(self) -> bool:
        """Whether it is up at all: silent, booting or sleeping devices hear nothing."""
        ...

    @property
    def think_s(self) -> float:
        """Time from the end of a request to the start of its answer."""
        ...

    def overhear(self) -> None:
        """A frame for somebody else passed on its line."""
        ...

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """Words of registers. Raises ModbusFault."""
        ...

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """Write holding registers with function 6 or 16. Raises ModbusFault."""
        ...


@runtime_checkable
class BitDevice(Protocol):
    """What a device with coils and inputs shows besides."""

    def read_bits(self, table: Table, address: int, count: int) -> list[bool]:
        """Bits of coils or discrete inputs. Raises ModbusFault."""
        ...

    def write_coil(self, address: int, value: int) -> None:
        """Function 5 with its value as on the wire. Raises ModbusFault."""
        ...


class Ripple:
    """Voltage and frequency with small seeded noise: a reading is never bit-identical to the one before."""

    def __init__(self, random: Random, nominal_v: float) -> None:
        self._random = random
        self._nominal_v = nominal_v
        self._slot = -1
        self._volts = (nominal_v, nominal_v, nominal_v)
        self._hertz = 50.0

    def sample(self, slot: int) -> None:
        """Draw new values when the slot (a refresh count) moved on."""
        if slot == self._slot:
            return
        self._slot = slot
        gauss = self._random.gauss
        v = self._nominal_v
        self._volts = (v + gauss(0.0, 0.7), v + gauss(0.0, 0.7), v + gauss(0.0, 0.7))
        self._hertz = 50.0 + gauss(0.0, 0.01)

    @property
    def volts(self) -> tuple[float, float, float]:
        """Voltage of each phase to neutral."""
        return self._volts

    @property
    def hertz(self) -> float:
        """Line frequency."""
        return self._hertz
