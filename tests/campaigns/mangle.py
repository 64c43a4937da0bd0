"""Bytes as a wire could bring them at its worst: frames bent in every way, many of them with a right checksum again."""

from collections.abc import Callable
from random import Random

Seal = Callable[[bytes], bytes]
"""Makes checksum or length of a bent frame right again, so that it gets past the first door."""

_LONGEST = 300


def _table() -> tuple[int, ...]:
    values = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        values.append(value)
    return tuple(values)


_TABLE = _table()


def crc(data: bytes) -> bytes:
    """CRC-16 of the Modbus serial line by a table of our own, low byte first."""
    value = 0xFFFF
    for byte in data:
        value = value >> 8 ^ _TABLE[(value ^ byte) & 0xFF]
    return value.to_bytes(2, "little")


def seal_rtu(frame: bytes) -> bytes:
    """The right CRC at the end."""
    return frame[:-2] + crc(frame[:-2])


def seal_tcp(frame: bytes) -> bytes:
    """The length of what follows in the header."""
    return frame[:4] + ((len(frame) - 6) & 0xFFFF).to_bytes(2, "big") + frame[6:] if len(frame) > 6 else frame


def seal_dlt645(frame: bytes) -> bytes:
    """Length, sum and end byte of DL/T 645."""
    if len(frame) < 12:
        return frame
    body = frame[:9] + bytes(((len(frame) - 12) & 0xFF,)) + frame[10:-2]
    return body + bytes((sum(body) & 0xFF, 0x16))


def _flip(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return frame[:at] + bytes((frame[at] ^ 1 << random.randrange(8),)) + frame[at + 1 :]


def _set(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return frame[:at] + bytes((random.choice((0x00, 0x01, 0x68, 0x7F, 0x80, 0xFF)),)) + frame[at + 1 :]


def _insert(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame) + 1)
    return frame[:at] + random.randbytes(random.randrange(1, 6)) + frame[at:]


def _remove(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return frame[:at] + frame[at + random.randrange(1, 4) :]


def _cut(frame: bytes, random: Random) -> bytes:
    return frame[: random.randrange(len(frame) + 1)]


def _behead(frame: bytes, random: Random) -> bytes:
    return frame[random.randrange(len(frame)) :]


def _twice(frame: bytes, random: Random) -> bytes:
    return frame + random.randbytes(random.randrange(3)) + frame


def _turn(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return frame[at:] + frame[:at]


def _noise(frame: bytes, random: Random) -> bytes:
    return random.randbytes(random.randrange(40))


_BENDS = (_flip, _flip, _set, _insert, _remove, _cut, _behead, _twice, _turn, _noise)


def bend(frame: bytes, seal: Seal, random: Random) -> bytes:
    """The frame as it is (one in eight), else bent up to three times, sealed again half of the time."""
    if random.random() < 0.125:
        return frame
    for _ in range(random.choice((1, 1, 2, 3))):
        if not frame:
            break
        frame = random.choice(_BENDS)(frame, random)[:_LONGEST]
    return seal(frame) if frame and random.random() < 0.5 else frame


def pieces(data: bytes, random: Random) -> list[bytes]:
    """The bytes as a driver hands them over: mostly at once, else in two, seldom one by one."""
    draw = random.random()
    if draw < 0.6 or len(data) < 2:
        return [data]
    if draw < 0.95:
        at = random.randrange(1, len(data))
        return [data[:at], data[at:]]
    return [data[i : i + 1] for i in range(len(data))]
