"""What a DL/T 698.45 meter is asked for, and its answers as values: pure, by the profile's objects."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

from siteward_drivers.decode import Decoded, Value, told
from siteward_drivers.dlt698 import Item
from siteward_drivers.profile import Profile
from siteward_drivers.profile_data import ObjectPoint, grouped
from siteward_drivers.quantities import Quantity

_TAG, _ARRAY_HEAD = 1, 2
_NOTHING = Item(None, None)


@dataclass(frozen=True, slots=True)
class ObjectBlock:
    """One attribute of one object, and the quantities in the order in which its array holds them (or the one value)."""

    id: str
    points: Mapping[Quantity, ObjectPoint]

    @property
    def data_bytes(self) -> int:
        """Bytes that its value takes in an answer, tags included."""
        values = sum(_TAG + point.type.size for point in self.points.values())
        return values + (_ARRAY_HEAD if len(self.points) > 1 else 0)


def object_blocks(profile: Profile, quantities: Iterable[Quantity]) -> tuple[ObjectBlock, ...]:
    """Fewest objects for some quantities."""
    return tuple(ObjectBlock(*part) for part in grouped(profile.file.block, profile.file.objects, quantities))


def decode(block: ObjectBlock, items: Sequence[Item]) -> Decoded:
    """Values of one object; what has another type, is no digits or out of its range is rejected (fault 82)."""
    told_of = chain(items, repeat(_NOTHING))
    return told((q, point, _raw(point, item)) for (q, point), item in zip(block.points.items(), told_of, strict=False))


def nothing(block: ObjectBlock) -> Decoded:
    """What a refused object tells."""
    return Decoded(rejected=tuple(block.points))


def _raw(point: ObjectPoint, item: Item) -> Value | None:
    if item.type is not point.type:
        return None
    if isinstance(item.value, bytes):
        text = item.value.hex()
        return text if text.isdecimal() else None
    return item.value
