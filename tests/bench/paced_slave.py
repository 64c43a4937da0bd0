"""A half-duplex RS485 line played on a pseudo-terminal in a process of its own: every byte leaves at its instant.

Says the path of its port, then serves until its standard input ends; says its counts as JSON at the end. Method:
11 bits a character; a request takes its time on the wire although a pseudo-terminal hands it over at once; the slave
answers t3.5 + 2 ms after it, in pieces as a UART hands them over; a frame that begins before t3.5 of silence is counted
as early.
"""

import contextlib
import json
import os
import select
import sys
import time
import tty
from typing import Any

from tests.siteward_drivers.rig import crc, value_of

BITS = 11
TURNAROUND_S = 0.002
SPIN_S = 0.00015
FAST_T35_S = 0.00175


def real_time(priority: int) -> None:
    """Run before everything else on the machine, where that is allowed: the wire does not wait for other programs."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


def _until(instant: float) -> None:
    """Sleep most of the way and spin the rest: the kernel's sleep alone is too coarse for a character."""
    while (left := instant - time.perf_counter()) > 0:
        if left > SPIN_S:
            time.sleep(left - SPIN_S)


def own_processor(place: int) -> None:
    """Stay on one of the processors that may be used: master and line each keep to theirs, as on two computers."""
    usable = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {usable[place]})


def t35_s(baud: int) -> float:
    """Silence between frames: 3.5 characters, above 19200 baud the specification's fixed time."""
    return 3.5 * BITS / baud if baud <= 19200 else FAST_T35_S


class PacedLine:
    """The line and its slaves."""

    def __init__(self, master: int, baud: int, dead: list[int], late_unit: int, late_s: float, piece: int) -> None:
        self._master = master
        self._piece = piece
        self._char_s = BITS / baud
        self._t35_s = t35_s(baud)
        self._dead = set(dead)
        self._late_unit = late_unit
        self._late_s = late_s
        self._quiet_since = 0.0
        self._waiting: list[tuple[float, bytes]] = []
        self.counts = {"frames": 0, "early": 0, "broken": 0, "late": 0}

    def step(self) -> None:
        """Serve a request or a late answer that is due."""
        now = time.perf_counter()
        due = min((at for at, _ in self._waiting), default=now + 0.2)
        ready, _, _ = select.select([self._master], [], [], max(0.0, due - now))
        if ready:
            self._request(time.perf_counter())
        for late in [w for w in self._waiting if w[0] <= time.perf_counter()]:
            self._waiting.remove(late)
            self._send(late[1], time.perf_counter())

    def _request(self, began: float) -> None:
        frame = os.read(self._master, 256)
        self.counts["frames"] += 1
        self.counts["early"] += began < self._quiet_since + self._t35_s
        ends = max(began, self._quiet_since) + len(frame) * self._char_s
        self._quiet_since = ends
        if len(frame) < 8 or crc(frame[:-2]) != frame[-2:]:
            self.counts["broken"] += 1
            return
        if frame[0] in self._dead:
            return
        reply = self._answer(frame)
        if frame[0] == self._late_unit and (frame[2:4] == b"\0\0" or self._waiting):
            # One request after the other: what comes while the slave is still thinking is answered after that.
            self.counts["late"] += 1
            free = max((at + 0.05 for at, _ in self._waiting), default=ends + self._late_s)
            self._waiting.append((free, reply))
            return
        self._send(reply, ends + self._t35_s + TURNAROUND_S)

    def _answer(self, frame: bytes) -> bytes:
        unit, function, address = frame[0], frame[1], int.from_bytes(frame[2:4], "big")
        if function in (3, 4):
            count = int.from_bytes(frame[4:6], "big")
            words = b"".join(value_of(unit, function, address + i).to_bytes(2, "big") for i in range(count))
            body = bytes((unit, function, 2 * count)) + words
        else:
            body = frame[:6]
        return body + crc(body)

    def _send(self, reply: bytes, start: float) -> None:
        for i in range(0, len(reply), self._piece):
            piece = reply[i : i + self._piece]
            _until(start + (i + len(piece)) * self._char_s)
            os.write(self._master, piece)
        self._quiet_since = time.perf_counter()


def main(options: dict[str, Any]) -> None:
    """Play the line until standard input ends."""
    real_time(20)
    own_processor(-1)
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    line = PacedLine(
        master, options["baud"], options["dead"], options["late_unit"], options["late_s"], options["piece"]
    )
    print(os.ttyname(slave), flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        line.step()
    print(json.dumps(line.counts), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
