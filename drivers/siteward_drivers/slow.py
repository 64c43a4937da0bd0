"""Values that are not read at every poll: read every so often, shown with their own age until they are too old."""

from collections.abc import Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward_drivers.modbus_device import Terms, Values
from siteward_drivers.profile import Profile
from siteward_drivers.quantities import Quantity
from siteward_drivers.slave import Slave


class ReadBlock(Protocol):
    """One read request, and the quantities that it brings."""

    @property
    def points(self) -> Mapping[Quantity, object]:
        """Quantities in the order of the answer."""
        ...


COUNT_S = 3.0
"""How often a register that is billed by is read where a poll does not bring it (B24: within 2 s of a new price)."""


def slow_part(profile: Profile) -> tuple[Quantity, ...]:
    """What is read once in `slow_s`."""
    counted = counted_part(profile)
    return tuple(quantity for quantity in profile.file.poll.slow if quantity not in counted)


def counted_part(profile: Profile) -> tuple[Quantity, ...]:
    """What is read every COUNT_S although the profile calls it slow: the register of a charger that bills by it."""
    part = profile.file.charger
    bills = part is not None and part.bills_energy and Quantity.ENERGY_IMPORT_TOTAL in profile.file.poll.slow
    return (Quantity.ENERGY_IMPORT_TOTAL,) if bills else ()


_B = TypeVar("_B", bound=ReadBlock)
_B_contra = TypeVar("_B_contra", contravariant=True)


class BlockDevice(Protocol[_B_contra]):
    """What reads such blocks."""

    profile: Profile
    slave: Slave

    async def read(self, blocks: Sequence[_B_contra], terms: Terms) -> Values:
        """Read blocks. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        ...


class SlowBlocks(Generic[_B]):
    """The slow part of a device's poll plan, each block once in `period_s`. Times are the Clock's, in s."""

    def __init__(self, device: BlockDevice[_B], blocks: Sequence[_B], period_s: float | None = None) -> None:
        self._device = device
        self._blocks = blocks
        self._period_s = device.profile.file.poll.slow_s if period_s is None else period_s
        self._due = 0.0
        self._tries = 0
        self._next = 0
        self._known: list[Values | None] = [None] * len(blocks)

    @property
    def any(self) -> bool:
        """Whether there is anything to read now and then."""
        return bool(self._blocks)

    async def refresh(self, at: float, terms: Terms) -> None:
        """Read one block when it is due; its loss or refusal costs no other value of the poll."""
        if not self._blocks or at < self._due:
            return
        index = self._next
        self._next = (index + 1) % len(self._blocks)
        # Every block once at start, one a poll; then each once a period.
        self._tries += 1
        self._due = at + (self._period_s / len(self._blocks) if self._tries >= len(self._blocks) else 0.0)
        try:
            self._known[index] = await self._device.read([self._blocks[index]], terms)
        except DeviceRefused:
            refused = Values(sent_at=at)
            refused.rejected.extend(self._blocks[index].points)
            self._known[index] = refused
        except (DeviceUnreachable, Withdrawn):
            self._known[index] = None

    def show(self, values: Values) -> None:
        """Add the slow values that are at most three periods older than the poll."""
        for part in self._known:
            if part is not None and values.sent_at - part.sent_at <= 3 * self._period_s:
                values.values.update(part.values)
                values.raw.update(part.raw)
                values.rejected.extend(part.rejected)
                values.aged.update(dict.fromkeys(part.values, part.sent_at))
