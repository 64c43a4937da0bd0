"""Parsers with a memory under fuzzed bytes: the scan, the shared server, the recorder with its files, whole lines."""

import asyncio
import struct
from random import Random
from typing import Any, cast

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.frames import FrameFormat
from siteward.model.ids import LineId
from siteward.model.site import Line
from siteward_drivers import dlt645
from siteward_drivers.capture_file import capture_file
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.protocol_probes import PROTOCOL_PROBES
from siteward_drivers.recorder import MEMORY_MAX, Recorder
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import Attempt, ScanPlan, Setting
from siteward_drivers.scan_words import Expected, findings
from siteward_drivers.share_map import CONNECTORS_AT, METERS_AT, STRIDE, WISH, Shared, ShareMap
from siteward_drivers.share_server import ShareServer
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.campaigns.fuzz_frames import PROFILES, reply_pdu, request
from tests.campaigns.mangle import bend, crc, seal_dlt645, seal_rtu, seal_tcp
from tests.siteward_drivers.rig import rig

_PLAN = ScanPlan(
    (Setting(9600), Setting(19200)), (1, 2, 3), (1, 2, 3, 4, 5), left_alone=frozenset((4,)), protocols=PROTOCOL_PROBES
)
_EXPECTED = Expected("rs485-1", {2: ("meter", "eastron_sdm630"), 3: ("box", "heidelberg_energy_control")})
_STREAM = 40


def scan(random: Random, frames: int) -> int:
    """Whole scans, doubts, identification and findings included, over a wire that says anything."""
    left, named = frames, 0
    profiles = tuple(PROFILES.by_id.values())
    while left > 0:
        book = Book()
        steps = Scan(_PLAN, book, profiles).steps()
        try:
            attempt = next(steps)
            while left > 0:
                left -= 1
                attempt = steps.send(_said(attempt, random))
        except StopIteration:
            named += sum(found.likeness is not None and bool(found.likeness.profiles) for found in book.found.values())
        assert 4 not in {unit for _, unit in book.found}, "a charger in service was asked for"
        findings(book, _PLAN, _EXPECTED)
    return named


def _said(attempt: Attempt, random: Random) -> bytes | None:
    draw = random.random()
    if draw < 0.1:
        return None if draw < 0.002 else b""
    if attempt.request is None:
        return bend(b"\xfe\xfe" + _METER_FRAME, seal_dlt645, random)
    body = bytes((attempt.request.unit,)) + reply_pdu(attempt.request, random)
    return body + crc(body) if draw < 0.5 else bend(body + crc(body), seal_rtu, random)


_METER_FRAME = dlt645.frame_bytes("000012345678", 0x93, dlt645.bcd_address("000012345678"))


class _Far(asyncio.Transport):
    """The client's end of a connection in memory."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.said = bytearray()
        self.gone = False

    def write(self, data: Any) -> None:
        self.said += data

    def abort(self) -> None:
        self.gone = True

    def is_closing(self) -> bool:
        return self.gone


def share(random: Random, frames: int) -> int:
    """Requests of a third party to the shared server, in streams as it would send them."""
    shown = ShareMap(["A01-1"])
    wishes: list[float] = []

    async def wish(name: str, limit_a: float) -> bool:
        assert name == "A01-1"
        wishes.append(limit_a)
        return random.random() < 0.9

    server = ShareServer(shown, ["127.0.0.1"], lambda: 0.2 if random.random() < 0.95 else 9.0, wish)

    async def main(clock: VirtualClock) -> int:
        loop, answered = asyncio.get_running_loop(), 0
        for start in range(0, frames, _STREAM):
            shown.show([Shared("grid", (1.0, -2.0, 3.0))], [Shared("A01-1", granted_a=6.0), Shared("A02-1")])
            reader = asyncio.StreamReader()
            sent = [_asked(random) for _ in range(min(_STREAM, frames - start))]
            reader.feed_data(b"".join(sent))
            reader.feed_eof()
            far = _Far()
            protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
            await server._serve(reader, asyncio.StreamWriter(far, protocol, reader, loop))
            assert far.gone
            assert not server._open
            answered += _answers(bytes(far.said))
        assert all(0.0 <= limit <= 1000.0 for limit in wishes)
        return answered

    return run_virtual(main)


def _asked(random: Random) -> bytes:
    places = (0, METERS_AT, CONNECTORS_AT, CONNECTORS_AT + WISH, CONNECTORS_AT + STRIDE + WISH, random.randrange(65536))
    function, address = random.choice((3, 4, 3, 6, 16, random.randrange(256))), random.choice(places)
    pdu = bytes((function,)) + address.to_bytes(2, "big")
    if function == 16:
        pdu += b"\0\1\2" + random.randbytes(2)
    else:
        pdu += random.choice((1, 2, 4, 19, 22, 0, random.randrange(65536))).to_bytes(2, "big")
    # A broken header ends the connection: most of them stay whole, so that those behind are read at all.
    bent = bend(pdu, bytes, random) or pdu if random.random() < 0.5 else pdu
    frame = random.randbytes(2) + b"\0\0" + (len(bent) + 1).to_bytes(2, "big") + b"\1" + bent
    return frame if random.random() < 0.97 else bend(frame, seal_tcp, random)


def _answers(said: bytes) -> int:
    """Count the answers, each of which must be a whole frame that says values or an exception."""
    count = 0
    while said:
        assert said[2:4] == b"\0\0", said[:12].hex(" ")
        end = 6 + int.from_bytes(said[4:6], "big")
        pdu = said[7:end]
        assert len(said) >= end
        if pdu[0] in (3, 4):
            assert pdu[1] == len(pdu) - 2 > 0
        else:
            assert (len(pdu), pdu[0]) in ((5, 6), (5, 16)) or (len(pdu) == 2 and pdu[0] & 0x80)
        said = said[end:]
        count += 1
    return count


class _Hand:
    """What a clock reads, moved by hand."""

    at = 1000.0

    def time(self) -> float:
        return self.at


def recorder(random: Random, frames: int) -> int:
    """The ring and its files: nothing lost at the end, memory bounded, every packet as long as it says."""
    hand = _Hand()
    clock = VirtualClock(cast("asyncio.AbstractEventLoop", hand))
    ring = Recorder(clock)
    files = 0
    for number in range(frames):
        hand.at += random.choice((0.0, 0.001, 0.05, 0.05, 5.0 if random.random() < 0.01 else 0.2))
        asked = request(random)
        data = bend(bytes((asked.unit,)) + reply_pdu(asked, random), seal_rtu, random) or b"\0"
        ring.note(random.random() < 0.5, data)
        assert len(ring._ring) <= MEMORY_MAX
        if number % 2000 == 1999:
            kept = ring.frames(20.0)
            assert kept[-1].data.endswith(data)
            files += _files(kept, clock, random)
    return files


def _files(kept: tuple[Any, ...], clock: VirtualClock, random: Random) -> int:
    line = Line(LineId("l"), random.choice(("/dev/wire", "tcp://plant:502")))
    text = capture_file(line, kept, clock, FrameFormat.CSV)
    assert text.count(b"\n") == len(kept) + 1
    data = capture_file(line, kept, clock, FrameFormat.PCAP)
    at, packets = 24, 0
    while at < len(data):
        size, whole = struct.unpack("<II", data[at + 8 : at + 16])
        assert size == whole >= len(kept[packets].data)
        at += 16 + size
        packets += 1
    assert (at, packets) == (len(data), len(kept))
    return packets


def line(random: Random, frames: int) -> int:
    """Whole exchanges of a line with a slave that answers anything, on both framings: it goes on, whatever comes."""
    framing = random.choice(list(Transport))

    async def main(clock: VirtualClock) -> int:
        taken = 0
        async with rig(clock, framing) as it:
            seal = seal_tcp if framing is Transport.TCP else seal_rtu
            it.slaves.lie = lambda _, reply: [(0.004, bend(reply, seal, random))]
            slaves = [it.slave(unit, timing=TimingPart(response_timeout_s=0.05, gap_s=0.0)) for unit in (1, 2, 3)]
            for _ in range(frames):
                slave = random.choice(slaves)
                slave.next_attempt = 0.0
                try:
                    await it.read(slave, random.randrange(1000), random.choice((1, 2, 10)))
                except (DeviceUnreachable, DeviceRefused):
                    continue
                taken += 1
            assert it.line._task is not None
            assert not it.line._task.done()
        return taken

    return run_virtual(main)
