"""What a device answered to one request, in whatever language it was asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """Registers or bits of a Modbus read, data bytes of a DL/T 645 read, nothing for a write, or an error code.

    `exception` is the Modbus exception code or the DL/T 645 error byte; `more` says that the data go on in another
    frame, which must be asked for.
    """

    values: tuple[int, ...] = ()
    exception: int | None = None
    more: bool = False
