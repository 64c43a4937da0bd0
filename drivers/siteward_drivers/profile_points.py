"""Schema of a device's registers: where a quantity lives, how its words become a value, what may be written."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from siteward_drivers.quantities import Unit


class Part(BaseModel):
    """Root of all parts of a profile: unknown keys are errors, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Table(StrEnum):
    """The four Modbus tables."""

    INPUT = "input"
    HOLDING = "holding"
    COIL = "coil"
    DISCRETE = "discrete"

    @property
    def read_function(self) -> int:
        """Function code that reads this table."""
        return {Table.COIL: 1, Table.DISCRETE: 2, Table.HOLDING: 3, Table.INPUT: 4}[self]


class RegisterType(StrEnum):
    """How the words of a point form a number or a text.

    dec_u24 and dec_i24 are a decimal exponent in the highest byte (with sign) and 24 bits of digits below it.
    """

    U16 = "u16"
    I16 = "i16"
    U32 = "u32"
    I32 = "i32"
    U64 = "u64"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    STRING = "string"
    BITFIELD = "bitfield"
    DEC_U24 = "dec_u24"
    DEC_I24 = "dec_i24"


class WordOrder(StrEnum):
    """Order of 16-bit words in longer types; bytes in a word are always big-endian."""

    MSW_FIRST = "msw_first"
    LSW_FIRST = "lsw_first"


class Access(StrEnum):
    """Whether a point may be read, written or both."""

    R = "r"
    W = "w"
    RW = "rw"


_WORDS = {
    RegisterType.U16: 1,
    RegisterType.I16: 1,
    RegisterType.U32: 2,
    RegisterType.I32: 2,
    RegisterType.F32: 2,
    RegisterType.DEC_U24: 2,
    RegisterType.DEC_I24: 2,
    RegisterType.U64: 4,
    RegisterType.I64: 4,
    RegisterType.F64: 4,
}
_MASKED = (RegisterType.U16, RegisterType.U32, RegisterType.BITFIELD)
MAX_REGISTERS = 125


class Point(Part):
    """One quantity of a device.

    `address` is 0-based, as on the wire; `count` is in registers (coils: bits) and fixed by numeric types. Value =
    raw * scale in `unit`. `invalid` lists raw numbers that mean "not known"; `range` is the span of scaled values that
    can be true, `write_range` the span that may be written, `step` the device's step, both scaled. `per_channel` points
    repeat for each connector of a device with several. `mask` names the bits of an unsigned number that carry the raw
    value; such a point is never written.
    """

    table: Table
    address: int = Field(ge=0, le=65535)
    type: RegisterType
    count: int = Field(default=0, ge=0, le=MAX_REGISTERS)
    scale: float = Field(default=1.0, gt=0)
    unit: Unit = Unit.NONE
    word_order: WordOrder | None = None
    access: Access = Access.R
    mask: int | None = Field(default=None, gt=0)
    invalid: tuple[float, ...] = ()
    range: tuple[float, float] | None = None
    write_range: tuple[float, float] | None = None
    step: float | None = Field(default=None, gt=0)
    values: dict[str, str] = Field(default_factory=dict)
    per_channel: bool = True

    @model_validator(mode="after")
    def _whole(self) -> Self:
        fixed = _WORDS.get(self.type)
        if fixed is not None and self.count not in (0, fixed):
            raise ValueError(f"type {self.type} takes {fixed} registers, not {self.count}")
        if fixed is None and self.count == 0:
            raise ValueError(f"type {self.type} needs a count")
        if self.type is RegisterType.BITFIELD and self.count > 4:
            raise ValueError("a bitfield has at most 4 registers")
        if self.address + self.width > 65536:
            raise ValueError("the point ends behind register 65535")
        if self.write_range is not None and self.access is Access.R:
            raise ValueError("write_range needs access w or rw")
        if self.access is not Access.R and self.table in (Table.INPUT, Table.DISCRETE):
            raise ValueError(f"table {self.table} cannot be written")
        if self.mask is not None and (self.type not in _MASKED or self.access is not Access.R):
            raise ValueError("mask needs a whole number without sign that is only read")
        return self

    @property
    def width(self) -> int:
        """Registers (or bits, for coils and discrete inputs) that the point takes."""
        return _WORDS.get(self.type, self.count)

    @property
    def shift(self) -> int:
        """Bits right of the mask."""
        return 0 if self.mask is None else (self.mask & -self.mask).bit_length() - 1

    @property
    def is_bit(self) -> bool:
        """Whether the point lives in a table of single bits."""
        return self.table in (Table.COIL, Table.DISCRETE)

    @property
    def readable(self) -> bool:
        """Whether a read of the point is documented."""
        return self.access is not Access.W
