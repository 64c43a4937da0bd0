"""Schema of what a DL/T meter tells: which data id or object means which quantity, and which brings several at once."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import Field

from siteward_drivers.profile_points import Part
from siteward_drivers.quantities import Quantity, Unit

DataId = Annotated[str, Field(pattern="^[0-9A-F]{8}$")]
"""A data id as documents write it, DI3 first; in DL/T 698.45 the OAD: object, attribute, index."""


class DataPoint(Part):
    """One quantity of a meter: `bytes` of BCD under a data id; value = number * scale in `unit`.

    `signed` data carry the sign in their topmost bit; `digits` are a text of decimal digits, such as a meter's number.
    """

    id: DataId
    bytes: int = Field(ge=1, le=16)
    scale: float = Field(default=1.0, gt=0)
    unit: Unit = Unit.NONE
    signed: bool = False
    digits: bool = False
    range: tuple[float, float] | None = None


class ObjectType(StrEnum):
    """Data types of DL/T 698.45 that meters use, by the names of the standard."""

    LONG = "long"
    LONG_UNSIGNED = "long-unsigned"
    DOUBLE_LONG = "double-long"
    DOUBLE_LONG_UNSIGNED = "double-long-unsigned"
    LONG64 = "long64"
    LONG64_UNSIGNED = "long64-unsigned"
    OCTET_STRING = "octet-string"

    @property
    def size(self) -> int:
        """Bytes of a value on the wire, its tag left out; a text of digits is taken for one of twelve."""
        return _SIZES[self]

    @property
    def span(self) -> tuple[int, int]:
        """Smallest and largest number; a text has none."""
        bits = 0 if self is ObjectType.OCTET_STRING else 8 * self.size
        signed = self in (ObjectType.LONG, ObjectType.DOUBLE_LONG, ObjectType.LONG64)
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


_SIZES = {
    ObjectType.LONG: 2,
    ObjectType.LONG_UNSIGNED: 2,
    ObjectType.DOUBLE_LONG: 4,
    ObjectType.DOUBLE_LONG_UNSIGNED: 4,
    ObjectType.LONG64: 8,
    ObjectType.LONG64_UNSIGNED: 8,
    ObjectType.OCTET_STRING: 7,
}


class ObjectPoint(Part):
    """One quantity of a DL/T 698.45 meter: `type` under an OAD; value = number * scale in `unit`.

    A value of any other type is none. An octet-string is a text of decimal digits, such as a meter's number.
    """

    id: DataId
    type: ObjectType
    scale: float = Field(default=1.0, gt=0)
    unit: Unit = Unit.NONE
    range: tuple[float, float] | None = None


class BlockPart(Part):
    """A data id whose answer holds several quantities, one behind the other; in DL/T 698.45 an array of them."""

    id: DataId
    fields: tuple[Quantity, ...] = Field(min_length=2)


_P = TypeVar("_P", bound=DataPoint | ObjectPoint)


def grouped(
    blocks: Sequence[BlockPart], points: Mapping[Quantity, _P], quantities: Iterable[Quantity]
) -> list[tuple[str, dict[Quantity, _P]]]:
    """Fewest ids for some quantities: a block where it brings two of them or more, else one by one."""
    wanted = list(dict.fromkeys(quantities))
    found: list[tuple[str, dict[Quantity, _P]]] = []
    for part in blocks:
        if sum(q in wanted for q in part.fields) > 1:
            found.append((part.id, {q: points[q] for q in part.fields}))
            wanted = [q for q in wanted if q not in part.fields]
    found.extend((points[q].id, {q: points[q]}) for q in wanted)
    return found
