"""One master of many Modbus TCP devices in a process of its own: polls each once a second and says what that cost.

`python -m tests.bench.tcp_masters NAME PORT DEVICES SECONDS` prints one line of JSON: the share of one core (user and
system time of this process), polls a second, and wrong or missing values, all after every device has answered.
"""

import asyncio
import gc
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from siteward.model.ids import FeederId, LineId, MeterId, SiteId
from siteward.model.site import Feeder, Line, Meter, Site
from siteward.runtime.clock import SystemClock
from siteward.runtime.poller import Poller
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.registry import build_lines
from tests.bench.tcp_server import words

PERIOD_S = 1.0
COUNT = 10
FIRST = 0
VOLTS = 230.0
SETTLE_S = 4.0
PROFILE = """
schema = 1
kind = "meter"
vendor = "Bench"
model = "Ten registers"
tested = "datasheet"
source = ["tests/bench"]
documented = [{ table = "holding", first = 0, count = 12 }]

[wire]
transports = ["tcp"]
unit = 1

[timing]
gap_s = 0.0

[poll]
always = ["current_l1", "current_l2", "current_l3", "voltage_l1", "active_power_total"]

[[identify]]
quantity = "frequency"
range = [0.0, 500.0]

[meter]
refresh_s = 1.0
window_s = 1.0

[points]
current_l1 = { table = "holding", address = 0, type = "f32", unit = "A", range = [0.0, 500.0] }
current_l2 = { table = "holding", address = 2, type = "f32", unit = "A", range = [0.0, 500.0] }
current_l3 = { table = "holding", address = 4, type = "f32", unit = "A", range = [0.0, 500.0] }
voltage_l1 = { table = "holding", address = 6, type = "f32", unit = "V", range = [0.0, 500.0] }
active_power_total = { table = "holding", address = 8, type = "f32", unit = "W", range = [0.0, 500.0] }
frequency = { table = "holding", address = 10, type = "f32", unit = "Hz", range = [0.0, 500.0] }
"""


@dataclass
class Tally:
    """Polls that brought the right values, and those that did not."""

    good: int = 0
    bad: int = 0


Master = Callable[[int, int, Tally], AbstractAsyncContextManager[None]]
"""From port, number of devices and a tally: polls them all for as long as it is entered."""


class OpenGate:
    """Nobody is forbidden to speak: a site of meters only."""

    def may_send(self, write: object, at: float) -> bool:
        return True

    def may_speak(self, connector: object, at: float) -> bool:
        return True


@asynccontextmanager
async def siteward(port: int, devices: int, tally: Tally) -> AsyncIterator[None]:
    """Our own stack as core runs it: a line, a connection and a meter a device, all polled by core's poller."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "meter").mkdir()
        (Path(folder) / "meter" / "ten_registers.toml").write_text(PROFILE)
        profiles = load_profiles(Path(folder))
    profile = profiles["ten_registers"]
    numbers = range(devices)
    lines = tuple(Line(LineId(f"line-{n}"), f"tcp://127.0.0.1:{port}") for n in numbers)
    meters = tuple(
        Meter(MeterId(f"meter-{n}"), line.id, 1, profile.id, profile.meter_facts())
        for n, line in zip(numbers, lines, strict=True)
    )
    feeders = tuple(
        Feeder(FeederId(f"f-{n}"), "", None, (63, 63, 63), meter.id, (0, 0, 0))
        for n, meter in zip(numbers, meters, strict=True)
    )
    site = Site(SiteId("bench"), "Bench", "UTC", 230, lines, meters, feeders, ())
    clock = SystemClock()
    built = build_lines(site, profiles, clock, OpenGate(), lambda event: None)

    def arrived(_over: bool) -> None:
        tally.good += 1

    poller = Poller(site, built, clock, arrived)
    await built.open()
    tasks = [asyncio.ensure_future(task) for task in poller.tasks()]
    gc.freeze()
    try:
        yield
        # What was counted as arrived must have been true: the last reading of every meter speaks for the others.
        first = next(iter(poller.meters.values())).current_a
        assert first is not None
        assert abs(first[0] - VOLTS) < 1
        tally.bad += sum(m.current_a != first or m.power_w != first[0] for m in poller.meters.values())
        tally.bad += sum(poller.meter_misses.values()) + (devices - len(poller.meters))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await built.close()


@asynccontextmanager
async def pymodbus(port: int, devices: int, tally: Tally) -> AsyncIterator[None]:
    """The asynchronous client of pymodbus, a client and a task a device; its values stay undecoded."""
    logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)
    clients = [AsyncModbusTcpClient("127.0.0.1", port=port) for _ in range(devices)]
    for client in clients:
        await client.connect()
    right = [int.from_bytes(words(1, FIRST, COUNT)[2 * i : 2 * i + 2], "big") for i in range(COUNT)]

    async def poll(client: AsyncModbusTcpClient, number: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + PERIOD_S * number / devices
        while True:
            await asyncio.sleep(due - loop.time())
            due = max(due + PERIOD_S, loop.time())
            try:
                found = await client.read_holding_registers(FIRST, count=COUNT, device_id=1)
            except ModbusException:
                tally.bad += 1
                continue
            tally.good += found.registers == right
            tally.bad += found.registers != right

    tasks = [asyncio.create_task(poll(client, number)) for number, client in enumerate(clients)]
    gc.freeze()
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for client in clients:
            client.close()


MASTERS: dict[str, Master] = {"siteward": siteward, "pymodbus": pymodbus}


async def cost(master: Master, port: int, devices: int, seconds: float) -> dict[str, float]:
    """Share of a core and polls a second, once every device has had time to connect."""
    tally = Tally()
    async with master(port, devices, tally):
        await asyncio.sleep(SETTLE_S)
        tally.good = tally.bad = 0
        began, used = time.perf_counter(), os.times()
        await asyncio.sleep(seconds)
        passed, now = time.perf_counter() - began, os.times()
        good = tally.good
    user, system = (now.user - used.user) / passed, (now.system - used.system) / passed
    return {"core": user + system, "system": system, "polls": good / passed, "bad": tally.bad}


def main(name: str, port: str, devices: str, seconds: str) -> None:
    """Run one master."""
    print(json.dumps(asyncio.run(cost(MASTERS[name], int(port), int(devices), float(seconds)))))


if __name__ == "__main__":
    main(*sys.argv[1:])
