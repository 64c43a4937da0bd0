"""One contract for all links (architecture section 2): memory, three ways to a pseudo-terminal, TCP."""

import asyncio
import os
import socket
import sys
import termios
import tty
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from siteward.model.errors import ConfigError
from siteward.model.ids import LineId
from siteward.model.site import Line, LinkKind, Parity, SerialSettings
from siteward_drivers.errors import LinkDown, SettingsRefused
from siteward_drivers.link import Link
from siteward_drivers.link_memory import MemoryLink
from siteward_drivers.link_serial import SerialLink
from siteward_drivers.link_tcp import TcpLink
from siteward_drivers.link_tty import TtyLink
from siteward_drivers.links import framing, open_link
from siteward_drivers.profile_schema import Transport

SLOW = SerialSettings(2400, Parity.EVEN, 1)


@dataclass
class Far:
    """The other end of a link under test."""

    say: Callable[[bytes], Awaitable[None]]
    hear: Callable[[], Awaitable[bytes]]
    vanish: Callable[[], Awaitable[None]]


@asynccontextmanager
async def memory() -> AsyncIterator[tuple[Link, Far]]:
    ours, theirs = MemoryLink.pair()
    await theirs.open()

    async def say(data: bytes) -> None:
        theirs.write(data)

    async def hear() -> bytes:
        return await theirs.read(asyncio.get_running_loop().time() + 1)

    async def vanish() -> None:
        ours.plug(False)

    yield ours, Far(say, hear, vanish)
    await ours.close()


@asynccontextmanager
async def serial_line(kind: LinkKind = LinkKind.SERIAL) -> AsyncIterator[tuple[Link, Far]]:
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    os.set_blocking(master, False)
    gone = False

    async def say(data: bytes) -> None:
        os.write(master, data)

    async def hear() -> bytes:
        for _ in range(200):
            try:
                return os.read(master, 100)
            except (BlockingIOError, OSError):
                await asyncio.sleep(0.005)
        return b""

    async def vanish() -> None:
        nonlocal gone
        gone = True
        os.close(master)

    link = open_link(Line(LineId("l"), path, 19200, link=kind))
    yield link, Far(say, hear, vanish)
    await link.close()
    if not gone:
        os.close(master)


@asynccontextmanager
async def tcp() -> AsyncIterator[tuple[Link, Far]]:
    streams: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    writers: list[asyncio.StreamWriter] = []

    def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        streams.put_nowait((reader, writer))

    server = await asyncio.start_server(met, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    current: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def stream() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while not streams.empty() or not current or current[0][0].at_eof():
            current[:] = [await streams.get()]
        return current[0]

    async def say(data: bytes) -> None:
        (await stream())[1].write(data)

    async def hear() -> bytes:
        while not (data := await (await stream())[0].read(100)):
            # The connection before this one: the server meets the new one in its own time.
            continue
        return data

    async def vanish() -> None:
        (await stream())[1].close()
        server.close()

    link = TcpLink("127.0.0.1", port)
    yield link, Far(say, hear, vanish)
    await link.close()
    await asyncio.sleep(0.01)
    for writer in writers:
        writer.close()
    server.close()
    await asyncio.sleep(0.01)


KINDS = {
    "memory": memory,
    "serial": serial_line,
    "serialx": lambda: serial_line(LinkKind.SERIALX),
    "thread": lambda: serial_line(LinkKind.THREAD),
    "tcp": tcp,
}


@pytest.fixture(params=list(KINDS))
async def ends(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Link, Far]]:
    async with KINDS[request.param]() as pair:
        yield pair


def soon(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


async def _read_on(link: Link) -> None:
    while True:
        await link.read(soon(1.0))


async def test_it_opens_closes_and_opens_again(ends: tuple[Link, Far]) -> None:
    link, far = ends
    assert not link.is_open
    with pytest.raises(LinkDown):
        link.write(b"x")
    with pytest.raises(LinkDown):
        await link.read(soon(0.01))
    await link.close()
    for _ in range(2):
        await link.open()
        await link.open()
        assert link.is_open
        link.write(b"hello")
        assert await far.hear() == b"hello"
        await link.close()
        assert not link.is_open


async def test_bytes_come_as_soon_as_there_are_any_and_none_by_the_deadline(ends: tuple[Link, Far]) -> None:
    link, far = ends
    await link.open()
    link.write(b"?")
    await far.hear()
    began = soon(0)
    assert await link.read(began + 0.05) == b""
    assert 0.045 <= soon(0) - began < 0.5
    await far.say(b"\x00\x11\x13\xff\n\r")
    began = soon(0)
    data = b""
    while len(data) < 6:
        data += await link.read(soon(1.0))
    assert data == b"\x00\x11\x13\xff\n\r"
    assert soon(0) - began < 0.5
    assert await link.read(soon(-1.0)) == b""


async def test_bytes_that_came_before_the_read_are_kept(ends: tuple[Link, Far]) -> None:
    link, far = ends
    await link.open()
    link.write(b"?")
    await far.hear()
    await far.say(b"abc")
    await asyncio.sleep(0.05)
    assert await link.read(soon(-1.0)) == b"abc"


async def test_a_reader_that_gave_up_costs_no_byte(ends: tuple[Link, Far]) -> None:
    """Law 7: what was read for somebody who is gone belongs to the next reader, at once."""
    link, far = ends
    await link.open()
    link.write(b"?")
    await far.hear()
    for number in range(20):
        reader = asyncio.create_task(link.read(soon(5.0)))
        await asyncio.sleep(0.002 * (number % 3))
        reader.cancel()
        await asyncio.wait([reader])
        await far.say(bytes([number]))
        assert await link.read(soon(1.0)) == bytes([number])


async def test_a_vanished_far_end_is_told_and_writing_refused(ends: tuple[Link, Far]) -> None:
    link, far = ends
    await link.open()
    link.write(b"?")
    await far.hear()
    await far.vanish()
    with pytest.raises(LinkDown):
        await _read_on(link)
    assert not link.is_open
    with pytest.raises(LinkDown):
        link.write(b"x")
    await link.close()
    with pytest.raises(LinkDown):
        await link.open()


@pytest.mark.parametrize("kind", LinkKind)
async def test_a_missing_port_is_told(tmp_path: Path, kind: LinkKind) -> None:
    with pytest.raises(LinkDown, match="gone"):
        await open_link(Line(LineId("l"), str(tmp_path / "gone"), link=kind)).open()


@pytest.mark.parametrize("other", LinkKind)
@pytest.mark.parametrize("kind", LinkKind)
async def test_a_serial_port_is_ours_alone(kind: LinkKind, other: LinkKind) -> None:
    """Fault 5: whichever way another program of ours takes, one master speaks on a wire."""
    async with serial_line(kind) as (link, _):
        await link.open()
        with pytest.raises(LinkDown):
            await open_link(Line(LineId("l"), link.name, link=other)).open()
        link.write(b"?")


@pytest.mark.parametrize("kind", LinkKind)
async def test_settings_that_a_port_refuses_leave_it_as_it_was(kind: LinkKind) -> None:
    """Ruling 8, law 7: a pseudo-terminal has no parity; the line goes on under the settings before."""
    async with serial_line(kind) as (link, far):
        assert isinstance(link, TtyLink)
        with pytest.raises(LinkDown):
            link.tune(SLOW)
        await link.open()
        link.tune(SerialSettings(2400, Parity.NONE, 2))
        with pytest.raises(SettingsRefused, match="refuses 2400 8E1"):
            link.tune(SLOW)
        assert termios.tcgetattr(link._file())[4:6] == [termios.B2400, termios.B2400]
        assert termios.tcgetattr(link._file())[2] & termios.CSTOPB
        link.write(b"hello")
        assert await far.hear() == b"hello"
        await link.close()
        await link.open()
        assert termios.tcgetattr(link._file())[4:6] == [termios.B19200, termios.B19200]


@pytest.mark.parametrize("kind", LinkKind)
async def test_a_port_without_parity_is_not_opened_for_a_line_with_one(kind: LinkKind) -> None:
    """Fault 3, ruling 8: unless the line is said to be simulated."""
    async with serial_line(kind) as (plain, _):
        line = Line(LineId("l"), plain.name, 2400, Parity.EVEN, link=kind)
        link = open_link(line)
        with pytest.raises(LinkDown):
            await link.open()
        assert not link.is_open
        played = open_link(replace(line, simulated=True))
        await played.open()
        assert played.is_open
        await played.close()


async def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 66: the site file asks for a library that this station does not have."""
    monkeypatch.delitem(sys.modules, "siteward_drivers.link_serialx", raising=False)
    monkeypatch.setitem(sys.modules, "serialx", None)
    with pytest.raises(ConfigError, match=r"line l: link: serialx is not installed; install siteward\[serialx\]"):
        open_link(Line(LineId("l"), "/dev/ttyUSB0", link=LinkKind.SERIALX))


async def test_small_frames_never_wait_for_an_acknowledgement() -> None:
    async with tcp() as (link, _):
        await link.open()
        assert isinstance(link, TcpLink)
        assert link._connection is not None
        sock = link._connection.sock
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize(
    ("port", "kind", "transport"),
    [
        ("/dev/ttyUSB0", SerialLink, Transport.RTU),
        ("tcp://192.0.2.1:1502", TcpLink, Transport.TCP),
        ("tcp://plant", TcpLink, Transport.TCP),
        ("rtu+tcp://192.0.2.1:4001", TcpLink, Transport.RTU),
    ],
)
def test_the_port_of_a_line_says_its_link_and_framing(port: str, kind: type, transport: Transport) -> None:
    line = Line(LineId("l"), port)
    assert isinstance(open_link(line), kind)
    assert framing(line) is transport


@pytest.mark.parametrize("port", ["udp://x:1", "tcp://", "tcp://x:99999", "rtu+tcp://gateway"])
def test_a_port_that_cannot_be_one_is_told(port: str) -> None:
    with pytest.raises(ConfigError, match="line l: port"):
        open_link(Line(LineId("l"), port))
