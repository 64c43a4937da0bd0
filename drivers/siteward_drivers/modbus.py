"""Modbus requests as bytes and bytes as answers, on pymodbus' PDUs and framers: the one file that imports it."""

import struct
from dataclasses import dataclass, field
from functools import lru_cache

from pymodbus.framer.rtu import FramerRTU
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    ReadDiscreteInputsRequest,
    ReadDiscreteInputsResponse,
    WriteMultipleCoilsRequest,
    WriteSingleCoilRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from siteward_drivers.answer import Answer as Answer
from siteward_drivers.errors import Garbled

_READ_BITS = (1, 2)
_READS = (1, 2, 3, 4)
_DECODER = DecodePDU(False)
_RTU = FramerRTU(_DECODER)
_TCP = FramerSocket(_DECODER)
_BITS: dict[int, type[ReadCoilsResponse]] = {1: ReadCoilsResponse, 2: ReadDiscreteInputsResponse}
_CACHED_FRAMES = 1024
_EXCEPTION_LENGTH = 5
_REQUEST_LENGTH = 8
_LAST_EXCEPTION = 11
_MBAP = 7
_MAX_TCP_LENGTH = 254
_HEADER = struct.Struct(">HHHB").unpack_from
_MAX_READ = 125
_CACHED = 4096
_WORDS = tuple(struct.Struct(f">{count}H") for count in range(_MAX_READ + 1))


@dataclass(frozen=True, slots=True)
class Request:
    """One Modbus request: `values` are the registers (or bits as 0 and 1) of a write, `count` how many are meant.

    `raw` sends the value of function 5 as the word that it is: some relay boards take a time there, which the protocol
    does not know. `is_read`: it changes nothing in the device; `reply_length`: bytes of the RTU frame that says yes.
    """

    unit: int
    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()
    raw: bool = False
    is_read: bool = field(init=False, repr=False, compare=False)
    reply_length: int = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Work out once what every exchange asks many times."""
        is_read = self.function in _READS
        length = 5 + 2 * self.count if is_read else 8
        if self.function in _READ_BITS:
            length = 5 + (self.count + 7) // 8
        object.__setattr__(self, "is_read", is_read)
        object.__setattr__(self, "reply_length", length)
        words = (self.unit, self.function, self.address, self.count, self.values, self.raw)
        object.__setattr__(self, "_hash", hash(words))

    def __hash__(self) -> int:
        """Of what is compared: frames are looked up by it at every exchange."""
        return self._hash

    def __str__(self) -> str:
        """For people: what was asked for."""
        return f"function {self.function} at {self.address}"

    def confusable(self, other: object) -> bool:
        """Whether an RTU answer to the other request would also pass as an answer to this one."""
        if not isinstance(other, Request) or self.unit != other.unit or self.function != other.function:
            return False
        if self.is_read:
            return self.reply_length == other.reply_length
        return _echo(self) == _echo(other)


@lru_cache(_CACHED)
def read_request(unit: int, function: int, address: int, count: int) -> Request:
    """A request to read; devices of the same kind at the same unit share theirs, and the frames that belong to it."""
    return Request(unit, function, address, count)


class _RawCoilRequest(ModbusPDU):
    """Function 5 with any word as its value, which the library's own PDU cannot say."""

    function_code = 5

    def encode(self) -> bytes:
        """Address and word. ValueError outside 16 bits."""
        if not (0 <= self.address <= 0xFFFF and 0 <= self.registers[0] <= 0xFFFF):
            raise ValueError(f"coil {self.address} with {self.registers[0]} does not fit into the protocol")
        return self.address.to_bytes(2, "big") + self.registers[0].to_bytes(2, "big")


@lru_cache(maxsize=_CACHED_FRAMES)
def encode_rtu(request: Request) -> bytes:
    """The request as an RTU frame. Raises ValueError for counts and addresses outside the protocol.

    Polls ask the same again and again: their frames are kept.
    """
    return bytes(_RTU.buildFrame(_pdu(request)))


def encode_tcp(request: Request, transaction: int) -> bytes:
    """The request as a Modbus TCP frame. Raises ValueError for counts and addresses outside the protocol."""
    return transaction.to_bytes(2, "big") + _tcp_rest(request)


@lru_cache(_CACHED)
def _tcp_rest(request: Request) -> bytes:
    """All of a Modbus TCP frame behind its transaction number: the same at every poll."""
    return bytes(_TCP.buildFrame(_pdu(request)))[2:]


def find_rtu(request: Request, buffer: bytes) -> Answer | None:
    """The first whole frame in the buffer that answers the request, None while there is none.

    A frame counts only with the request's unit, its function, the exact length or echo, and a right checksum; bytes
    before it (noise, other slaves) are stepped over one by one, so that a burst of noise costs no answer.
    """
    for start in range(len(buffer) - _EXCEPTION_LENGTH + 1):
        if buffer[start] != request.unit:
            continue
        length = _rtu_length(request, buffer[start + 1 :])
        frame = buffer[start : start + length]
        if length == 0 or len(frame) < length:
            continue
        if FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
            answer = _answer(request, frame[1:-2])
            if answer is not None:
                return answer
    return None


def find_tcp(request: Request, transaction: int, buffer: bytearray) -> Answer | None:
    """Take whole frames off the buffer until one answers the request; frames of other transactions are dropped.

    Raises Garbled when the bytes cannot be Modbus TCP: the stream has lost its place.
    """
    while len(buffer) >= _MBAP:
        number, protocol, length, unit = _HEADER(buffer)
        if protocol or not 2 <= length <= _MAX_TCP_LENGTH:
            raise Garbled(f"no Modbus TCP header: {bytes(buffer[:_MBAP]).hex(' ')}")
        if len(buffer) < 6 + length:
            return None
        pdu = bytes(buffer[_MBAP : 6 + length])
        del buffer[: 6 + length]
        if number != transaction or unit != request.unit:
            continue
        answer = _answer(request, pdu)
        if answer is not None:
            return answer
    return None


def reads_in(data: bytes) -> list[bytes]:
    """Requests for registers in bytes from an RTU wire.

    Eight bytes with such a function and a right checksum are no answer: that would hold an odd number of bytes.
    """
    found = []
    start = 0
    while start + 8 <= len(data):
        frame = data[start : start + 8]
        is_read = frame[1] in (3, 4) and 1 <= int.from_bytes(frame[4:6], "big") <= _MAX_READ
        if is_read and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
            found.append(frame)
            start += 8
        else:
            start += 1
    return found


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame with a right checksum, whoever sent it; `payload` is what follows the function code."""

    unit: int
    function: int
    payload: bytes
    is_request: bool = False

    @property
    def exception(self) -> int | None:
        """Its exception code, None when it is none."""
        return self.payload[0] if self.function & 0x80 else None


def heard_rtu(buffer: bytes) -> tuple[tuple[Heard, ...], int]:
    """Every RTU frame of reads in the bytes, and how many bytes belong to none: for tools that do not know who speaks.

    A request of another master is told from an answer by its length.
    """
    frames: list[Heard] = []
    start = loose = 0
    while start < len(buffer):
        for length in _heard_lengths(buffer[start : start + 3]):
            frame = buffer[start : start + length]
            if len(frame) == length and FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big")):
                is_request = length == _REQUEST_LENGTH and frame[1] in _READS and length != 5 + frame[2]
                frames.append(Heard(frame[0], frame[1], frame[2:-2], is_request))
                start += length
                break
        else:
            loose += 1
            start += 1
    return tuple(frames), loose


def _heard_lengths(head: bytes) -> tuple[int, ...]:
    if len(head) < 3:
        return ()
    if head[1] & 0x80:
        plain = head[1] & 0x7F in _READS and 1 <= head[2] <= _LAST_EXCEPTION
        return (_EXCEPTION_LENGTH,) if plain else ()
    if head[1] in _READS:
        return (5 + head[2], _REQUEST_LENGTH) if head[2] else (_REQUEST_LENGTH,)
    return (_REQUEST_LENGTH,) if head[1] in (5, 6) else ()


def _pdu(request: Request) -> ModbusPDU:
    unit, address, count, values = request.unit, request.address, request.count, request.values
    bits = [bool(v) for v in values]
    match request.function:
        case 1:
            return ReadCoilsRequest(dev_id=unit, address=address, count=count)
        case 2:
            return ReadDiscreteInputsRequest(dev_id=unit, address=address, count=count)
        case 3:
            return ReadHoldingRegistersRequest(dev_id=unit, address=address, count=count)
        case 4:
            return ReadInputRegistersRequest(dev_id=unit, address=address, count=count)
        case 5 if request.raw:
            return _RawCoilRequest(dev_id=unit, address=address, registers=list(values))
        case 5:
            return WriteSingleCoilRequest(dev_id=unit, address=address, bits=bits)
        case 6:
            return WriteSingleRegisterRequest(dev_id=unit, address=address, registers=list(values))
        case 15:
            return WriteMultipleCoilsRequest(dev_id=unit, address=address, bits=bits)
        case 16:
            return WriteMultipleRegistersRequest(dev_id=unit, address=address, registers=list(values))
    raise ValueError(f"function {request.function} is not driven")


def _echo(request: Request) -> bytes:
    """The four bytes after the function code with which a device acknowledges a write."""
    if request.function == 5 and not request.raw:
        return request.address.to_bytes(2, "big") + (b"\xff\x00" if request.values[0] else b"\0\0")
    second = request.values[0] if request.function in (5, 6) else request.count
    return request.address.to_bytes(2, "big") + second.to_bytes(2, "big")


def _rtu_length(request: Request, after_unit: bytes) -> int:
    """Length of the frame that begins here, 0 when it cannot answer the request."""
    if after_unit[0] == request.function | 0x80:
        return _EXCEPTION_LENGTH
    if after_unit[0] != request.function:
        return 0
    if request.is_read and after_unit[1] != request.reply_length - 5:
        return 0
    return request.reply_length


def _answer(request: Request, pdu: bytes) -> Answer | None:
    """Judge a PDU whose unit and checksum (or transaction) are right."""
    if len(pdu) == 2 and pdu[0] == request.function | 0x80:
        return Answer(exception=pdu[1])
    if pdu[0] != request.function or len(pdu) != request.reply_length - 3:
        return None
    if not request.is_read:
        return Answer() if pdu[1:] == _echo(request) else None
    if pdu[1] != len(pdu) - 2:
        return None
    # Length and function are judged: the library is asked without its search and its log, and not for plain words.
    if request.function in _BITS:
        bits = _BITS[request.function]()
        bits.decode(pdu[1:])
        return Answer(values=tuple(int(bit) for bit in bits.bits[: request.count]))
    return Answer(_WORDS[request.count].unpack_from(pdu, 2))
