"""Parsers of the field level under fuzzed bytes: each takes a chunk of frames and proves whatever it took for true."""

import math
from collections.abc import Callable, Mapping
from random import Random

from siteward_drivers import dlt645, dlt645_blocks
from siteward_drivers.answer import Answer
from siteward_drivers.blocks import Block, poll_blocks
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.decode import decode
from siteward_drivers.dlt645 import MeterRequest
from siteward_drivers.dlt645_blocks import DataBlock, data_blocks
from siteward_drivers.errors import Garbled
from siteward_drivers.modbus import Request, encode_tcp, find_tcp, heard_rtu
from siteward_drivers.overheard import Overheard
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Language
from siteward_drivers.speech import encode, find, may_be_whole
from tests.campaigns.mangle import bend, crc, pieces, seal_dlt645, seal_rtu, seal_tcp

Parser = Callable[[Random, int], int]
"""Feeds so many frames; returns how many were taken for an answer. Any exception is a crash."""

PROFILES = load_profiles()
_METER = "000012345678"
_IDS = ("02010100", "0201FF00", "00010000", "04000401", "0280000B")


def request(random: Random) -> Request:
    """Any request that our drivers send."""
    unit, function, address = random.choice((1, 2, 17, 247)), random.choice((1, 2, 3, 3, 4, 5, 6, 15, 16)), 0
    address = random.choice((0, 1, 261, 1000, 0xFFFF - 130))
    match function:
        case 1 | 2:
            return Request(unit, function, address, random.randrange(1, 33))
        case 3 | 4:
            return Request(unit, function, address, random.choice((1, 2, 2, 4, 10, 20, 125)))
        case 5 | 6:
            return Request(unit, function, address, 1, (random.randrange(2 if function == 5 else 0x10000),))
    values = tuple(random.randrange(2 if function == 15 else 0x10000) for _ in range(random.randrange(1, 9)))
    return Request(unit, function, address, len(values), values)


def reply_pdu(asked: Request, random: Random) -> bytes:
    """An honest answer of a device whose registers hold anything, now and then an exception."""
    function = asked.function
    if random.random() < 0.1:
        return bytes((function | 0x80, random.choice((1, 2, 3, 4, 6, 10, 11, 0, 255))))
    if not asked.is_read:
        return encode(asked)[1:6]
    size = (asked.count + 7) // 8 if function < 3 else 2 * asked.count
    return bytes((function, size)) + random.randbytes(size)


def rtu(random: Random, frames: int) -> int:
    """Replies on a serial wire, as RtuWire judges them: echo, search, then what was overheard."""
    taken = 0
    ears = Overheard()
    for number in range(frames):
        asked = request(random)
        frame = encode(asked)
        ears.sent(frame)
        body = bytes((asked.unit,)) + reply_pdu(asked, random)
        heard = bend(body + crc(body), seal_rtu, random)
        if random.random() < 0.05:
            heard = frame + heard
        buffer = bytearray()
        answer = None
        for piece in pieces(heard, random):
            buffer += piece
            if ears.strip(asked.is_read, buffer) and may_be_whole(asked, buffer):
                answer = find(asked, bytes(buffer))
            if answer is not None:
                break
        if answer is None:
            ears.listen(bytes(buffer), float(number))
        else:
            ears.answered(asked.is_read)
            assert _rtu_proof(asked, answer, bytes(buffer)), f"{asked} took {answer} out of {buffer.hex(' ')}"
            taken += 1
    return taken


def _rtu_proof(asked: Request, answer: Answer, buffer: bytes) -> bool:
    """Whether a frame with that very answer and a right checksum stands in the bytes; judged without our codec."""
    for at in range(len(buffer) - 4):
        if buffer[at] != asked.unit:
            continue
        for length in (5, asked.reply_length):
            frame = buffer[at : at + length]
            if len(frame) == length and crc(frame[:-2]) == frame[-2:] and _says(asked, answer, frame[1:-2]):
                return True
    return False


def _says(asked: Request, answer: Answer, pdu: bytes) -> bool:
    if answer.exception is not None:
        return pdu == bytes((asked.function | 0x80, answer.exception))
    if not asked.is_read:
        return pdu == encode(asked)[1:6]
    if pdu[:2] != bytes((asked.function, len(pdu) - 2)):
        return False
    data = pdu[2:]
    if asked.function < 3:
        return answer.values == tuple(data[i // 8] >> i % 8 & 1 for i in range(asked.count))
    return answer.values == tuple(data[i] << 8 | data[i + 1] for i in range(0, len(data), 2))


def tcp(random: Random, frames: int) -> int:
    """Replies in a Modbus TCP stream; the connection begins anew where the stream lost its place."""
    taken = 0
    buffer, history = bytearray(), b""
    for number in range(frames):
        asked = request(random)
        transaction = number % 0xFFFF + 1
        encode_tcp(asked, transaction)
        pdu = reply_pdu(asked, random)
        stale = transaction if random.random() < 0.9 else transaction - 1
        head = stale.to_bytes(2, "big") + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big")
        answer = None
        try:
            for piece in pieces(bend(head + bytes((asked.unit,)) + pdu, seal_tcp, random), random):
                buffer += piece
                history += piece
                answer = answer or find_tcp(asked, transaction, buffer)
        except Garbled:
            buffer.clear()
            history = b""
        if answer is not None:
            start = transaction.to_bytes(2, "big") + b"\0\0"
            assert _tcp_proof(asked, answer, start, history), f"{asked} took {answer} out of {history.hex(' ')}"
            taken += 1
        if len(buffer) > 3:
            # Half a frame at the end of its time: our wire hangs up then.
            buffer.clear()
        history = bytes(buffer)
    return taken


def _tcp_proof(asked: Request, answer: Answer, start: bytes, history: bytes) -> bool:
    at = history.find(start)
    while at >= 0:
        end = at + 6 + int.from_bytes(history[at + 4 : at + 6], "big")
        if history[at + 6 : at + 7] == bytes((asked.unit,)) and _says(asked, answer, history[at + 7 : end]):
            return True
        at = history.find(start, at + 1)
    return False


def dlt(random: Random, frames: int) -> int:
    """Answers of DL/T 645 meters, and all frames that can be seen in the same bytes."""
    taken = 0
    for _ in range(frames):
        data_id = random.choice(_IDS)
        asked = random.choice((dlt645.read(_METER, data_id, 3), dlt645.follow(_METER, data_id, 1)))
        if random.random() < 0.2:
            asked = dlt645.read_address()
        heard = bend(_meter(asked, random), seal_dlt645, random)
        answer = dlt645.find(asked, heard) if may_be_whole(asked, heard) else None
        found = list(dlt645.frames(heard))
        if answer is not None:
            assert any(_dlt_says(asked, answer, frame) for frame in found), f"{asked} took {answer} of {heard.hex(' ')}"
            taken += 1
    return taken


def _meter(asked: MeterRequest, random: Random) -> bytes:
    """What a meter would say: data, a part of more, or a refusal."""
    if random.random() < 0.1:
        return b"\xfe" * 4 + dlt645.frame_bytes(_METER, asked.function | 0xC0, random.randbytes(1))
    more = 0x20 if random.random() < 0.1 else 0
    if asked.function == dlt645.READ_ADDRESS:
        data = dlt645.bcd_address(_METER)
    else:
        data = asked.data[:4] + random.randbytes(random.choice((0, 1, 3, 3, 3, 9, 200 - 4))) + asked.data[4:]
    return b"\xfe" * random.randrange(5) + dlt645.frame_bytes(_METER, asked.function | 0x80 | more, data[:200])


def _dlt_says(asked: MeterRequest, answer: Answer, frame: dlt645.Frame) -> bool:
    if answer.exception is not None:
        return frame.control == asked.function | 0xC0 and frame.data == bytes((answer.exception,))
    return frame.control & 0x9F == asked.function | 0x80 and bytes(answer.values) in frame.data


def _register_blocks() -> list[tuple[Profile, Block]]:
    profiles = [p for p in PROFILES.by_id.values() if p.file.points and p.file.poll.always]
    return [(p, b) for p in profiles for b in poll_blocks(p, p.file.poll.always, 1, None)]


def _data_blocks() -> list[tuple[Profile, DataBlock]]:
    profiles = [p for p in PROFILES.by_id.values() if p.file.protocol is Language.DLT645]
    return [(p, b) for p in profiles for b in data_blocks(p, p.file.poll.always)]


def values(random: Random, frames: int) -> int:
    """What the polls of all profiles make of registers and data that hold anything: in range, finite, or refused."""
    blocks, data = _register_blocks(), _data_blocks()
    taken = 0
    for _ in range(frames):
        if data and random.random() < 0.1:
            profile, part = random.choice(data)
            decoded = dlt645_blocks.decode(part, random.randbytes(random.choice((part.count, part.count, 1))))
            ranges: Mapping[object, tuple[float, float] | None] = {q: p.range for q, p in part.points.items()}
        else:
            profile, block = random.choice(blocks)
            words = [random.choice((random.getrandbits(16), 0, 0xFFFF, 0x7FC0, 0x8000)) for _ in range(block.count)]
            bits = any(point.is_bit for point in block.points.values())
            words = [word & 1 for word in words] if bits else words
            decoded = decode(block.points, block.first, words, profile.file.word_order)
            ranges = {q: p.range for q, p in block.points.items()}
        for quantity, value in decoded.values.items():
            if isinstance(value, str):
                continue
            limits = ranges[quantity]
            assert math.isfinite(value), f"{profile.id} {quantity} is {value}"
            assert limits is None or limits[0] <= value <= limits[1], f"{profile.id} {quantity} is {value}"
            taken += 1
    return taken


def overheard(random: Random, frames: int) -> int:
    """Bytes that nobody asked for, as bus tools read them."""
    taken = 0
    for _ in range(frames):
        asked = request(random)
        body = bytes((asked.unit,)) + reply_pdu(asked, random)
        parts = [bend(encode(asked), seal_rtu, random), bend(body + crc(body), seal_rtu, random)]
        data = b"".join(random.sample(parts, 2))
        found, loose = heard_rtu(data)
        assert loose + sum(len(frame.payload) + 4 for frame in found) == len(data), data.hex(" ")
        taken += len(found)
    return taken
