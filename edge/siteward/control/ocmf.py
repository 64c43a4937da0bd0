"""OCMF records read, never written again: their sections as bytes, and the readings that the payload holds."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from siteward.model.errors import SitewardError

DEFAULT_ALGORITHM = "ECDSA-secp256r1-SHA256"
"""What signed a record that does not say so (OCMF, table 22)."""

ENDS = frozenset("ELRAP")
"""Reasons of a reading that end a transaction (OCMF, table 7, TX)."""

_UNITS = {"kWh": Decimal(1000), "Wh": Decimal(1)}
_MOST_WH = Decimal(10) ** 15
_DIGITS_MOST = 30
_PAGE_DIGITS_MOST = 15
"""Pages of a meter that signs each second for a million years; more digits are no number that anybody counted."""


class BadOcmf(SitewardError):
    """A record that is no OCMF, or that the meter garbled."""


@dataclass(frozen=True, slots=True)
class OcmfReading:
    """One reading: reason (TX), register and its last digit in Wh, clock state (U, I, S, R), meter state, error flags.

    A register that the record does not give in a unit of energy is None.
    """

    reason: str
    register_wh: Decimal | None
    digit_wh: Decimal
    time: str
    clock: str
    state: str
    errors: str


@dataclass(frozen=True, slots=True)
class Ocmf:
    """A record: the payload's bytes as signed, what they say, and the signature with the name of its algorithm."""

    payload: bytes
    fields: Mapping[str, Any]
    readings: tuple[OcmfReading, ...]
    algorithm: str
    signature: bytes

    @property
    def curve(self) -> str:
        """Name of the curve, "" for an algorithm that is none of OCMF's."""
        parts = self.algorithm.split("-")
        return parts[1] if len(parts) == 3 and parts[0] == "ECDSA" and parts[2] == "SHA256" else ""

    @property
    def serial(self) -> str:
        """Serial number of the meter, else of the gateway."""
        return _text(self.fields.get("MS")) or _text(self.fields.get("GS"))

    @property
    def page(self) -> int | None:
        """Number in the transaction context (PG), None outside of it."""
        number = self.pagination[1:]
        counted = self.pagination[:1] == "T" and number.isascii() and number.isdigit()
        return int(number) if counted and len(number) <= _PAGE_DIGITS_MOST else None

    @property
    def pagination(self) -> str:
        """The page as the record writes it, "" where it does not."""
        return _text(self.fields.get("PG"))

    @property
    def about(self) -> str:
        """Whom or what the transaction was assigned to (ID)."""
        return _text(self.fields.get("ID"))

    @property
    def begin(self) -> OcmfReading | None:
        """The reading that began the transaction."""
        return next((reading for reading in self.readings if reading.reason == "B"), None)

    @property
    def end(self) -> OcmfReading | None:
        """The reading that ended it."""
        return next((reading for reading in reversed(self.readings) if reading.reason in ENDS), None)


def parse(document: bytes) -> Ocmf:
    """Read a record. Raises BadOcmf for whatever is none; the bytes stay as they are in any case."""
    parts = document.split(b"|")
    if len(parts) != 3 or parts[0] != b"OCMF":
        raise BadOcmf("not of the form OCMF|payload|signature")
    payload, signed = _object(parts[1]), _object(parts[2])
    return Ocmf(
        payload=parts[1],
        fields=payload,
        readings=_readings(payload.get("RD")),
        algorithm=_text(signed.get("SA")) or DEFAULT_ALGORITHM,
        signature=_signature(signed),
    )


def _object(section: bytes) -> dict[str, Any]:
    try:
        # Not strict: a tab inside a text is no reason to lose a record whose signature holds.
        found = json.loads(section, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number, strict=False)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise BadOcmf(f"a section is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadOcmf("a section is no JSON object")
    return found


def _no_number(name: str) -> Decimal:
    raise BadOcmf(f"{name} is no number")


def _signature(section: Mapping[str, Any]) -> bytes:
    data, encoding = section.get("SD"), section.get("SE", "hex")
    if not isinstance(data, str) or encoding not in ("hex", "base64"):
        raise BadOcmf("no signature that can be decoded")
    try:
        return bytes.fromhex(data) if encoding == "hex" else base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadOcmf(f"the signature cannot be decoded: {error}") from error


def _readings(rows: object) -> tuple[OcmfReading, ...]:
    """Every reading; a field that one leaves out is that of the reading before it (OCMF, readings)."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadOcmf("RD is no list of readings")
    found: list[OcmfReading] = []
    known: dict[str, Any] = {}
    for row in rows:
        known = {**known, **row}
        found.append(_reading(known))
    return tuple(found)


def _reading(known: Mapping[str, Any]) -> OcmfReading:
    time, _, clock = _text(known.get("TM")).partition(" ")
    register_wh, digit_wh = _register(known.get("RV"), _UNITS.get(_text(known.get("RU"))))
    return OcmfReading(
        reason=_text(known.get("TX")),
        register_wh=register_wh,
        digit_wh=digit_wh,
        time=time,
        clock=clock,
        state=_text(known.get("ST")),
        errors=_text(known.get("EF")),
    )


def _register(value: object, factor: Decimal | None) -> tuple[Decimal | None, Decimal]:
    """Value and last digit in Wh; some meters write the number as a text."""
    if factor is None or isinstance(value, bool) or not isinstance(value, Decimal | str):
        return None, Decimal(0)
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None, Decimal(0)
    exponent = number.as_tuple().exponent
    # Before any arithmetic: a number of a few signs can have more digits than decimals can count.
    if not isinstance(exponent, int) or number.adjusted() > _DIGITS_MOST or abs(exponent) > _DIGITS_MOST:
        return None, Decimal(0)
    if abs(number) > _MOST_WH:
        return None, Decimal(0)
    return number * factor, Decimal(1).scaleb(exponent) * factor


def _text(value: object) -> str:
    """A text of a record, "" where it is missing, "?" where it is none; what no UTF-8 can write is replaced."""
    if value is None or isinstance(value, bool | Decimal):
        return "" if value is None else str(value)
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else "?"
