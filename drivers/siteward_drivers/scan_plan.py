"""What a bus scan asks, in which order, and how long that takes at most: settings, addresses, time-outs; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from siteward.model.ids import LineId
from siteward.model.site import Line, Parity
from siteward_drivers.modbus import Request, encode_rtu
from siteward_drivers.wire import char_s, t35_s

LIKELY_BAUDS = (9600, 19200, 38400)
LIKELY_PARITIES = (Parity.NONE, Parity.EVEN)
LIKELY_UNITS = tuple(range(1, 33))
WIDE_BAUDS = (9600, 19200, 38400, 2400, 4800, 57600, 115200)
WIDE_PARITIES = (Parity.NONE, Parity.EVEN, Parity.ODD)
ALL_UNITS = tuple(range(1, 248))
ANSWER_S = 0.1
"""How long a device may take to begin its answer; one that takes longer is heard in its neighbour's turn."""

_LETTER = {Parity.NONE: "N", Parity.EVEN: "E", Parity.ODD: "O"}


@dataclass(frozen=True, slots=True)
class Setting:
    """How a serial port speaks; behind a gateway it is the gateway's and only stands for it."""

    baud: int = 9600
    parity: Parity = Parity.NONE
    stop_bits: int = 1

    def __str__(self) -> str:
        return f"{self.baud} 8{_LETTER[self.parity]}{self.stop_bits}"

    def line(self, port: str, name: str = "scan") -> Line:
        """A line of that port with this setting."""
        return Line(LineId(name), port, self.baud, self.parity, self.stop_bits)

    @property
    def char_s(self) -> float:
        """Seconds of one character."""
        return char_s(self.line(""))

    @property
    def gap_s(self) -> float:
        """Silence before each frame: enough for slow devices to listen again."""
        return max(t35_s(self.line("")), 0.01)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step of a scan: this frame at this setting, then bytes until `answer_s` passed or an answer ended.

    A patient one waits as long again behind an answer, for a second one. `left_s` is what the whole plan may still
    take if nobody answers.
    """

    setting: Setting
    frame: bytes
    answer_s: float
    what: str
    left_s: float
    request: Request | None = None
    patient: bool = False


@dataclass(frozen=True, slots=True)
class Stranger:
    """A device that another protocol's probe found: its address, what it is in words, the profile that fits."""

    protocol: str
    address: str
    text: str
    profile: str | None = None


class ProtocolProbe(Protocol):
    """How a protocol other than Modbus is asked for on a wire of unknown settings; its frames only read."""

    name: str
    settings: tuple[Setting, ...]
    """Where its devices are likely to be found; in a wide scan too, only these are tried."""

    answer_s: float
    """How long its devices may take to begin an answer."""

    def frames(self) -> tuple[bytes, ...]:
        """Requests that every device of the protocol answers (a wildcard address)."""
        ...

    def judge(self, data: bytes) -> Stranger | None:
        """Who answered, None when the bytes are no answer of the protocol."""
        ...


@dataclass(frozen=True, slots=True)
class ScanPlan:
    """What to try. At each setting `sound` is asked for; once any framed answer proved it, `sweep` too.

    `left_alone` are units that no frame may go to, at no setting: chargers in service (ruling 1). `only`: other
    protocols are asked at these settings alone.
    """

    settings: tuple[Setting, ...]
    sound: tuple[int, ...]
    sweep: tuple[int, ...] = ALL_UNITS
    answer_s: float = ANSWER_S
    left_alone: frozenset[int] = frozenset()
    protocols: tuple[ProtocolProbe, ...] = ()
    identify: bool = True
    only: bool = False

    def units(self, wanted: Iterable[int]) -> Iterator[int]:
        """Of the wanted units those that may be asked: never a broadcast, never a charger in service."""
        return (unit for unit in wanted if unit in ALL_UNITS and unit not in self.left_alone)

    def tuned(self) -> tuple[Setting, ...]:
        """All settings that the port is brought to: where another protocol is at home Modbus need not be."""
        others = [] if self.only else [setting for protocol in self.protocols for setting in protocol.settings]
        return tuple(dict.fromkeys((*self.settings, *others)))

    def silent_s(self) -> float:
        """How long the plan takes when nobody answers, in s."""
        return sum(self.setting_s(setting) for setting in self.tuned())

    def setting_s(self, setting: Setting) -> float:
        """How long one setting takes when nobody answers, in s."""
        calls = sum(len(p.frames()) for p in self.protocols if setting in p.settings)
        units = len(tuple(self.units(self.sound))) if setting in self.settings else 0
        return (units + calls) * self.call_s(setting)

    def call_s(self, setting: Setting) -> float:
        """How long one unanswered call takes, in s."""
        return len(SOUNDING_FRAME) * setting.char_s + self.answer_s + setting.gap_s


def sounding(unit: int) -> Request:
    """The call that every Modbus device answers, be it with an exception: one holding register, read only."""
    return Request(unit, 3, 0, 1)


SOUNDING_FRAME = encode_rtu(sounding(1))


def settings(bauds: Iterable[int], parities: Iterable[Parity]) -> tuple[Setting, ...]:
    """All settings of these speeds and parities, speeds first as people set them."""
    chosen = tuple(parities)
    return tuple(Setting(baud, parity) for baud in bauds for parity in chosen)


def likely_settings() -> tuple[Setting, ...]:
    """What nearly every wire is set to."""
    return settings(LIKELY_BAUDS, LIKELY_PARITIES)


def wide_settings() -> tuple[Setting, ...]:
    """Everything that devices of this trade can be set to, likely ones first."""
    likely = likely_settings()
    return (*likely, *(s for s in settings(WIDE_BAUDS, WIDE_PARITIES) if s not in likely))
