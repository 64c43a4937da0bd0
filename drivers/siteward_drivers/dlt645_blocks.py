"""The read plan of a DL/T 645 meter and its answers as values: pure, by the profile's data."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from siteward_drivers import dlt645
from siteward_drivers.decode import Decoded, Value, told
from siteward_drivers.profile import Profile
from siteward_drivers.profile_data import DataPoint, grouped
from siteward_drivers.quantities import Quantity


@dataclass(frozen=True, slots=True)
class DataBlock:
    """One read request: a data id, and the quantities in the order in which its answer holds them."""

    id: str
    points: Mapping[Quantity, DataPoint]

    @property
    def count(self) -> int:
        """Bytes of data that a right answer carries."""
        return sum(point.bytes for point in self.points.values())

    def singles(self) -> "tuple[DataBlock, ...]":
        """The same quantities, each by its own data id."""
        return tuple(DataBlock(point.id, {quantity: point}) for quantity, point in self.points.items())


def data_blocks(profile: Profile, quantities: Iterable[Quantity]) -> tuple[DataBlock, ...]:
    """Fewest requests for some quantities."""
    return tuple(DataBlock(*part) for part in grouped(profile.file.block, profile.file.data, quantities))


def decode(block: DataBlock, data: bytes) -> Decoded:
    """Values of a block's answer; what is no BCD or out of its range is rejected, never guessed (fault 82)."""
    return told(_cut(block, data))


def _cut(block: DataBlock, data: bytes) -> Iterator[tuple[Quantity, DataPoint, Value | None]]:
    at = 0
    for quantity, point in block.points.items():
        yield quantity, point, _raw(point, data[at : at + point.bytes])
        at += point.bytes


def _raw(point: DataPoint, data: bytes) -> Value | None:
    if len(data) != point.bytes:
        return None
    try:
        return dlt645.digits(data) if point.digits else dlt645.number(data, point.signed)
    except dlt645.NotBcd:
        return None
