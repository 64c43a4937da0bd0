"""The languages of a serial wire: requests of Modbus RTU or DL/T as bytes, and their answers out of bytes."""

from typing import TypeAlias

from siteward_drivers import dlt645, dlt698
from siteward_drivers.answer import Answer
from siteward_drivers.dlt645 import MeterRequest
from siteward_drivers.dlt698 import ObjectRequest
from siteward_drivers.modbus import Request, encode_rtu, find_rtu

AnyRequest: TypeAlias = Request | MeterRequest | ObjectRequest
"""A request in one of the languages."""

_GARBAGE_END_S = 0.05
_METER_BYTE_GAP_S = 0.5


def encode(request: AnyRequest) -> bytes:
    """The frame of a request. Raises ValueError or NotBcd for what the language cannot say."""
    if isinstance(request, ObjectRequest):
        return dlt698.encode(request)
    return dlt645.encode(request) if isinstance(request, MeterRequest) else encode_rtu(request)


def find(request: AnyRequest, buffer: bytes) -> Answer | None:
    """The first whole frame that answers the request, None while there is none."""
    if isinstance(request, ObjectRequest):
        return dlt698.find(request, buffer)
    return dlt645.find(request, buffer) if isinstance(request, MeterRequest) else find_rtu(request, buffer)


def may_be_whole(request: AnyRequest, buffer: bytes | bytearray) -> bool:
    """Whether the bytes may hold a whole answer by now: worth the search."""
    if len(buffer) >= request.reply_length:
        return True
    if not isinstance(request, Request):
        # Refusals and parts of longer data are shorter, and some meters send a byte or two behind the frame.
        return dlt645.END in buffer
    refusal = bytes((request.unit, request.function | 0x80))
    return len(buffer) >= len(refusal) and refusal in buffer


def garbage_end_s(request: AnyRequest) -> float:
    """Silence after which nothing more comes behind enough wrong bytes; a meter may pause between its bytes."""
    return _GARBAGE_END_S if isinstance(request, Request) else _METER_BYTE_GAP_S


def least_length(request: AnyRequest) -> int:
    """Bytes that an answer with yes has at least, 0 where that is open."""
    known = isinstance(request, Request) or (isinstance(request, MeterRequest) and request.count is not None)
    return request.reply_length if known else 0


def wants_answer(request: AnyRequest) -> bool:
    """Whether anybody answers: broadcasts are only heard."""
    return True if isinstance(request, Request) else request.wants_answer
