"""Envelope and value types that every message of contract v1 shares."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from siteward.client.messages import wire_key
from siteward.model.ids import ID_PATTERN

PROTOCOL_VERSION = "1.0"
"""What this program speaks: a newer minor is understood, another major is not."""


def rfc3339(at: datetime) -> str:
    """RFC 3339 text of an instant in UTC with milliseconds and `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII)


def _only_rfc3339(value: Any) -> Any:
    """Refuse the other spellings that the parser would guess at, such as seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _RFC3339.fullmatch(value)):
        raise ValueError("a time is written as in RFC 3339, 2026-05-01T08:00:00.000Z")
    return value


Time = Annotated[
    AwareDatetime,
    Field(strict=False),
    BeforeValidator(_only_rfc3339),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Amps = Annotated[float, PlainSerializer(lambda a: round(a, 1), return_type=float, when_used="json")]
Volts = Annotated[float, PlainSerializer(lambda v: round(v, 1), return_type=float, when_used="json")]
Celsius = Annotated[float, PlainSerializer(lambda c: round(c, 1), return_type=float, when_used="json")]
PerPhaseAmps = tuple[Amps, Amps, Amps]
PerPhaseVolts = tuple[Volts, Volts, Volts]


class Wire(BaseModel):
    """Root of all wire models: frozen, strict, wire keys, unknown keys of a newer minor version ignored."""

    model_config = ConfigDict(
        alias_generator=wire_key, populate_by_name=True, frozen=True, extra="ignore", strict=True, allow_inf_nan=False
    )

    def to_json(self) -> bytes:
        """Compact UTF-8 JSON; what is not known is left out, never sent as zero."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class Head(Wire):
    """Envelope without its payload."""

    protocol_version: str = Field(pattern=r"^[0-9]{1,4}\.[0-9]{1,4}$", examples=[PROTOCOL_VERSION])
    station_id: Id
    message_id: Id
    sent_at: Time


P = TypeVar("P", bound=Wire)


class Envelope(Head, Generic[P]):
    """Every message: who, when, which words, and the payload."""

    payload: P
