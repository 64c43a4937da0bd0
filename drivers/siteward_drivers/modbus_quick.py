"""Knows the usual answer on Modbus TCP at first sight; every other one is left to the search (goal 8)."""

import struct
from collections.abc import Callable
from functools import lru_cache

from siteward_drivers.answer import Answer
from siteward_drivers.modbus import Request

_NUMBER = struct.Struct(">H").unpack_from
_QUICK = 9
"""Where the registers of an answer begin."""

_MAX_READ = 125
_CACHED = 4096


def quick_tcp(request: Request, transaction: int, data: bytes) -> Answer | None:
    """The answer where the bytes are nothing but the registers that were asked for, as most often; else find_tcp."""
    form = _quick_form(request)
    if form is None or len(data) != form[0] or data[2:_QUICK] != form[1] or _NUMBER(data)[0] != transaction:
        return None
    return Answer(form[2](data, _QUICK))


@lru_cache(_CACHED)
def _quick_form(request: Request) -> tuple[int, bytes, Callable[..., tuple[int, ...]]] | None:
    """Length of the answer, what stands between its number and its registers, and what unpacks them."""
    if request.function not in (3, 4) or not 1 <= request.count <= _MAX_READ:
        return None
    size = 2 * request.count
    head = struct.pack(">HHBBB", 0, 3 + size, request.unit, request.function, size)
    return _QUICK + size, head, struct.Struct(f">{request.count}H").unpack_from
