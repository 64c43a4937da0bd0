"""Names of things: distinct string types, so that a feeder can never be passed for a meter."""

import re
from typing import NewType

SiteId = NewType("SiteId", str)
LineId = NewType("LineId", str)
MeterId = NewType("MeterId", str)
FeederId = NewType("FeederId", str)
ChargerId = NewType("ChargerId", str)
ConnectorId = NewType("ConnectorId", str)
SessionId = NewType("SessionId", str)
OrderId = NewType("OrderId", str)
CommandId = NewType("CommandId", str)
RelayId = NewType("RelayId", str)
BarrierId = NewType("BarrierId", str)
LockId = NewType("LockId", str)
ReaderId = NewType("ReaderId", str)
JournalId = NewType("JournalId", str)

ID_PATTERN = r"^[A-Za-z0-9._-]{1,64}$"
_ID = re.compile(ID_PATTERN, re.ASCII)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def is_id(text: str) -> bool:
    """Whether the text is an id that the outside faces promise: ASCII letters, digits, dot, dash, underscore."""
    return _ID.fullmatch(text) is not None


def ulid(unix_ms: int, entropy: bytes) -> str:
    """Return the ULID (26 characters, Crockford base 32) of a time in ms and 10 bytes of entropy."""
    if len(entropy) != 10 or not 0 <= unix_ms < 1 << 48:
        raise ValueError("a ULID takes 48 bits of time and 80 bits of entropy")
    number = unix_ms << 80 | int.from_bytes(entropy, "big")
    return "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def ulid_number(text: str) -> int:
    """The 128-bit number that a ULID writes; 0 for what is none."""
    if len(text) != 26 or not set(text) <= set(_CROCKFORD):
        return 0
    number = 0
    for letter in text:
        number = number << 5 | _CROCKFORD.index(letter)
    return number
