"""The device side of Modbus in few lines: requests to answers, and both frames, RTU and TCP, byte by byte."""

from dataclasses import dataclass

from siteward_drivers.profile_points import Table
from siteward_drivers.sim.devices import BitDevice, SimDevice
from siteward_drivers.sim.registers import ILLEGAL_FUNCTION, ILLEGAL_VALUE, ModbusFault

_READS = {3: Table.HOLDING, 4: Table.INPUT}
_BITS = {1: Table.COIL, 2: Table.DISCRETE}
_BROKEN = -1


def crc16(data: bytes) -> bytes:
    """Check of an RTU frame: CRC-16 with polynomial 0xA001, low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return bytes((crc & 0xFF, crc >> 8))


def execute(device: SimDevice, pdu: bytes) -> bytes:
    """Answer of a device to a request without its frame: the data, or an exception."""
    function = pdu[0]
    try:
        if isinstance(device, BitDevice) and function in (*_BITS, 5) and len(pdu) == 5:
            return _bits(device, pdu)
        if function in _READS and len(pdu) == 5:
            words = device.read(_READS[function], _word(pdu, 1), _word(pdu, 3))
            return bytes((function, 2 * len(words))) + b"".join(w.to_bytes(2, "big") for w in words)
        if function == 6 and len(pdu) == 5:
            device.write(_word(pdu, 1), (_word(pdu, 3),), function)
            return pdu
        if function == 16:
            return _write_many(device, pdu)
        raise ModbusFault(ILLEGAL_FUNCTION)
    except ModbusFault as fault:
        return bytes((function | 0x80, fault.code))


def _bits(device: BitDevice, pdu: bytes) -> bytes:
    address, second = _word(pdu, 1), _word(pdu, 3)
    if pdu[0] == 5:
        device.write_coil(address, second)
        return pdu
    if not 1 <= second <= 2000:
        raise ModbusFault(ILLEGAL_VALUE)
    packed = bytearray((second + 7) // 8)
    for n, bit in enumerate(device.read_bits(_BITS[pdu[0]], address, second)):
        packed[n // 8] |= bit << n % 8
    return bytes((pdu[0], len(packed))) + bytes(packed)


def _write_many(device: SimDevice, pdu: bytes) -> bytes:
    count = _word(pdu, 3) if len(pdu) >= 6 else 0
    if not 1 <= count <= 123 or pdu[5] != 2 * count or len(pdu) != 6 + 2 * count:
        raise ModbusFault(ILLEGAL_VALUE)
    device.write(_word(pdu, 1), tuple(_word(pdu, 6 + 2 * n) for n in range(count)), 16)
    return pdu[:5]


def _word(data: bytes | bytearray, at: int) -> int:
    return data[at] << 8 | data[at + 1]


@dataclass(frozen=True, slots=True)
class RtuRequest:
    """One good request frame."""

    unit: int
    pdu: bytes


class RtuFramer:
    """Finds request frames in the bytes that a master sends; anything that is none is dropped until silence."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def silence(self) -> None:
        """The wire was quiet: what is there will not be continued."""
        self._buffer.clear()

    def feed(self, data: bytes) -> tuple[list[RtuRequest], int]:
        """Take bytes; the good requests that are complete now, and how many bad frames were dropped."""
        self._buffer += data
        requests: list[RtuRequest] = []
        while (length := _request_length(self._buffer)) is not None:
            if length == _BROKEN or len(self._buffer) < length:
                break
            frame = bytes(self._buffer[:length])
            if crc16(frame[:-2]) != frame[-2:]:
                length = _BROKEN
                break
            del self._buffer[:length]
            requests.append(RtuRequest(frame[0], frame[1:-2]))
        if length == _BROKEN:
            self._buffer.clear()
            return requests, 1
        return requests, 0


def _request_length(buffer: bytearray) -> int | None:
    """Length of the request that begins in the buffer, None while that cannot be told, _BROKEN when it is none."""
    if len(buffer) < 2:
        return None
    if 1 <= buffer[1] <= 6:
        return 8
    if buffer[1] in (15, 16):
        return 9 + buffer[6] if len(buffer) > 6 else None
    return _BROKEN


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A whole RTU frame."""
    body = bytes((unit,)) + pdu
    return body + crc16(body)


@dataclass(frozen=True, slots=True)
class TcpRequest:
    """One request of Modbus TCP with its transaction number."""

    transaction: int
    unit: int
    pdu: bytes


class TcpFramer:
    """Finds requests in a Modbus TCP stream."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[TcpRequest]:
        """Take bytes; the requests that are complete now. Raises ValueError for a stream that is no Modbus TCP."""
        self._buffer += data
        requests: list[TcpRequest] = []
        while len(self._buffer) >= 8:
            length = _word(self._buffer, 4)
            if _word(self._buffer, 2) != 0 or not 2 <= length <= 254:
                raise ValueError("not a Modbus TCP header")
            if len(self._buffer) < 6 + length:
                break
            frame = bytes(self._buffer[: 6 + length])
            del self._buffer[: 6 + length]
            requests.append(TcpRequest(_word(frame, 0), frame[6], frame[7:]))
        return requests


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A whole Modbus TCP frame."""
    return transaction.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + bytes((unit,)) + pdu
