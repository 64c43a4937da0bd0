"""A call of a bus tool on a wire that core owns: what is asked, and what was heard; calls only read."""

from dataclasses import dataclass

from siteward.model.serial import SerialSettings


@dataclass(frozen=True, slots=True)
class WireCall:
    """One Modbus read, or the wildcard call of another protocol where `protocol` names one.

    `answer_s` is how long an answer may take to begin; a patient call waits as long again for a second one.
    `settings` are those of the call alone, None means the wire's own.
    """

    unit: int = 0
    function: int = 3
    address: int = 0
    count: int = 1
    protocol: str = ""
    answer_s: float = 0.1
    patient: bool = False
    settings: SerialSettings | None = None


@dataclass(frozen=True, slots=True)
class WireHeard:
    """What came: all bytes as they were (none on Modbus TCP), and the answer in them, if there was one.

    `left_alone`: nothing was sent, because it could feed the watchdog of a charger that may not be spoken to now;
    `refused`: nothing was sent, because the port cannot take the settings.
    """

    data: bytes = b""
    values: tuple[int, ...] | None = None
    exception: int | None = None
    left_alone: bool = False
    refused: bool = False
