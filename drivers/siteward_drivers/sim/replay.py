"""A recorded device on a simulated wire: it answers what the real one answered, and refuses everything else."""

from collections.abc import Sequence

from siteward_drivers.capture import Capture, CapturedBlock
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Table
from siteward_drivers.sim.faults import DeviceFaults
from siteward_drivers.sim.registers import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ModbusFault


class ReplayDevice:
    """A device made of a capture; implements SimDevice. It never changes: a write is refused."""

    def __init__(self, capture: Capture, profile: Profile) -> None:
        self.faults = DeviceFaults()
        self._capture = capture
        self._profile = profile
        self._words = {(b.table, b.first + n): w for b in capture.blocks for n, w in enumerate(b.words)}

    @property
    def name(self) -> str:
        """The profile that it was recorded with."""
        return self._capture.profile

    @property
    def answers(self) -> bool:
        """A record is always up."""
        return True

    @property
    def think_s(self) -> float:
        """Turnaround by its profile."""
        return self._profile.file.timing.turnaround_s + self.faults.latency_s

    def overhear(self) -> None:
        """A record has no watchdog."""

    def read(self, table: Table, address: int, count: int) -> list[int]:
        """The words as recorded. Raises ModbusFault with the recorded exception, or for what was never recorded."""
        wanted = [(table, address + n) for n in range(count)]
        if all(place in self._words for place in wanted):
            return [self._words[place] for place in wanted]
        for block in self._capture.blocks:
            if block.exception is not None and _meets(block, table, address, count):
                raise ModbusFault(block.exception)
        raise ModbusFault(ILLEGAL_ADDRESS)

    def write(self, address: int, words: Sequence[int], function: int) -> None:
        """Refused: nobody recorded what a write does. Raises ModbusFault."""
        raise ModbusFault(ILLEGAL_FUNCTION)


def _meets(block: CapturedBlock, table: Table, address: int, count: int) -> bool:
    return block.table is table and block.first < address + count and address < block.first + block.count
