"""Faults that can be put on simulated devices and lines, and taken off again."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.units import PerPhase


class Ignores(StrEnum):
    """What a disobedient charger leaves undone (fault 21): nothing, the register, or only its effect."""

    NOTHING = "nothing"
    WRITES = "writes"
    EFFECT = "effect"


class Shows(StrEnum):
    """What a meter shows: the truth, its last truth for ever, zero, not-a-number, infinity, all ones, swapped words.

    See faults 28 to 30.
    """

    TRUTH = "truth"
    FROZEN = "frozen"
    ZERO = "zero"
    NAN = "nan"
    ONES = "ones"
    INFINITE = "infinite"
    SWAPPED = "swapped"


class Closes(StrEnum):
    """What contactors that are told to switch phases do: what was asked, nothing, or nothing but say that they did."""

    AS_ASKED = "as_asked"
    AS_BEFORE = "as_before"
    SAYS_SO = "says_so"


class Latch(StrEnum):
    """What a socket's lock does: its work; nothing by itself at the end of a stay; nothing, whatever it is told."""

    WORKS = "works"
    STICKS = "sticks"
    JAMMED = "jammed"


@dataclass(slots=True)
class DeviceFaults:
    """Faults of one device.

    silent: neither hears nor answers; mute: hears and acts, its answers are lost (R2); refuses: the exception code with
    which it answers everything (fault 14).

    Transformers of a meter (fault 33): clamps says on which conductor each phase's sits, signs which are turned round
    (-1), unsigned that the meter shows currents without their sign, as many do.
    """

    silent: bool = False
    mute: bool = False
    latency_s: float = 0.0
    loss: float = 0.0
    ignores: Ignores = Ignores.NOTHING
    closes: Closes = Closes.AS_ASKED
    latch: Latch = Latch.WORKS
    overdraw: float = 1.0
    shows: Shows = Shows.TRUTH
    factor: float = 1.0
    clamps: tuple[int, int, int] = (0, 1, 2)
    signs: PerPhase = (1.0, 1.0, 1.0)
    unsigned: bool = False
    refuses: int = 0

    def clear(self) -> None:
        """Take every fault off."""
        fresh = DeviceFaults()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))


@dataclass(slots=True)
class LineFaults:
    """Faults of one wire.

    noise is the chance of a flipped bit per byte; late_s delays every answer; short_by takes that many bytes off its
    end; foreign lets another unit answer.
    """

    cut: bool = False
    mute: bool = False
    noise: float = 0.0
    late_s: float = 0.0
    echo: bool = False
    short_by: int = 0
    foreign: bool = False

    def clear(self) -> None:
        """Take every fault off."""
        fresh = LineFaults()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))
