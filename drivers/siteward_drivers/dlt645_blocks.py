"""The read plan of a DL/T 645 meter and its answers as values: pure, by the profile's data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from siteward_drivers import dlt645
from siteward_drivers.decode import Decoded, Value
from siteward_drivers.profile import Profile
from siteward_drivers.profile_data import DataPoint
from siteward_drivers.quantities import Quantity

_DECIMALS = 9


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
    """Fewest requests for some quantities: a block where it brings two of them or more, else one by one."""
    data = profile.file.data
    wanted = list(dict.fromkeys(quantities))
    blocks: list[DataBlock] = []
    for part in profile.file.block:
        if sum(q in wanted for q in part.fields) > 1:
            blocks.append(DataBlock(part.id, {q: data[q] for q in part.fields}))
            wanted = [q for q in wanted if q not in part.fields]
    return (*blocks, *(DataBlock(data[q].id, {q: data[q]}) for q in wanted))


def decode(block: DataBlock, data: bytes) -> Decoded:
    """Values of a block's answer; what is no BCD or out of its range is rejected, never guessed (fault 82)."""
    values: dict[Quantity, Value] = {}
    raws: dict[Quantity, Value] = {}
    rejected = []
    at = 0
    for quantity, point in block.points.items():
        part = data[at : at + point.bytes]
        at += point.bytes
        raw = _raw(point, part)
        value = None if raw is None else _scaled(point, raw)
        if raw is None or value is None:
            rejected.append(quantity)
        else:
            values[quantity], raws[quantity] = value, raw
    return Decoded(values, raws, tuple(rejected))


def _raw(point: DataPoint, data: bytes) -> Value | None:
    if len(data) != point.bytes:
        return None
    try:
        return dlt645.digits(data) if point.digits else dlt645.number(data, point.signed)
    except dlt645.NotBcd:
        return None


def _scaled(point: DataPoint, raw: Value) -> Value | None:
    if isinstance(raw, str):
        return raw
    value = raw if point.scale == 1.0 else round(raw * point.scale, _DECIMALS)
    if point.range is not None and not point.range[0] <= value <= point.range[1]:
        return None
    return value
