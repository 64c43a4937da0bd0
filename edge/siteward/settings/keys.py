"""How a key of site.toml is declared: meaning, unit, allowed range, default and the reason, all in one place."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from siteward.model.ids import ID_PATTERN

MISSING: Any = ...
"""Stands for a key that has no default."""


class Table(BaseModel):
    """Root of all tables of the file: exact types, no unknown keys, no infinities."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)


def key(default: Any, meaning: str, *, unit: str = "-", reason: str, span: str = "", **rules: Any) -> Any:
    """Declare a key.

    `meaning` is what it says, `reason` why it is asked or why the default is what it is, `span` the allowed range in
    words where the rules of a single number do not tell it.
    """
    extra: dict[str, JsonValue] = {"unit": unit, "reason": reason}
    if span:
        extra["span"] = span
    return Field(default, description=meaning, json_schema_extra=extra, **rules)


def name_key() -> Any:
    """Declare the key `name` of whatever has an id besides."""
    return key(
        None, "Name for people; the id when it is not given.", reason="Pages show it.", min_length=1, max_length=80
    )


Id = Annotated[str, Field(pattern=ID_PATTERN)]
"""A name that the outside faces promise: 1 to 64 of A-Z a-z 0-9 . _ -."""

PhaseAmps = Annotated[list[Annotated[float, Field(ge=0, le=6300)]], Field(min_length=3, max_length=3)]
"""A current on L1, L2, L3 of a feeder, in A."""

RatedAmps = Annotated[list[Annotated[float, Field(ge=1, le=6300)]], Field(min_length=3, max_length=3)]
"""A rated current on L1, L2, L3 of a feeder, in A; a fuse of 0 A protects nothing."""

HexDigits = Annotated[str, Field(pattern=r"^([0-9a-fA-F]{2})+$")]
"""Bytes as hexadecimal digits."""
