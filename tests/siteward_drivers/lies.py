"""How a wire lies: for each kind of fixtures/lies.toml what is said in place of an honest answer, and the link."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Inbox
from siteward_drivers.sim.memory_line import SimLink
from tests.campaigns.mangle import crc

Pieces = list[tuple[float, bytes]]
"""What is said, each piece so many seconds after the honest answer would have been."""

SOON_S = 0.004


@dataclass(slots=True)
class Talk:
    """One honest exchange with what came before it: whole frames; `before` are the last ones of its unit and wire."""

    rtu: bool
    request: bytes
    reply: bytes
    before: bytes | None = None
    before_on_wire: bytes | None = None
    number: int = 0

    @property
    def unit(self) -> int:
        """The address that was asked."""
        return self.request[0 if self.rtu else 6]

    @property
    def pdu(self) -> bytes:
        """The honest answer without its frame."""
        return self.reply[1:-2] if self.rtu else self.reply[7:]

    def frame(self, pdu: bytes, unit: int | None = None, transaction: int = 0) -> bytes:
        """A right frame around an answer; `transaction` counts from that of the request."""
        body = bytes((self.unit if unit is None else unit,)) + pdu
        if self.rtu:
            return body + crc(body)
        number = (int.from_bytes(self.request[:2], "big") + transaction) & 0xFFFF
        return number.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + body

    def words(self, words: bytes) -> bytes:
        """A right frame with these registers in place of the honest ones."""
        return self.frame(bytes((self.pdu[0], len(words) & 0xFF)) + words)


def _shorter(t: Talk) -> Pieces:
    return [(0.0, t.words(t.pdu[2:-2]) if len(t.pdu) > 4 else t.frame(t.pdu[:1] + b"\0"))]


def _stale(t: Talk, before: bytes | None) -> Pieces:
    """The answer before; a gateway gives it the number of now."""
    if before is None:
        return [(0.0, t.reply)]
    return [(0.0, before if t.rtu else t.request[:2] + before[2:])]


def _patched(t: Talk, at: int, value: bytes) -> Pieces:
    return [(0.0, t.reply[:at] + value + t.reply[at + len(value) :])]


def _bit(t: Talk) -> Pieces:
    at = t.number % len(t.reply)
    return _patched(t, at, bytes((t.reply[at] ^ 1 << t.number % 8,)))


def _exception(t: Talk, code: int) -> Pieces:
    return [(0.0, t.frame(bytes((t.request[1 if t.rtu else 7] | 0x80, code))))]


def _slow(t: Talk, after_s: float) -> Pieces:
    return [(after_s, t.reply)]


def _crc_turned(t: Talk) -> Pieces:
    return [(0.0, t.reply[:-2] + t.reply[:-3:-1])]


def _paused(t: Talk) -> Pieces:
    middle = len(t.reply) // 2
    return [(0.0, t.reply[:middle]), (0.03, t.reply[middle:])]


def _foreign_master(t: Talk) -> Pieces:
    request = bytes((77, 3, 0, t.number % 200, 0, 2))
    answer = bytes((77, 3, 4, 1, 2, 3, 4))
    return [(0.0, t.reply), (0.02, request + crc(request)), (0.04, answer + crc(answer))]


_HTTP = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
_METER = bytes.fromhex("fefefefe681290785634126891083333343533c4563416")

LIES: dict[str, Callable[[Talk], Pieces]] = {
    "silent": lambda t: [],
    "late": lambda t: _slow(t, 1.35 if not t.rtu else 0.75),
    "later by seconds": lambda t: _slow(t, 2.05),
    "later by a request": lambda t: _slow(t, 0.95),
    "one behind": lambda t: _stale(t, t.before),
    "one behind on the whole wire": lambda t: _stale(t, t.before_on_wire),
    "frozen gateway": lambda t: _stale(t, t.before),
    "foreign unit": lambda t: [(0.0, t.frame(t.pdu, unit=t.unit ^ 3))],
    "broadcast unit": lambda t: [(0.0, t.frame(t.pdu, unit=0))],
    "wrong function": lambda t: [(0.0, t.frame(bytes((7 - t.pdu[0] & 0x7F,)) + t.pdu[1:]))],
    "fewer registers": _shorter,
    "more registers": lambda t: [(0.0, t.words(t.pdu[2:] + b"\x12\x34"))],
    "wrong count": lambda t: [(0.0, t.frame(t.pdu[:1] + bytes(((t.pdu[1] + 2) & 0xFF,)) + t.pdu[2:]))],
    "odd count": lambda t: [(0.0, t.words(t.pdu[2:-1]))],
    "no data": lambda t: [(0.0, t.frame(t.pdu[:1] + b"\0"))],
    "truncated": lambda t: [(0.0, t.reply[:-1])],
    "beheaded": lambda t: [(0.0, t.reply[1:])],
    "empty": lambda t: [(0.0, b"")],
    "oversize": lambda t: [(0.0, t.words(t.pdu[2:] * 30))],
    "doubled": lambda t: [(0.0, t.reply), (0.0, t.reply)],
    "doubled apart": lambda t: [(0.0, t.reply), (SOON_S, t.reply)],
    "glued to a foreign answer": lambda t: [(0.0, t.frame(t.pdu[:2] + b"\x55" * (len(t.pdu) - 2), unit=99) + t.reply)],
    "single bytes": lambda t: [(0.0005 * n, t.reply[n : n + 1]) for n in range(len(t.reply))],
    "pause in the middle": _paused,
    "echoed": lambda t: [(0.0, t.request), (SOON_S, t.reply)],
    "only echoed": lambda t: [(0.0, t.request)],
    "bit noise": _bit,
    "noise before": lambda t: [(0.0, b"\xff\x01\x03\x80"), (SOON_S, t.reply)],
    "noise behind": lambda t: [(0.0, t.reply + b"\x00\x55\xaa")],
    "noise instead": lambda t: [(0.0, bytes((t.number * 31 + n * 57) & 0xFF for n in range(len(t.reply))))],
    "checksum turned": _crc_turned,
    "checksum zero": lambda t: [(0.0, t.reply[:-2] + b"\0\0")],
    "exception storm": lambda t: _exception(t, 4),
    "busy for ever": lambda t: _exception(t, 6),
    "exception of nobody": lambda t: _exception(t, 0),
    "exception of another function": lambda t: [(0.0, t.frame(bytes((t.pdu[0] ^ 0x93, 2))))],
    "stale transaction": lambda t: [(0.0, t.frame(t.pdu, transaction=-1))],
    "future transaction": lambda t: [(0.0, t.frame(t.pdu, transaction=1))],
    "wrong protocol": lambda t: _patched(t, 2, b"\x12\x34"),
    "header too long": lambda t: _patched(t, 4, (len(t.reply) - 5).to_bytes(2, "big")),
    "header too short": lambda t: _patched(t, 4, (len(t.reply) - 7).to_bytes(2, "big")),
    "header of megabytes": lambda t: _patched(t, 4, b"\xff\xff"),
    "web page": lambda t: [(0.0, _HTTP)],
    "another protocol": lambda t: [(0.0, _METER)],
    "foreign master": _foreign_master,
    "before the request": lambda t: [(0.0, t.reply)],
}
"""What is said, by kind."""

EARLY = "before the request"
"""The kind that answers what will be asked: the honest answer of last time, directly before each request."""

UNHEARD = ("only echoed",)
"""Kinds in which the devices never hear what was asked."""


@dataclass(slots=True)
class Heard:
    """What the simulator's registers truly held when they were last asked: word by unit, function and address."""

    words: dict[tuple[int, int, int], int] = field(default_factory=dict)
    since: list[dict[tuple[int, int, int], int]] = field(default_factory=list)
    """All of them after each answer since `mark`."""

    def mark(self) -> None:
        """A poll begins."""
        self.since = [dict(self.words)]

    def note(self, rtu: bool, request: bytes, reply: bytes) -> None:
        """Take in one honest exchange."""
        asked, said = (request[:-2], reply[1:-2]) if rtu else (request[6:], reply[7:])
        if said[0] not in (3, 4):
            return
        first = int.from_bytes(asked[2:4], "big")
        for n in range(0, said[1], 2):
            self.words[asked[0], said[0], first + n // 2] = said[2 + n] << 8 | said[3 + n]
        self.since.append(dict(self.words))


class LyingLink:
    """A link to a simulated wire on which every answer passes a liar; honest while `kind` is None."""

    def __init__(self, inner: SimLink, rtu: bool) -> None:
        self.kind: str | None = None
        self.truth = Heard()
        self.told = 0
        self._inner = inner
        self._rtu = rtu
        self._inbox: Inbox | None = None
        self._pump: asyncio.Task[None] | None = None
        self._request = b""
        self._replies: dict[int, bytes] = {}
        self._last: bytes | None = None

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def is_open(self) -> bool:
        return self._inbox is not None

    async def open(self) -> None:
        if self._inbox is None:
            await self._inner.open()
            self._inbox = Inbox()
            self._pump = asyncio.create_task(self._listen())

    async def close(self) -> None:
        pump, self._pump, self._inbox = self._pump, None, None
        if pump is not None:
            pump.cancel()
            await asyncio.wait([pump])
        await self._inner.close()

    def write(self, data: bytes) -> None:
        if self._inbox is None:
            raise LinkDown("not open")
        self._request = data
        if self.kind == EARLY and self._last is not None:
            self.told += 1
            self._inbox.data_received(self._last)
        if self.kind in UNHEARD:
            self._say(Talk(self._rtu, data, data, number=self.told))
            return
        self._inner.write(data)

    async def read(self, deadline: float) -> bytes:
        if self._inbox is None:
            raise LinkDown("not open")
        return await self._inbox.take(deadline)

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            reply = await self._inner.read(loop.time() + 3600.0)
            if reply:
                self._heard(reply)

    def _heard(self, reply: bytes) -> None:
        request = self._request
        self.truth.note(self._rtu, request, reply)
        talk = Talk(self._rtu, request, reply, number=self.told)
        talk.before, talk.before_on_wire = self._replies.get(talk.unit), self._last
        if self.kind != "frozen gateway" or talk.unit not in self._replies:
            self._replies[talk.unit] = reply
        self._last = reply
        self._say(talk)

    def _say(self, talk: Talk) -> None:
        if self.kind is None or (self.kind == EARLY and self._last is None):
            self._deliver(self._inbox, talk.reply)
            return
        self.told += 1
        for after_s, data in LIES[self.kind](talk):
            asyncio.get_running_loop().call_later(after_s, self._deliver, self._inbox, data)

    def _deliver(self, inbox: Inbox | None, data: bytes) -> None:
        if inbox is not None and inbox is self._inbox and data:
            inbox.data_received(data)
