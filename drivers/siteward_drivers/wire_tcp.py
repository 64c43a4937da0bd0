"""One exchange on Modbus TCP: a transaction number ties each answer to its request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from siteward.model.errors import WeAreWrong
from siteward_drivers.answer import Answer
from siteward_drivers.errors import Garbled, LinkDown
from siteward_drivers.line_visit import Visit
from siteward_drivers.link import Cancels, Link, Prompt, bare
from siteward_drivers.modbus import Request, encode_tcp, find_tcp
from siteward_drivers.modbus_quick import quick_tcp
from siteward_drivers.overheard import Overheard
from siteward_drivers.slave import Slave
from siteward_drivers.speech import AnyRequest
from siteward_drivers.wire import Outcome


class Asker(Protocol):
    """Takes what became of a request that was started; must not raise."""

    def answered(self, answer: Answer, ended: float, turnaround_s: float) -> None:
        """The answer was whole at `ended` (loop)."""
        ...

    def failed(self, what: Outcome | LinkDown) -> None:
        """No answer came in time, or the connection ended."""
        ...


@dataclass(slots=True)
class _Asked:
    """A request whose answer is awaited; `sent` is the loop's time, `heard` what came since."""

    request: Request
    before: AnyRequest | None
    sent: float
    heard: bytes = b""


class TcpWire:
    """Modbus TCP framing: late answers fall away by themselves, by their number.

    On a link that is Prompt an exchange can run without a task that waits for it (`start`); the rules are the same.
    """

    late_s = 0.0
    strays = 0

    def __init__(self, link: Link) -> None:
        self.overheard = Overheard()
        self._link = link
        inside = bare(link)
        self._prompt = inside if isinstance(inside, Prompt) else None
        self._buffer = bytearray()
        # Bytes are taken through the wrapping, which notes them.
        self._take_now: Callable[[], bytes] = getattr(link, "take_now", bytes)
        self._transaction = 0
        self._quiet_since = 0.0
        self._asked: _Asked | None = None
        self._asker: Asker | None = None
        self._timer: Cancels | None = None

    def reset(self) -> None:
        """Bytes of the old connection mean nothing on the new one."""
        self._buffer.clear()

    async def settle(self, slave: Slave) -> bool:
        """Wait for the device's gap; a stream needs no silence."""
        delay = self.calm_at(slave) - asyncio.get_running_loop().time()
        if delay > 0:
            await asyncio.sleep(delay)
        return True

    def calm_at(self, slave: Slave) -> float:
        """The device's gap."""
        return self._quiet_since + slave.gap_s

    async def call(self, visit: Visit) -> Answer | None:
        """A connection is nobody else's: an ordinary exchange. Raises LinkDown where only half an answer came."""
        outcome = await self.exchange(visit.slave, visit.request)
        if outcome.torn:
            raise LinkDown("an answer broke off")
        return outcome.answer

    def tune(self, slave: Slave) -> None:
        """A connection has no serial settings."""

    async def exchange(self, slave: Slave, request: AnyRequest, before: AnyRequest | None = None) -> Outcome:
        """Send; read frames until the one with our transaction number, or until the time is over."""
        asked = self._send(slave, request, before, asyncio.get_running_loop().time())
        deadline = asked.sent + slave.timeout_s
        while data := await self._link.read(deadline):
            answer = self._take(asked, data)
            if answer is not None:
                self._quiet_since = now = asyncio.get_running_loop().time()
                return Outcome(answer, now, now - asked.sent)
        return self._missed(asked)

    @property
    def calls_back(self) -> bool:
        """Whether `start` works on this link."""
        return self._prompt is not None

    def can_start(self, slave: Slave, now: float) -> bool:
        """Whether a frame to the device may go out at this very instant (loop), by `start`."""
        return self.calm_at(slave) <= now

    def start(self, slave: Slave, request: AnyRequest, before: AnyRequest | None, asker: Asker, now: float) -> None:
        """Send; `asker` hears once, later: at the answer, at the end of the time or of the connection.

        Raises LinkDown when nothing was sent, WeAreWrong on a link that calls nobody back.
        """
        if self._prompt is None:
            raise WeAreWrong("this link calls nobody back")
        self._prompt.listen(self._heard)
        self._asked = asked = self._send(slave, request, before, now)
        self._asker = asker
        self._timer = self._prompt.call_at(asked.sent + slave.timeout_s, self._late)

    def abandon(self) -> None:
        """Forget the request that was started: nobody is told any more."""
        self._asked = self._asker = None
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _heard(self) -> None:
        asked = self._asked
        if asked is None or self._prompt is None:
            return
        try:
            answer = self._take(asked, self._take_now())
        except LinkDown as error:
            self._tell(error)
            return
        if answer is None:
            return
        asker = self._asker
        self.abandon()
        self._quiet_since = now = asyncio.get_running_loop().time()
        if asker is not None:
            asker.answered(answer, now, now - asked.sent)

    def _late(self) -> None:
        if self._asked is None:
            return
        try:
            outcome: Outcome | LinkDown = self._missed(self._asked)
        except LinkDown as error:
            outcome = error
        self._tell(outcome)

    def _tell(self, outcome: Outcome | LinkDown) -> None:
        asker = self._asker
        self.abandon()
        if asker is not None:
            asker.failed(outcome)

    def _send(self, slave: Slave, request: AnyRequest, before: AnyRequest | None, now: float) -> _Asked:
        if not isinstance(request, Request):
            raise WeAreWrong(f"{slave.device}: only Modbus travels on Modbus TCP, not {request}")
        self._transaction = self._transaction % 0xFFFF + 1
        self._link.write(encode_tcp(request, self._transaction))
        # What stands behind the last answer may be the beginning of a frame: without it the rest is no header.
        return _Asked(request, before, now, bytes(self._buffer))

    def _take(self, asked: _Asked, data: bytes) -> Answer | None:
        """The answer, once it is there. Raises LinkDown when the bytes belong to no frame."""
        if not self._buffer:
            answer = quick_tcp(asked.request, self._transaction, data)
            if answer is not None:
                return answer
        asked.heard += data
        self._buffer += data
        return self._find(asked.request, self._buffer)

    def _find(self, request: Request, buffer: bytearray) -> Answer | None:
        try:
            return find_tcp(request, self._transaction, buffer)
        except Garbled as error:
            raise LinkDown(str(error)) from error

    def _missed(self, asked: _Asked) -> Outcome:
        """What a time-out leaves. Raises LinkDown when the bytes that came belong to no frame."""
        self._quiet_since = now = asyncio.get_running_loop().time()
        before, heard = asked.before, asked.heard
        behind = isinstance(before, Request) and self._find(before, bytearray(heard)) is not None
        # Half a frame: the rest would be read in front of the next answer and shift every frame behind it.
        return Outcome(None, now, noise=bool(heard), behind=behind, torn=bool(self._buffer))
