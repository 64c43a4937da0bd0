"""The meter's side of DL/T 645-2007 in few lines: its frames, request by request, and its data as BCD."""

from dataclasses import dataclass

from siteward.model.serial import SerialSettings
from siteward_drivers.profile_data import DataPoint
from siteward_drivers.sim.faults import Shows
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.registers import Value

_WAKE = b"\xfe\xfe\xfe\xfe"
_NO_DATA = b"\x02"
_ANY = 0xAA
_ALL = b"\x99" * 6
_PART = 192


@dataclass(frozen=True, slots=True)
class DataRequest:
    """One good request frame: address in the order of the wire, control code, data without their offset."""

    address: bytes
    control: int
    data: bytes


class DataFramer:
    """Finds DL/T 645 requests in the bytes that a master sends; anything that is none is dropped until silence."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def silence(self) -> None:
        """The wire was quiet: what is there will not be continued."""
        self._buffer.clear()

    def feed(self, data: bytes) -> tuple[list[DataRequest], int]:
        """Take bytes; the good requests that are complete now, and how many bad frames were dropped."""
        self._buffer += data
        requests: list[DataRequest] = []
        while True:
            while self._buffer[:1] == b"\xfe":
                del self._buffer[0]
            end = 12 + self._buffer[9] if len(self._buffer) > 9 else 12
            if not self._buffer or (self._buffer[0] == 0x68 and len(self._buffer) < end):
                return requests, 0
            request = _request(bytes(self._buffer[:end]))
            if request is None:
                self._buffer.clear()
                return requests, 1
            del self._buffer[:end]
            requests.append(request)


def _request(frame: bytes) -> DataRequest | None:
    good = frame[0] == frame[7] == 0x68 and frame[-1] == 0x16 if len(frame) >= 12 else False
    if not good or sum(frame[:-2]) % 256 != frame[-2]:
        return None
    return DataRequest(frame[1:7], frame[8], bytes((byte - 0x33) % 256 for byte in frame[10:-2]))


def data_frame(address: bytes, control: int, data: bytes) -> bytes:
    """A whole frame of a meter."""
    body = b"\x68" + address + bytes((0x68, control, len(data))) + bytes((byte + 0x33) % 256 for byte in data)
    return body + bytes((sum(body) % 256, 0x16))


class DataMeter:
    """A simulated meter as it speaks DL/T 645 under its own serial settings."""

    def __init__(self, device: SimMeter, address: str, settings: SerialSettings) -> None:
        self.device = device
        self.settings = settings
        self.address = bytes.fromhex(address)[::-1]
        self.frozen = 0
        """How often it was told to freeze its counts."""

    def answer(self, request: DataRequest) -> bytes | None:
        """Its answer with the wake-up bytes before it, None where it is silent."""
        if request.address == _ALL:
            self.frozen += request.control == 0x16
            return None
        meant = all(asked in (own, _ANY) for asked, own in zip(request.address, self.address, strict=True))
        if not meant:
            return None
        control, data = self._data(request)
        return _WAKE + data_frame(self.address, control, data)

    def _data(self, request: DataRequest) -> tuple[int, bytes]:
        if request.control == 0x13:
            return 0x93, self.address
        data_id = request.data[3::-1].hex().upper()
        payload = self._payload(data_id) if request.control in (0x11, 0x12) else None
        if payload is None:
            return 0xC0 | request.control, _NO_DATA
        part = request.data[4] if request.control == 0x12 else 0
        rest = payload[part * _PART :]
        control = 0x80 | request.control | (0x20 if len(rest) > _PART else 0)
        return control, request.data[:4] + rest[:_PART] + bytes(request.data[4:])

    def _payload(self, data_id: str) -> bytes | None:
        file = self.device.profile.file
        for block in file.block:
            if block.id == data_id:
                return b"".join(
                    self._field(file.data[quantity], self.device.show(quantity)) for quantity in block.fields
                )
        for quantity, point in file.data.items():
            if point.id == data_id:
                return self._field(point, self.device.show(quantity))
        return None

    def _field(self, point: DataPoint, value: Value) -> bytes:
        if self.device.faults.shows in (Shows.ONES, Shows.NAN) or value is None:
            return b"\xff" * point.bytes
        return to_bcd(point, value)


def to_bcd(point: DataPoint, value: float | str) -> bytes:
    """Nearest BCD data for a scaled value, held inside what the field takes."""
    if isinstance(value, str):
        return bytes.fromhex(value.rjust(2 * point.bytes, "0"))[::-1]
    largest = largest_number(point)
    number = max(-largest if point.signed else 0, min(largest, round(value / point.scale)))
    data = bytearray(bytes.fromhex(f"{abs(number):0{2 * point.bytes}d}")[::-1])
    if number < 0:
        data[-1] |= 0x80
    return bytes(data)


def largest_number(point: DataPoint) -> int:
    """Largest number that a field holds: a sign takes the topmost bit of the first digit."""
    most: int = 10 ** (2 * point.bytes)
    return (most * 8 // 10 if point.signed else most) - 1
