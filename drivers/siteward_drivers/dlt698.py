"""DL/T 698.45 as bytes, by the codec of the optional package dlt698: the one file that imports it, when one is used."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from siteward.model.errors import ConfigError
from siteward_drivers.answer import Answer
from siteward_drivers.profile_data import ObjectType

_MISSING = (
    "DL/T 698.45 needs the Python package dlt698, which is not installed: pip install 'siteward[dlt698]' "
    "(64-bit x86 and ARM)"
)

WAKE_UP = 4
"""FE bytes that go before a frame, so that a sleeping receiver finds its start."""

END = 0x16
"""Last byte of every frame."""

PIIDS = 64
"""Numbers that requests have in turn; the answer says to which it belongs."""

MOST_OBJECTS = 16
"""Objects in one request; the answer stays inside the 256 bytes or so that every meter can send."""

_START, _WAKE = 0x68, 0xFE
_CLIENT = 0x10
_ASK, _ANSWER = 0x43, 0xC3
_GET = 0x05
_LENGTH_BITS = 0x3FFF
_AROUND = 17
_REQUEST_AROUND, _REPLY_AROUND = _AROUND + 5, _AROUND + 6
_OAD_BYTES = 4
_TYPES = {
    "int16": ObjectType.LONG,
    "uint16": ObjectType.LONG_UNSIGNED,
    "int32": ObjectType.DOUBLE_LONG,
    "uint32": ObjectType.DOUBLE_LONG_UNSIGNED,
    "int64": ObjectType.LONG64,
    "uint64": ObjectType.LONG64_UNSIGNED,
    "octet_string": ObjectType.OCTET_STRING,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One value as it came; `type` is None for one of a type that no meter's profile has."""

    type: ObjectType | None
    value: int | bytes | None


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """Ask one meter for attributes of its objects: `oads` such as "20010200", `piid` counts the requests.

    `reply_length` is how many bytes the frame has that answers it, wake-up bytes left out.
    """

    address: str
    piid: int
    oads: tuple[str, ...]
    reply_length: int
    function: int = _GET

    @property
    def is_read(self) -> bool:
        """Nothing else is ever asked of a meter."""
        return True

    @property
    def wants_answer(self) -> bool:
        """The addressed meter answers."""
        return True

    def confusable(self, other: object) -> bool:
        """Whether an answer to the other request would also pass as an answer to this one."""
        return isinstance(other, ObjectRequest) and (self.address, self.piid, self.oads) == (
            other.address,
            other.piid,
            other.oads,
        )

    def __str__(self) -> str:
        """For people: what was asked for."""
        return f"objects {', '.join(self.oads)}"


def get(address: str, piid: int, oads: tuple[str, ...], data_bytes: int) -> ObjectRequest:
    """Ask for attributes whose values take so many bytes, type tags included. Raises ValueError.

    ValueError: an address that is no 12 digits, a number outside 0..63, no objects or too many.
    """
    if len(address) != 12 or not (address.isascii() and address.isdecimal()):
        raise ValueError(f"{address!r} is no meter address of 12 digits")
    if not 0 <= piid < PIIDS or not 1 <= len(oads) <= MOST_OBJECTS:
        raise ValueError(f"request {piid} for {len(oads)} objects")
    return ObjectRequest(address, piid, oads, reply_length(len(oads), data_bytes))


def request_length(oads: int) -> int:
    """Bytes of a request for so many objects, wake-up bytes included."""
    return WAKE_UP + _REQUEST_AROUND + oads * _OAD_BYTES


def reply_length(oads: int, data_bytes: int) -> int:
    """Bytes of the answer that holds so many objects with so many bytes of values, wake-up bytes left out."""
    return _REPLY_AROUND + oads * (_OAD_BYTES + 1) + data_bytes


def require(who: str) -> None:
    """Raises ConfigError, with who needs it and what to install, where the package is not there."""
    try:
        _library()
    except ConfigError as error:
        raise ConfigError(f"{who}: {error}") from error


@cache
def _library() -> Any:
    try:
        import dlt698
        import dlt698.codec
        import dlt698.protocol.link
    except ImportError as error:
        raise ConfigError(_MISSING) from error
    library: ModuleType = dlt698
    return library


def encode(request: ObjectRequest) -> bytes:
    """The request as bytes, wake-up bytes before it. Raises ConfigError without the package."""
    library = _library()
    asked = library.protocol.GetRequest(list=True, piid=request.piid, attributes=[_oad(oad) for oad in request.oads])
    link = library.protocol.link
    server = link.ServerAddress(bytes=_wire_address(request.address), logical=0, type=link.AddressType.single)
    frame = link.Frame(client=_CLIENT, control=_ASK, server=server, payload=library.codec.encode_apdu(asked))
    return bytes((_WAKE,)) * WAKE_UP + bytes(library.codec.encode_frame(frame))


def find(request: ObjectRequest, buffer: bytes) -> Answer | None:
    """The first whole frame that answers the request, None while there is none.

    Both checksums, address, request number and the objects in their order must be right; our own echo never is. The
    answer's values are the bytes of its APDU, for `results`. Raises ConfigError without the package.
    """
    for frame in _frames(buffer):
        if frame.control != _ANSWER or frame.client != _CLIENT or frame.server.bytes != _wire_address(request.address):
            continue
        answer = _judge(request, bytes(frame.payload))
        if answer is not None:
            return answer
    return None


def results(apdu: bytes) -> tuple[tuple[Item, ...] | int, ...]:
    """What an answer's APDU says of each object asked for: its values (one, or an array's), or the code of a refusal.

    Raises ValueError for bytes that are no such answer.
    """
    library = _library()
    try:
        answer = library.codec.decode_apdu(apdu)
    except library.Dlt698Error as error:
        raise ValueError(str(error)) from error
    if not isinstance(answer, library.protocol.GetResponse):
        raise ValueError(f"{apdu.hex(' ')} answers no reading")
    return tuple(part.result if isinstance(part.result, int) else _items(part.result) for part in answer.attributes)


def _frames(buffer: bytes) -> Iterator[Any]:
    """Every whole frame in the bytes with right checksums: whatever stands around them is stepped over."""
    library = _library()
    at = 0
    while (at := buffer.find(_START, at)) >= 0:
        end = at + 2 + (int.from_bytes(buffer[at + 1 : at + 3], "little") & _LENGTH_BITS)
        try:
            # The library takes whole frames only, so the end must be known before.
            yield library.codec.decode_frame(buffer[at:end])
        except library.Dlt698Error:
            at += 1
        else:
            at = end


def _judge(request: ObjectRequest, apdu: bytes) -> Answer | None:
    library = _library()
    try:
        said = library.codec.decode_apdu(apdu)
    except library.Dlt698Error:
        return None
    if isinstance(said, library.protocol.ErrorResponse):
        return Answer(exception=said.type) if said.piid % PIIDS == request.piid else None
    if not isinstance(said, library.protocol.GetResponse) or not said.list or said.piid_acd % PIIDS != request.piid:
        return None
    told = tuple(_text(part.attribute) for part in said.attributes)
    return Answer(tuple(apdu)) if told == request.oads else None


def _items(data: Any) -> tuple[Item, ...]:
    if data.type.name == "array":
        return tuple(_item(part) for part in data.value)
    return (_item(data),)


def _item(data: Any) -> Item:
    kind = _TYPES.get(data.type.name)
    return Item(kind, None if kind is None else data.value)


def _wire_address(address: str) -> bytes:
    """The digits in the order of the wire, low byte first."""
    return bytes.fromhex(address)[::-1]


def _oad(text: str) -> Any:
    code = bytes.fromhex(text)
    return _library().Oad(oi=code[0] << 8 | code[1], attribute=code[2], index=code[3])


def _text(oad: Any) -> str:
    return f"{oad.oi:04X}{oad.attribute:02X}{oad.index:02X}"
