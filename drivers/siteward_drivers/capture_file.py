"""Recorded frames as files: CSV for a spreadsheet, pcap for Wireshark.

A serial line is written with LINKTYPE_RTAC_SERIAL (tcpdump.org/linktypes): choose "Decode As ... Modbus RTU" there.
A connection is written as LINKTYPE_RAW with IPv4 and TCP headers made up around the bytes: 192.0.2.1 is the station,
192.0.2.2 the device at its own port, so that Modbus TCP is dissected by itself.
"""

import csv
import io
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from siteward.model.frames import FrameFormat
from siteward.model.ports import Clock
from siteward.model.site import Line
from siteward_drivers.recorder import Seen

RTAC_SERIAL = 250
RAW_IP = 101

_MAGIC = 0xA1B2C3D4
_SNAP = 65535
_SENT_EVENT, _HEARD_EVENT = 1, 2
_STATION, _DEVICE = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))
_STATION_PORT = 49152
_PSH_ACK = 0x18
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def capture_file(line: Line, frames: Sequence[Seen], clock: Clock, form: FrameFormat) -> bytes:
    """The frames of a line as a file; times are UTC by the wall clock of now."""
    moved = clock.wall() - timedelta(seconds=clock.now())
    timed = [(moved + timedelta(seconds=frame.at), frame) for frame in frames]
    return _csv(timed) if form is FrameFormat.CSV else _pcap(line, timed)


def _csv(timed: Iterable[tuple[datetime, Seen]]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("time_utc", "direction", "since_last_ms", "length", "bytes"))
    before: float | None = None
    for wall, frame in timed:
        since = "" if before is None else f"{(frame.at - before) * 1000:.1f}"
        before = frame.last_at
        way = "sent" if frame.sent else "heard"
        rows.writerow((wall.isoformat(timespec="microseconds"), way, since, len(frame.data), frame.data.hex(" ")))
    return text.getvalue().encode()


def _pcap(line: Line, timed: Iterable[tuple[datetime, Seen]]) -> bytes:
    kind = RTAC_SERIAL if line.is_serial else RAW_IP
    parts = [struct.pack("<IHHiIII", _MAGIC, 2, 4, 0, 0, _SNAP, kind)]
    stream = None if line.is_serial else _Conversation(urlsplit(line.port).port or 502)
    for wall, frame in timed:
        micros = (wall - _EPOCH) // timedelta(microseconds=1)
        stamp = divmod(micros, 1_000_000)
        packet = _serial_packet(stamp, frame) if stream is None else stream.packet(frame)
        parts.append(struct.pack("<IIII", *stamp, len(packet), len(packet)) + packet)
    return b"".join(parts)


def _serial_packet(stamp: tuple[int, int], frame: Seen) -> bytes:
    event = _SENT_EVENT if frame.sent else _HEARD_EVENT
    return struct.pack(">IIBBH", *stamp, event, 0, 0) + frame.data


class _Conversation:
    """Two ends of a TCP connection with their sequence numbers."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._next = {True: 1, False: 1}

    def packet(self, frame: Seen) -> bytes:
        """IPv4 and TCP around the bytes of a frame."""
        source, target = (_STATION, _DEVICE) if frame.sent else (_DEVICE, _STATION)
        ports = (_STATION_PORT, self._port) if frame.sent else (self._port, _STATION_PORT)
        sequence, acknowledged = self._next[frame.sent], self._next[not frame.sent]
        self._next[frame.sent] = (sequence + len(frame.data)) & 0xFFFFFFFF
        tcp = struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 5 << 4, _PSH_ACK, 8192, 0, 0)
        body = tcp + frame.data
        pseudo = source + target + struct.pack(">BBH", 0, 6, len(body))
        body = body[:16] + struct.pack(">H", _checksum(pseudo + body)) + body[18:]
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, 6, 0) + source + target
        return ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:] + body


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    words: tuple[int, ...] = struct.unpack(f">{len(padded) // 2}H", padded)
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
