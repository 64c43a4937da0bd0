"""Bus sharing: a third party reads right values and writes only what it was trusted with (fault 5 has a cure)."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from siteward_drivers.share_map import CONNECTORS_AT, METERS_AT, STRIDE, WISH, NoSuchRegister, Shared, ShareMap
from siteward_drivers.share_server import CONNECTIONS_MAX, ShareServer

METER = Shared("grid", (12.345, -3.0, 0.0), (231.1, 232.2, 233.3), -750.4, 12_345_678_901, 1.2)
BLIND = Shared("blind")
BOX = Shared("A01-1", (15.9, 16.0, 0.1), None, 7300.0, 42, 0.4, status=2, granted_a=16.0)
OTHER = Shared("A02-1", status=1, granted_a=6.0)
ASK = Path(__file__).parent / "peers" / "ask.py"


class Station:
    """A server with its wishes and a picture as old as told."""

    def __init__(self) -> None:
        self.map = ShareMap(["A01-1"])
        self.map.show([METER, BLIND], [BOX, OTHER])
        self.age_s = 0.2
        self.takes = True
        self.wishes: list[tuple[str, float]] = []
        self.port = 0

    async def wish(self, name: str, limit_a: float) -> bool:
        self.wishes.append((name, limit_a))
        return self.takes


@asynccontextmanager
async def serving(clients: tuple[str, ...] = ("127.0.0.1",)) -> AsyncIterator[Station]:
    station = Station()
    server = ShareServer(station.map, clients, lambda: station.age_s, station.wish)
    station.port = await server.start("127.0.0.1", 0)
    try:
        yield station
    finally:
        await server.close()


async def ask(port: int, *steps: tuple[object, ...]) -> list[object]:
    """What an independent client hears, in its own process: registers, or the code of an exception."""
    words = (str(ASK), str(port), json.dumps(steps))
    peer = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
    out, _ = await asyncio.wait_for(peer.communicate(), 30)
    assert peer.returncode == 0
    answers: list[object] = json.loads(out)
    return answers


async def test_an_independent_client_reads_what_the_station_reads() -> None:
    """Law 5: signs, units, order of words, and unknown that is never zero (I3)."""
    async with serving() as station:
        head, grid, blind, box = await ask(
            station.port,
            ("input", 0, 4),
            ("holding", METERS_AT, 19),
            ("input", METERS_AT + STRIDE, 19),
            ("input", CONNECTORS_AT, 22),
        )
        assert head == [1, 2, 2, 0]
        assert isinstance(grid, list)
        assert _signed(grid, 0) == 12345
        assert _signed(grid, 2) == -3000
        assert _signed(grid, 6) == 231100
        assert _signed(grid, 12) == -750
        assert int.from_bytes(b"".join(word.to_bytes(2, "big") for word in grid[14:18]), "big") == 12_345_678_901
        assert grid[18] == 1
        assert blind == [0x8000, 0] * 7 + [0xFFFF] * 5
        assert isinstance(box, list)
        assert (_signed(box, 0), box[19], box[20], box[21]) == (15900, 2, 160, 0xFFFF)


def _signed(words: list[int], at: int) -> int:
    return int.from_bytes(b"".join(word.to_bytes(2, "big") for word in words[at : at + 2]), "big", signed=True)


async def test_only_the_register_on_the_list_can_be_written() -> None:
    """Law 1: everything else is an illegal address, and no wish leaves the server."""
    listed = CONNECTORS_AT + WISH
    async with serving() as station:
        answers = await ask(
            station.port,
            ("write", listed, 100),
            ("write", listed + STRIDE, 100),
            ("write", CONNECTORS_AT + 20, 100),
            ("write", METERS_AT, 1),
            ("writes", listed - 1, [1, 2]),
            ("write", listed, 0xFFFF),
        )
        assert answers == ["ok", 2, 2, 2, 2, 3]
        assert station.wishes == [("A01-1", 10.0)]
        station.map.show([], [BOX])
        assert await ask(station.port, ("holding", listed, 1)) == [[100]]
        station.takes = False
        assert await ask(station.port, ("write", listed, 60)) == [3]


async def test_holes_old_pictures_and_strange_functions_are_exceptions() -> None:
    """Law 5: a reader that gets numbers gets true ones."""
    async with serving() as station:
        holes = (("input", 4, 1), ("input", METERS_AT + 18, 2), ("input", 9000, 1), ("coils", 0, 1))
        assert await ask(station.port, *holes) == [2, 2, 2, 1]
        station.age_s = 6.0
        assert await ask(station.port, ("input", 0, 1)) == [11]


async def test_strangers_rubbish_and_crowds_are_hung_up_on() -> None:
    """Fault 15: bounded connections, no answer to bytes that are no Modbus TCP."""
    async with serving(clients=("192.0.2.7",)) as station:
        reader, writer = await asyncio.open_connection("127.0.0.1", station.port)
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
    async with serving() as station:
        crowd = [await asyncio.open_connection("127.0.0.1", station.port) for _ in range(CONNECTIONS_MAX + 2)]
        await asyncio.sleep(0.1)
        alive = 0
        for reader, writer in crowd:
            writer.write(b"\0\1\0\0\0\6\1\3\0\0\0\1")
            try:
                alive += len(await asyncio.wait_for(reader.read(64), 2)) > 0
            except OSError:
                continue
        assert alive == CONNECTIONS_MAX
        reader, writer = crowd[0]
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        for _, writer in crowd:
            writer.close()


async def test_a_flood_of_reads_is_paced() -> None:
    """Law 7: fifty a second on one connection, whatever is asked."""
    async with serving() as station:
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", station.port)
        began = loop.time()
        writer.write(b"\0\1\0\0\0\6\1\3\0\0\0\1" * 50)
        await reader.readexactly(50 * 11)
        assert loop.time() - began > 0.9
        writer.close()


def test_a_map_without_a_picture_has_no_registers() -> None:
    """Law 5: before core was heard there is nothing to read or to write."""
    empty = ShareMap(["A01-1"])
    with pytest.raises(NoSuchRegister):
        empty.read(0, 1, 0.0)
    with pytest.raises(NoSuchRegister):
        empty.wish(CONNECTORS_AT + WISH, 100)
