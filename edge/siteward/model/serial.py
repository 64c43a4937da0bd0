"""How characters travel on a serial wire: speed, parity, stop bits."""

from dataclasses import dataclass
from enum import StrEnum


class Parity(StrEnum):
    """Parity of a serial wire."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


class LinkKind(StrEnum):
    """What moves the bytes of a serial port: a library on the loop (the default or serialx), or a thread of our own."""

    SERIAL = "serial"
    SERIALX = "serialx"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How characters travel on a serial wire; always eight data bits."""

    baud: int
    parity: Parity
    stop_bits: int

    def __str__(self) -> str:
        """As installers write it: 9600 8N1."""
        return f"{self.baud} 8{self.parity[0].upper()}{self.stop_bits}"
