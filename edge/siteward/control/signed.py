"""What a signed record says and whether it fits: its marks, its energy beside our own, the fact that carries it."""

import base64
import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

from siteward.control.ocmf import BadOcmf, Ocmf, OcmfReading, parse
from siteward.model.signed import SignedHead, SignedState, SignedValue, SignMark, SignResult, SignStep

SLACK_WH = 10
"""What lies between a signed reading and our own beside it, on top of two last digits of the signed register."""

FORMAT = "OCMF"
_GOOD_STATES = ("G", "")
_SURE_CLOCKS = ("S", "R")


@dataclass(frozen=True, slots=True)
class Told:
    """One record as received: its bytes, what they say (None: not to be read), key and verdict."""

    document: bytes
    record: Ocmf | None
    key: bytes | None
    verified: bool | None
    step: SignStep

    @property
    def reading(self) -> OcmfReading | None:
        """The reading that it was asked for."""
        if self.record is None:
            return None
        return self.record.begin if self.step is SignStep.BEGIN else self.record.end

    @property
    def value(self) -> SignedValue:
        """What the session keeps of it."""
        return SignedValue(hashlib.sha256(self.document).hexdigest(), _whole(self.reading), self.verified)


def told(document: bytes, key: bytes | None, verified: bool | None, step: SignStep) -> Told:
    """Read a record as far as it can be read; its bytes are kept either way (fault 81)."""
    try:
        record = parse(document)
    except BadOcmf:
        record = None
    return Told(document, record, key, verified, step)


def answered(result: SignResult, plate: bytes | None) -> Told | None:
    """The record that a meter was asked for, None where it gave none; `plate` is the key that the site names."""
    answer = result.answer
    if answer.document is None:
        return None
    return told(answer.document, plate or answer.public_key, result.verified, result.order.step)


def marks(one: Told, head: SignedHead, serial: str | None, plate: bytes | None, own: bytes | None) -> set[SignMark]:
    """What is doubtful about a record by itself; `serial` is what our own readings of the meter show."""
    found = set()
    if one.verified is False:
        found.add(SignMark.SIGNATURE)
    if plate is not None and own is not None and plate != own:
        found.add(SignMark.KEY)
    reading = one.reading
    if one.record is None or reading is None or reading.register_wh is None:
        return found | {SignMark.UNREADABLE}
    if reading.errors or reading.state not in _GOOD_STATES:
        found.add(SignMark.ERROR)
    if reading.clock not in _SURE_CLOCKS:
        found.add(SignMark.CLOCK)
    if serial is not None and _plain(serial) != _plain(one.record.serial):
        found.add(SignMark.SERIAL)
    page = one.record.page
    if page is None or (head.page is not None and head.meter == one.record.serial and page != head.page + 1):
        found.add(SignMark.PAGINATION)
    return found


def turned(head: SignedHead, one: Told) -> SignedHead:
    """The head with the record's page as the last one."""
    if one.record is None or one.record.page is None:
        return head
    return replace(head, meter=one.record.serial, page=one.record.page)


def energy(one: Told, begin_wh: int | None) -> tuple[int | None, int]:
    """Energy by the signed registers in Wh, None where one is missing, and how far our own may lie beside it.

    A record that holds both readings stands for itself; else the begin is that of the record before it.
    """
    end = one.reading
    if one.record is None or end is None or end.register_wh is None:
        return None, SLACK_WH
    begin = one.record.begin
    first = begin.register_wh if begin is not None else None
    slack = SLACK_WH + int((2 * end.digit_wh).to_integral_value(ROUND_HALF_EVEN))
    if first is None:
        first = None if begin_wh is None else Decimal(begin_wh)
    if first is None:
        return None, slack
    return int((end.register_wh - first).to_integral_value(ROUND_HALF_EVEN)), slack


def compared(state: SignedState, own_wh: int | None) -> SignedState:
    """Hold the signed energy against our own: what differs by more than the slack is marked, never smoothed."""
    if state.energy_wh is None or own_wh is None:
        return state
    difference = state.energy_wh - own_wh
    state = replace(state, difference_wh=difference)
    return marked(state, [SignMark.DIFFERENCE]) if abs(difference) > state.slack_wh else state


def marked(state: SignedState, more: Iterable[SignMark]) -> SignedState:
    """The state with these marks too, each once, in the order of the vocabulary."""
    return replace(state, marks=in_order({*state.marks, *more}))


def in_order(found: Set[SignMark]) -> tuple[SignMark, ...]:
    """Marks in the order of the vocabulary."""
    return tuple(mark for mark in SignMark if mark in found)


def value_data(one: Told, result: SignResult, late: bool) -> dict[str, object]:
    """Data of session.signed: the record byte for byte in base64, with the names that OCPP 2.0.1 gives its parts."""
    record = one.record
    return {
        "step": one.step.value,
        "late": late,
        "meter": result.order.meter,
        "encodingMethod": FORMAT,
        "signingMethod": "" if record is None else record.algorithm,
        "signedMeterData": base64.b64encode(one.document).decode("ascii"),
        "publicKey": None if one.key is None else base64.b64encode(one.key).decode("ascii"),
        "sha256": one.value.sha256,
        "pagination": None if record is None else record.pagination,
        "register_wh": one.value.register_wh,
        "verified": one.verified,
    }


def summary(state: SignedState) -> dict[str, object]:
    """What session.finished says of signed values: the records themselves went before it."""
    values = [value for value in (state.begin, state.end) if value is not None]
    verdicts = [value.verified for value in values]
    whole = state.end is not None and state.energy_wh is not None
    return {
        "state": "complete" if whole else "partial" if values else "none",
        "beginSha256": None if state.begin is None else state.begin.sha256,
        "endSha256": None if state.end is None else state.end.sha256,
        "verified": False if False in verdicts else None if None in verdicts or not verdicts else True,
        "energy_wh": state.energy_wh,
        "difference_wh": state.difference_wh,
        "failure": None if state.failure is None else state.failure.value,
        "marks": [mark.value for mark in state.marks],
    }


def _whole(reading: OcmfReading | None) -> int | None:
    if reading is None or reading.register_wh is None:
        return None
    return int(reading.register_wh.to_integral_value(ROUND_HALF_EVEN))


def _plain(serial: str) -> str:
    return serial.strip().lstrip("0")
