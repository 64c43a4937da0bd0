"""The meter's side of DL/T 698.45 in few lines: its frames, readings of lists of objects, and their values."""

from dataclasses import dataclass

from siteward.model.serial import SerialSettings
from siteward_drivers.profile_data import ObjectPoint, ObjectType
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.registers import Value

_WAKE = b"\xfe\xfe\xfe\xfe"
_HEAD = 14
"""Bytes of a frame before its APDU, with an address of six bytes."""
_GET, _LIST = 0x05, 0x02
_NO_SUCH_OBJECT = 4
_TAGS = {
    ObjectType.LONG: 0x10,
    ObjectType.LONG_UNSIGNED: 0x12,
    ObjectType.DOUBLE_LONG: 0x05,
    ObjectType.DOUBLE_LONG_UNSIGNED: 0x06,
    ObjectType.LONG64: 0x14,
    ObjectType.LONG64_UNSIGNED: 0x15,
    ObjectType.OCTET_STRING: 0x09,
}


def check(data: bytes) -> bytes:
    """The 16 bits that guard head and frame (the X.25 sum of ISO 13239), low byte first."""
    sum16 = 0xFFFF
    for byte in data:
        sum16 ^= byte
        for _ in range(8):
            sum16 = sum16 >> 1 ^ (0x8408 if sum16 & 1 else 0)
    return (sum16 ^ 0xFFFF).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class ObjectAsk:
    """One good request frame: address in the order of the wire, the client's own, what is asked."""

    address: bytes
    client: int
    apdu: bytes


class ObjectFramer:
    """Finds DL/T 698.45 requests in the bytes that a master sends; anything that is none is dropped until silence."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def silence(self) -> None:
        """The wire was quiet: what is there will not be continued."""
        self._buffer.clear()

    def feed(self, data: bytes) -> tuple[list[ObjectAsk], int]:
        """Take bytes; the good requests that are complete now, and how many bad frames were dropped."""
        self._buffer += data
        asks: list[ObjectAsk] = []
        while True:
            while self._buffer[:1] == b"\xfe":
                del self._buffer[0]
            end = 2 + int.from_bytes(self._buffer[1:3], "little") if len(self._buffer) > 2 else _HEAD
            if not self._buffer or (self._buffer[0] == 0x68 and len(self._buffer) < end):
                return asks, 0
            ask = _ask(bytes(self._buffer[:end]))
            if ask is None:
                self._buffer.clear()
                return asks, 1
            del self._buffer[:end]
            asks.append(ask)


def _ask(frame: bytes) -> ObjectAsk | None:
    if len(frame) < _HEAD + 3 or frame[0] != 0x68 or frame[-1] != 0x16 or frame[3] != 0x43 or frame[4] != 0x05:
        return None
    if check(frame[1:12]) != frame[12:14] or check(frame[1:-3]) != frame[-3:-1]:
        return None
    return ObjectAsk(frame[5:11], frame[11], frame[14:-3])


def object_frame(address: bytes, client: int, apdu: bytes) -> bytes:
    """A whole frame of a meter."""
    head = (len(apdu) + _HEAD + 1).to_bytes(2, "little") + b"\xc3\x05" + address + bytes((client,))
    body = head + check(head) + apdu
    return b"\x68" + body + check(body) + b"\x16"


class ObjectMeter:
    """A simulated meter as it speaks DL/T 698.45 under its own serial settings."""

    def __init__(self, device: SimMeter, address: str, settings: SerialSettings) -> None:
        self.device = device
        self.settings = settings
        self.address = bytes.fromhex(address)[::-1]
        self.lacks: set[str] = set()
        """Objects that this meter has not, as OADs."""

    def answer(self, request: ObjectAsk) -> bytes | None:
        """Its answer with the wake-up bytes before it, None where it is silent."""
        if request.address != self.address or len(request.apdu) < 4:
            return None
        service, kind, piid, count = request.apdu[:4]
        if (service, kind) != (_GET, _LIST) or len(request.apdu) != 5 + 4 * count:
            apdu = bytes((0xEE, piid, 0x01, 0x00, 0x00))
        else:
            oads = [request.apdu[at : at + 4] for at in range(4, 4 + 4 * count, 4)]
            told = b"".join(oad + self._result(oad.hex().upper()) for oad in oads)
            apdu = bytes((service | 0x80, kind, piid, count)) + told + b"\x00\x00"
        return _WAKE + object_frame(self.address, request.client, apdu)

    def _result(self, oad: str) -> bytes:
        file = self.device.profile.file
        if oad not in self.lacks:
            for block in file.block:
                if block.id == oad:
                    parts = [self._field(file.objects[q], self.device.show(q)) for q in block.fields]
                    return b"\x01" + bytes((0x01, len(parts))) + b"".join(parts)
            for quantity, point in file.objects.items():
                if point.id == oad:
                    return b"\x01" + self._field(point, self.device.show(quantity))
        return bytes((0x00, _NO_SUCH_OBJECT))

    def _field(self, point: ObjectPoint, value: Value) -> bytes:
        # A meter of this standard says that it knows nothing with a value of its own; there is no code of ones.
        unknown = self.device.faults.shows in (Shows.ONES, Shows.NAN) or value is None
        return b"\x00" if unknown or value is None else to_data(point, value)


def to_data(point: ObjectPoint, value: float | str) -> bytes:
    """Nearest typed data for a scaled value, held inside what the type takes."""
    tag = bytes((_TAGS[point.type],))
    if isinstance(value, str):
        text = bytes.fromhex(value)
        return tag + bytes((len(text),)) + text
    low, high = point.type.span
    number = max(low, min(high, round(value / point.scale)))
    return tag + number.to_bytes(point.type.size, "big", signed=low < 0)
