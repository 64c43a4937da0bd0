"""Goal 3: registers a second from a sparse map at 19200 baud, of what blocks of 125 registers would bring.

Method: the paced slave plays a meter whose map is laid out as those of large analysers are (`MAP`): 58 quantities in
144 registers. One documented table of 32-bit floats holds three gaps of two to four reserved registers, which are
cheaper to read than to step over; one of 64-bit energies ends in 20 reserved registers before six more floats, which
are not; between both lies a hole that must not be crossed. All of it is polled without a pause by our line, device and
decoder. Registers a second count wanted registers only. Bound: the wire time (request, t3.5, 2 ms, answer, t3.5) of as
many registers in blocks of 125. Peer: minimalmodbus, one read a quantity, as its users write it.
"""

import asyncio
import json
import time
from collections.abc import Iterator

import minimalmodbus

from siteward.model.ids import LineId
from siteward.model.serial import Parity, SerialSettings
from siteward.model.site import Line
from siteward_drivers.blocks import poll_blocks
from siteward_drivers.decode import decode
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Rank
from siteward_drivers.link_serial import SerialLink
from siteward_drivers.modbus_device import RegisterDevice, Terms
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import ProfileFile, Transport
from siteward_drivers.quantities import Quantity
from siteward_drivers.sim.virtual import VirtualClock
from siteward_drivers.slave import Role, Slave
from siteward_drivers.wire import char_s, t35_s
from tests.bench.bench_line import BAUD, paced, undisturbed
from tests.bench.paced_slave import TURNAROUND_S
from tests.bench.rows import Row
from tests.siteward_drivers.rig import value_of

UNIT = 1
AT = SerialSettings(BAUD, Parity.NONE, 2)
SECONDS = 8.0
BLOCK = 125
MAP = (("f32", 0, 10), ("f32", 22, 10), ("f32", 46, 12), ("f32", 72, 6), ("f64", 800, 14), ("f32", 876, 6))
"""Runs of quantities: type, first register, how many."""

DOCUMENTED = ((0, 84), (800, 88))


def points() -> Iterator[tuple[str, int, int]]:
    """Type, address and registers of each quantity."""
    for kind, first, many in MAP:
        width = 2 if kind == "f32" else 4
        yield from ((kind, first + width * n, width) for n in range(many))


def profile() -> Profile:
    """The meter as a profile; which quantity lies where means nothing here."""
    named = dict(zip(Quantity, points(), strict=False))
    file = {
        "schema": 1,
        "kind": "meter",
        "vendor": "Bench",
        "model": "Sparse map",
        "tested": "datasheet",
        "source": ["tests/bench"],
        "documented": [{"table": "holding", "first": first, "count": count} for first, count in DOCUMENTED],
        "wire": {
            "transports": ["rtu"],
            "unit": UNIT,
            "serial": {"baud": BAUD, "parity": "none", "stop_bits": 2, "bauds": [BAUD], "parities": ["none"]},
        },
        "timing": {"gap_s": 0.0, "turnaround_s": t35_s(AT) + TURNAROUND_S},
        "poll": {"always": list(named)},
        "identify": [{"quantity": next(iter(named)), "range": [0.0, 1.0]}],
        "meter": {"refresh_s": 1.0, "window_s": 1.0},
        "points": {
            name: {"table": "holding", "address": at, "type": kind, "unit": _UNIT.get(name, "")}
            for name, (kind, at, _) in named.items()
        },
    }
    return Profile("sparse_map", ProfileFile.model_validate(file))


_UNIT = {Quantity.ENERGY_IMPORT_TOTAL: "Wh", Quantity.APPARENT_ENERGY_TOTAL: "VAh"}


def wire_s(registers: int) -> float:
    """Wire time of one read of so many registers."""
    return (8 + 5 + 2 * registers) * char_s(AT) + 2 * t35_s(AT) + TURNAROUND_S


def bound() -> float:
    """Registers a second if the map had neither gaps nor holes."""
    wanted = sum(width for _, _, width in points())
    full, rest = divmod(wanted, BLOCK)
    return wanted / (full * wire_s(BLOCK) + (wire_s(rest) if rest else 0.0))


async def ours(port: str, meter: Profile) -> float:
    """Polls of the whole map a second; each poll must hold what the slave truly has."""
    loop = asyncio.get_running_loop()
    clock = VirtualClock(loop)
    owner = LineOwner(
        Line(LineId("bench"), port, AT.baud, AT.parity, AT.stop_bits),
        SerialLink(port, AT.baud, AT.parity, AT.stop_bits),
        Transport.RTU,
        clock,
    )
    device = RegisterDevice(owner, owner.add_slave(Slave("meter", UNIT, Role.OTHER, meter.file.timing)), meter)
    blocks = poll_blocks(meter, meter.file.poll.always, 1, AT)
    right = {}
    for block in blocks:
        words = [value_of(UNIT, 3, block.first + n) for n in range(block.count)]
        right.update(decode(block.points, block.first, words, meter.file.word_order).values)
    await owner.open()
    await asyncio.sleep(0.1)
    terms = Terms(Rank.REST)
    await device.read(blocks, terms)
    polls, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        assert (await device.read(blocks, terms)).values == right
        polls += 1
    rate = polls / (time.perf_counter() - began)
    await owner.close()
    return rate


def one_by_one(port: str) -> float:
    """Registers a second of minimalmodbus, one read a quantity."""
    slave = minimalmodbus.Instrument(port, UNIT)
    slave.serial.baudrate, slave.serial.stopbits = BAUD, AT.stop_bits
    registers, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        for _, address, width in points():
            slave.read_registers(address, width)
            registers += width
    rate = registers / (time.perf_counter() - began)
    slave.serial.close()
    return rate


def measure() -> list[Row]:
    """All rows. Takes about 20 seconds."""
    meter = profile()
    wanted = sum(width for _, _, width in points())
    with paced() as port, undisturbed():
        rate = wanted * asyncio.run(ours(port.path, meter))
    early = port.counts["early"]
    with paced() as port, undisturbed():
        peer = one_by_one(port.path)
    most = bound()
    metric = "registers/s from a sparse map, 19200 baud, of 125-register blocks"
    return [
        Row(
            3, metric, round(rate / most, 3), 0.85, "ratio", "more", round(peer / most, 3), "minimalmodbus, one by one"
        ),
        Row(3, "our frames before t3.5 meanwhile", early, 0, "frames", "less", None, ""),
    ]


if __name__ == "__main__":
    for row in measure():
        print(json.dumps(row.as_json()), flush=True)
