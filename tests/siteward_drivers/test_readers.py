"""Card readers: lines of text on a pseudo-terminal and keys of an input device, whole, broken, and gone (S-94, B17)."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.access import Reader, ReaderKind
from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ConnectorId, ReaderId
from siteward.model.ports import TokenSource
from siteward_drivers.reader_keys import EVENT, KEYS, KeyReader
from siteward_drivers.reader_serial import SerialReader
from siteward_drivers.reader_text import MOST, TokenText
from siteward_drivers.readers import build_readers
from tests.fixtures.sites import two_connector_site

CODES = {sign: code for code, sign in reversed(list(KEYS.items()))}


@pytest.mark.parametrize(
    ("sent", "tokens"),
    [
        ([b"04A2B3C4\r\n"], ["04A2B3C4"]),
        ([b"04A2", b"B3C4\r"], ["04A2B3C4"]),
        ([b"\x0204a2b3c4\x03"], ["04a2b3c4"]),
        ([b"04:A2:B3:C4\n04 a2\n"], ["04A2B3C4", "04a2"]),
        ([b"\r\n\r\n"], []),
        ([b"\xff\x80garbage\n04A2\n"], ["04A2"]),
        ([b"A" * (MOST + 1) + b"\nB\n"], ["B"]),
        ([b"half\x02WHOLE\x03"], ["WHOLE"]),
    ],
)
def test_what_readers_send_is_gathered_into_tokens(sent: list[bytes], tokens: list[str]) -> None:
    """S-99: noise is dropped up to its end and stops nothing; nothing grows without bound."""
    text = TokenText()
    assert [token for data in sent for token in text.feed(data)] == tokens


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """A pseudo-terminal: our end, and the name of the port."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    name = os.ttyname(theirs)
    yield ours, name
    for file in (ours, theirs):
        try:
            os.close(file)
        except OSError:
            continue


def serial_reader(port: str) -> TokenSource:
    """The reader that a site file with this port gives."""
    reader = Reader(ReaderId("r1"), port, ReaderKind.SERIAL, 9600, (ConnectorId("A1"),))
    (made,) = build_readers(replace(two_connector_site(), readers=(reader,)))
    assert isinstance(made, SerialReader)
    return made


async def test_a_serial_reader_shows_card_after_card(pty: tuple[int, str]) -> None:
    """Issue 5 point 5: cards through a reader at a serial port."""
    reader = serial_reader(pty[1])
    waiting = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.1)
    os.write(pty[0], b"\x0204A2")
    await asyncio.sleep(0.05)
    assert not waiting.done()
    os.write(pty[0], b"B3C4\x03\r\nFFEE\r\n")
    assert (await asyncio.wait_for(waiting, 3)).token == "04A2B3C4"
    assert (await asyncio.wait_for(reader.shown(), 3)).token == "FFEE"
    await reader.close()


async def test_a_serial_reader_that_is_gone_says_so_and_is_found_again(pty: tuple[int, str], tmp_path: Path) -> None:
    """Fault 6 for readers: unplugged, then back under the same name."""
    port = tmp_path / "reader"
    reader = serial_reader(str(port))
    with pytest.raises(DeviceUnreachable, match="r1"):
        await reader.shown()
    port.symlink_to(pty[1])
    waiting = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.1)
    os.write(pty[0], b"04A2\n")
    assert (await asyncio.wait_for(waiting, 3)).token == "04A2"
    again = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.05)
    os.close(pty[0])
    with pytest.raises(DeviceUnreachable):
        await asyncio.wait_for(again, 8)
    await reader.close()


class Keyboard:
    """A reader that types, behind a pipe in place of /dev/input/event0."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.at = 1000.0

    def type(self, text: str, pause_s: float = 0.01, cut: int = 0) -> None:
        """Press and release each key; `cut` bytes of the last event come only with the next call."""
        data = b""
        for sign in text:
            self.at += pause_s
            seconds, micros = int(self.at), int(self.at % 1 * 1e6)
            data += EVENT.pack(seconds, micros, 4, 4, 458_756)
            for value in (1, 2, 0):
                data += EVENT.pack(seconds, micros, 1, CODES[sign], value)
            data += EVENT.pack(seconds, micros, 0, 0, 0)
        held, self.held = getattr(self, "held", b""), data[len(data) - cut :]
        os.write(self.file, held + data[: len(data) - cut])


@pytest.fixture
async def keyboard(tmp_path: Path) -> AsyncIterator[tuple[Keyboard, KeyReader]]:
    """A typing reader and our end of it."""
    board = Keyboard(tmp_path / "event0")
    reader = KeyReader(ReaderId("k1"), str(board.path))
    yield board, reader
    await reader.close()
    os.close(board.file)


async def test_a_reader_that_types_shows_what_it_typed(keyboard: tuple[Keyboard, KeyReader]) -> None:
    """Issue 5 point 5: keyboard wedge; releases, repetitions and other events are no keys, half events wait."""
    board, reader = keyboard
    waiting = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.05)
    board.type("0012345678\n04", cut=11)
    assert (await asyncio.wait_for(waiting, 2)).token == "0012345678"
    board.type("A2\n")
    assert (await asyncio.wait_for(reader.shown(), 2)).token == "04A2"


async def test_what_is_typed_by_hand_joins_no_card(keyboard: tuple[Keyboard, KeyReader]) -> None:
    """A pause of more than a second begins anew: a card types all at once."""
    board, reader = keyboard
    waiting = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.05)
    board.type("99", pause_s=2.0)
    board.at += 5.0
    board.type("04A2\n")
    assert (await asyncio.wait_for(waiting, 2)).token == "04A2"


async def test_a_typing_reader_that_is_gone_says_so(tmp_path: Path) -> None:
    """Unplugged while somebody waits, and before it was ever there; it is found again when it is back."""
    path = tmp_path / "event0"
    reader = KeyReader(ReaderId("k1"), str(path))
    with pytest.raises(DeviceUnreachable, match="No such file"):
        await reader.shown()
    os.mkfifo(path)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    waiting = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.05)
    os.close(end)
    with pytest.raises(DeviceUnreachable, match="gone"):
        await asyncio.wait_for(waiting, 2)
    end = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    again = asyncio.ensure_future(reader.shown())
    await asyncio.sleep(0.05)
    os.write(end, EVENT.pack(9, 0, 1, CODES["7"], 1) + EVENT.pack(9, 0, 1, 28, 1))
    assert (await asyncio.wait_for(again, 2)).token == "7"
    await reader.close()
    os.close(end)
