"""S-24: the last minutes of a line can be looked at, in bounded memory, as CSV and in Wireshark."""

import csv
import io
import struct

from siteward.model.frames import FrameFormat
from siteward.model.ids import LineId
from siteward.model.site import Line
from siteward_drivers.capture_file import RAW_IP, RTAC_SERIAL, capture_file
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.recorder import KEEP_S, MEMORY_MAX, SITE_MAX, Recorder, room
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .rig import crc, rig

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)
SERIAL = Line(LineId("l1"), "/dev/wire", 19200)
SOCKET = Line(LineId("l1"), "tcp://plant:1502")


def _packets(data: bytes) -> tuple[int, list[tuple[float, bytes]]]:
    """Link type and packets of a classic pcap file, read by the format's own description."""
    magic, major, minor, _, _, _, kind = struct.unpack_from("<IHHiIII", data)
    assert (magic, major, minor) == (0xA1B2C3D4, 2, 4)
    packets, at = [], 24
    while at < len(data):
        second, micro, kept, whole = struct.unpack_from("<IIII", data, at)
        assert kept == whole
        packets.append((second + micro / 1e6, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    assert at == len(data)
    return kind, packets


def test_a_serial_exchange_is_two_packets_of_the_serial_link_type() -> None:
    """S-24: request and answer byte for byte, with direction and the wall time of their beginning."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            await it.read(slave, 10, 2)
            data = capture_file(SERIAL, it.line.recorder.frames(), clock, FrameFormat.PCAP)
            kind, packets = _packets(data)
            assert kind == RTAC_SERIAL
            (sent_at, sent), (heard_at, heard) = packets
            assert sent[8:12] == b"\x01\0\0\0"
            assert heard[8:12] == b"\x02\0\0\0"
            assert sent[12:] == it.slaves.heard[0][1] + crc(it.slaves.heard[0][1])
            assert heard[12:15] == bytes((1, 3, 4))
            assert crc(heard[12:-2]) == heard[-2:]
            assert 0.004 < heard_at - sent_at < 0.02
            assert abs(clock.wall().timestamp() - heard_at) < 1.0

    run_virtual(main)


def test_a_tcp_exchange_is_a_conversation_that_wireshark_dissects_by_its_port() -> None:
    """S-24: whole IPv4 and TCP headers with right lengths, checksums and sequence numbers."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock, Transport.TCP) as it:
            slave = it.slave(1, timing=QUICK)
            await it.read(slave, 10, 2)
            await it.read(slave, 20, 3)
            data = capture_file(SOCKET, it.line.recorder.frames(), clock, FrameFormat.PCAP)
            kind, packets = _packets(data)
            assert kind == RAW_IP
            sequence = {1502: 1, 49152: 1}
            for number, (_, packet) in enumerate(packets):
                assert len(packet) == int.from_bytes(packet[2:4], "big")
                assert _sum(packet[:20]) == 0xFFFF
                pseudo = packet[12:20] + b"\0\x06" + (len(packet) - 20).to_bytes(2, "big")
                assert _sum(pseudo + packet[20:]) == 0xFFFF
                source, target, seq = struct.unpack_from(">HHI", packet, 20)
                assert (target if number % 2 == 0 else source) == 1502
                assert seq == sequence[source]
                sequence[source] += len(packet) - 40
            assert packets[0][1][40:] == b"\0\x01\0\0\0\x06" + it.slaves.heard[0][1]

    run_virtual(main)


def _sum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_pieces_of_an_answer_are_one_row_of_the_table() -> None:
    """S-24: adapters hand on bytes as they please; people want frames."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            slave = it.slave(1, timing=QUICK)
            it.slaves.lie = lambda _, reply: [(0.005, reply[:3]), (0.012, reply[3:])]
            await it.read(slave, 10, 4)
            text = capture_file(SERIAL, it.line.recorder.frames(), clock, FrameFormat.CSV).decode()
            rows = list(csv.DictReader(io.StringIO(text)))
            assert [row["direction"] for row in rows] == ["sent", "heard"]
            assert [int(row["length"]) for row in rows] == [8, 13]
            assert bytes.fromhex(rows[1]["bytes"])[:3] == bytes((1, 3, 8))
            assert 4.0 < float(rows[1]["since_last_ms"]) < 7.0

    run_virtual(main)


def test_memory_is_bounded_by_bytes_and_by_age() -> None:
    """S-24: a chattering line costs a megabyte, a quiet one forgets after five minutes."""

    async def main(clock: VirtualClock) -> None:
        recorder = Recorder(clock)
        for number in range(20_000):
            recorder.note(True, number.to_bytes(4, "big") * 60)
        frames = recorder.frames()
        assert sum(len(frame.data) for frame in frames) < MEMORY_MAX
        assert frames[-1].data[:4] == (19_999).to_bytes(4, "big")
        assert len(frames) > 1000
        await clock.sleep(KEEP_S + 1)
        assert recorder.frames() == ()
        recorder.note(False, b"now")
        assert [frame.data for frame in recorder.frames(1.0)] == [b"now"]
        await clock.sleep(2)
        assert recorder.frames(1.0) == ()

    run_virtual(main)


def test_many_lines_share_the_memory_of_one_site_and_keep_their_five_minutes() -> None:
    """Goal 8: 500 lines at one poll a second need 16 MiB together, not 500, and lose nothing by it."""

    async def main(clock: VirtualClock) -> None:
        recorder = Recorder(clock, room(500))
        for _ in range(int(KEEP_S) + 60):
            recorder.note(True, bytes(12))
            await clock.sleep(0.004)
            recorder.note(False, bytes(29))
            await clock.sleep(0.996)
        frames = recorder.frames()
        assert len(frames) == 2 * KEEP_S
        assert clock.now() - frames[0].at >= KEEP_S - 1
        for _ in range(2000):
            recorder.note(True, bytes(200))
        assert sum(len(frame.data) for frame in recorder.frames()) < room(500)

    run_virtual(main)
    assert room(1) == room(16) == MEMORY_MAX
    assert 500 * room(500) <= SITE_MAX


def test_pieces_are_joined_also_where_older_frames_were_forgotten_between_them() -> None:
    """S-24: what the ring forgets at its beginning moves nothing at its end."""

    async def main(clock: VirtualClock) -> None:
        recorder = Recorder(clock, 1000)
        for number in range(100):
            recorder.note(True, bytes((number,)) * 30)
            recorder.note(False, b"a" * 60)
            recorder.note(False, b"b" * number)
            last = recorder.frames()[-1]
            assert not last.sent
            assert last.data == b"a" * 60 + b"b" * number
            await clock.sleep(0.1)

    run_virtual(main)
