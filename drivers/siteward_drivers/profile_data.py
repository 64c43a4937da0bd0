"""Schema of a DL/T 645 meter's data: which data id means which quantity, and which block brings several at once."""

from typing import Annotated

from pydantic import Field

from siteward_drivers.profile_points import Part
from siteward_drivers.quantities import Quantity, Unit

DataId = Annotated[str, Field(pattern="^[0-9A-F]{8}$")]
"""A data id as documents write it, DI3 first."""


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


class BlockPart(Part):
    """A data id whose answer holds several quantities, one behind the other."""

    id: DataId
    fields: tuple[Quantity, ...] = Field(min_length=2)
