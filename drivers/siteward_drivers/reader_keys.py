"""A card reader that types the number and Enter like a keyboard: the kernel's input events, taken by us alone."""

import asyncio
import fcntl
import os
import stat
import struct

from siteward.model.errors import DeviceUnreachable
from siteward.model.ids import ReaderId
from siteward.model.ports import Shown
from siteward_drivers.reader_text import TokenText

EVENT = struct.Struct("@llHHi")
"""struct input_event of linux/input.h: time in s and us, type, code, value."""

PRESSED = 1
"""Value of a key that goes down; 0 is up, 2 is a repetition."""

_EV_KEY = 1
_EVIOCGRAB = 0x40044590
_SLOWEST_S = 1.0
"""Longest pause between two keys of one card: what somebody types by hand joins no card's number."""

_ROWS = ((2, "1234567890-"), (16, "QWERTYUIOP"), (30, "ASDFGHJKL"), (44, "ZXCVBNM"), (52, "."))
_PAD = ((71, "789"), (75, "456"), (79, "1230"))
KEYS = {first + place: sign for first, row in (*_ROWS, *_PAD) for place, sign in enumerate(row)} | {28: "\n", 96: "\n"}
"""Key codes of linux/input-event-codes.h on the keyboard that such readers play; shift changes nothing."""


class KeyReader:
    """model.ports.TokenSource over an input device; asked again after a loss, it opens the device anew."""

    def __init__(self, reader: ReaderId, path: str) -> None:
        self._id = reader
        self._path = path
        self._file: int | None = None
        self._text = TokenText()
        self._half = b""
        self._key_at = 0.0
        self._waiting: list[str] = []
        self._heard = asyncio.Event()
        self._lost = ""

    @property
    def id(self) -> ReaderId:
        """Its name in site.toml."""
        return self._id

    async def shown(self) -> Shown:
        """The next card. Raises DeviceUnreachable."""
        if self._file is None:
            self._open()
        while not self._waiting:
            if self._lost:
                why, self._lost = self._lost, ""
                await self.close()
                raise DeviceUnreachable(f"reader {self._id}: {why}")
            self._heard.clear()
            await self._heard.wait()
        return Shown(self._waiting.pop(0))

    async def close(self) -> None:
        """Let the device go; its keys reach the console again."""
        file, self._file = self._file, None
        if file is not None:
            asyncio.get_running_loop().remove_reader(file)
            os.close(file)
        self._text.forget()
        self._half = b""

    def _open(self) -> None:
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise DeviceUnreachable(f"reader {self._id}: {self._path}: {error.strerror}") from error
        try:
            if stat.S_ISCHR(os.fstat(file).st_mode):
                # Otherwise each card would be typed into whoever is logged in at the console.
                fcntl.ioctl(file, _EVIOCGRAB, 1)
        except OSError as error:
            os.close(file)
            raise DeviceUnreachable(f"reader {self._id}: {self._path}: {error.strerror}; is it in use?") from error
        self._file, self._lost = file, ""
        asyncio.get_running_loop().add_reader(file, self._read, file)

    def _read(self, file: int) -> None:
        try:
            data = os.read(file, EVENT.size * 64)
            self._lost = "" if data else "gone"
        except BlockingIOError:
            return
        except OSError as error:
            data, self._lost = b"", error.strerror or "gone"
        if self._lost:
            asyncio.get_running_loop().remove_reader(file)
        self._take(data)
        self._heard.set()

    def _take(self, data: bytes) -> None:
        data = self._half + data
        whole = len(data) - len(data) % EVENT.size
        self._half = data[whole:]
        for seconds, micros, kind, code, value in EVENT.iter_unpack(data[:whole]):
            if kind != _EV_KEY or value != PRESSED or code not in KEYS:
                continue
            at = seconds + micros / 1e6
            if at - self._key_at > _SLOWEST_S:
                self._text.forget()
            self._key_at = at
            self._waiting += self._text.feed(KEYS[code].encode("ascii"))
