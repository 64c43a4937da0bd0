"""The site of goal 7 on a paced line, in a process of its own: fuse, cars and meter behind the frames.

Says the path of its port; the load rises above the fuse at instants of its own; at the end of standard input, or after
the last rise, it says as JSON when each rise came and when which write was acknowledged.
"""

import json
import os
import select
import sys
import tempfile
import time
import tty
from pathlib import Path
from random import Random
from typing import Any

from siteward.settings.load import load_site
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.scenario import QUIET
from siteward_drivers.sim.site import SimSite
from tests.bench.paced_slave import PacedLine, own_processor, real_time
from tests.bench.reaction_site import BAUD, LIMIT_REGISTER, begin, other_load, quick_profiles, rise, site_text
from tests.siteward_drivers.rig import crc

_WRITES = (6, 16)


class SiteLine(PacedLine):
    """A paced line with the devices of a simulated site; a device looks at the world when the request has arrived."""

    def __init__(self, master: int, folder: Path) -> None:
        super().__init__(master, BAUD, [], 0, 0.0, 1)
        site_file = folder / "site.toml"
        site_file.write_text(site_text("/nowhere"), encoding="utf-8")
        profiles = quick_profiles(folder)
        self._at = time.perf_counter()
        self.sim = SimSite(load_site(site_file, profiles), profiles, QUIET, 1, lambda: self._at)
        self.rises: list[float] = []
        self.writes: list[tuple[int, int, float]] = []
        self._bank: Bank = self.sim.bank("bus")
        begin(self.sim)

    def plan(self, count: int, first_s: float, gap_s: tuple[float, float]) -> float:
        """Note when the load will rise, and return the end."""
        dice, world = Random(11), self.sim.world
        at = world.now + first_s
        world.at(at - first_s / 2, lambda: other_load(world))
        for _ in range(count):
            world.at(at, self._rise)
            at += dice.uniform(*gap_s)
        return at

    def _rise(self) -> None:
        rise(self.sim.world)
        self.rises.append(self.sim.world.now)

    def _answer(self, frame: bytes) -> bytes:
        self._at = max(self._at, self._quiet_since)
        pdu, _ = self._bank.answer(frame[0], frame[1:-2])
        assert pdu is not None, f"nobody answers {frame.hex(' ')}"
        body = frame[:1] + pdu
        return body + crc(body)

    def _request_done(self, frame: bytes, ended: float) -> None:
        if frame[1] in _WRITES and int.from_bytes(frame[2:4], "big") == LIMIT_REGISTER:
            self.writes.append((frame[0], int.from_bytes(frame[-4:-2], "big"), ended))

    def _send(self, reply: bytes, start: float) -> None:
        super()._send(reply, start)
        self._request_done(reply, self._quiet_since)


def main(options: dict[str, Any]) -> None:
    """Play the site until its last rise is over or standard input ends."""
    real_time(20)
    own_processor(-1)
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    with tempfile.TemporaryDirectory() as folder:
        line = SiteLine(master, Path(folder))
        print(os.ttyname(slave), flush=True)
        end = line.plan(options["rises"], options["first_s"], options["gap_s"])
        while time.perf_counter() < end and not select.select([sys.stdin], [], [], 0)[0]:
            line.step()
    print(json.dumps({**line.counts, "rises": line.rises, "writes": line.writes}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
