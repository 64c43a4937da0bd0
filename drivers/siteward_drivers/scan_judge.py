"""What the bytes after a call mean: silence, an answer, a collision, an echo, somebody else; pure."""

from dataclasses import dataclass

from siteward_drivers.modbus import Heard, heard_rtu

_NO_TARGET = (0x0A, 0x0B)
"""Exceptions with which a gateway says that nobody answered."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Judgement of one call.

    `answers` are framed answers, ours first; `echo`: our own frame came back; `loose` bytes belong to no frame;
    `foreign`: requests of another master.
    """

    answers: tuple[Heard, ...] = ()
    echo: bool = False
    loose: int = 0
    foreign: int = 0

    @property
    def framed(self) -> bool:
        """Whether baud and parity are proven: some device framed an answer."""
        return bool(self.answers)

    @property
    def garbled(self) -> bool:
        """Whether bytes came and none of them made a frame."""
        return self.loose > 0 and not self.answers

    def of(self, unit: int) -> tuple[Heard, ...]:
        """Answers that name the unit."""
        return tuple(frame for frame in self.answers if frame.unit == unit)

    def twice(self, unit: int) -> bool:
        """Whether two devices answered one call: two frames of one unit, or a frame with rubbish around it."""
        return len(self.of(unit)) > 1 or (len(self.of(unit)) == 1 and self.loose > 2)


def strip_echo(sent: bytes, data: bytes) -> tuple[bytes, bool]:
    """The bytes without our own frame at their beginning, and whether it was there (fault 4)."""
    if sent and data.startswith(sent):
        return data[len(sent) :], True
    return data, False


def judge(sent: bytes, data: bytes) -> Verdict:
    """Judge the bytes that came after a read call."""
    rest, echo = strip_echo(sent, data)
    frames, loose = heard_rtu(rest)
    answers = [f for f in frames if not f.is_request and f.unit and f.exception not in _NO_TARGET]
    called = sent[0] if sent else 0
    answers.sort(key=lambda frame: frame.unit != called)
    return Verdict(tuple(answers), echo, loose, sum(frame.is_request for frame in frames))
