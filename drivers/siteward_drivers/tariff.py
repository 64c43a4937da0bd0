"""What a transaction costs on a line besides its data, in registers that could be read along instead (goal 3)."""

from siteward.model.serial import SerialSettings
from siteward_drivers.profile_points import MAX_REGISTERS
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.wire import char_s, t35_s

_FRAME_CHARS = 13
"""Characters of a read without its registers: the request's eight and five around the data of the answer."""

_REGISTER_CHARS = 2


def overhead_registers(timing: TimingPart, at: SerialSettings | None) -> float:
    """Registers that take as long on the wire as one more transaction with this device does.

    The frames' own characters, the device's usual thinking time and the silence before a frame to it; on Modbus TCP a
    transaction costs more than any block.
    """
    if at is None:
        return float(MAX_REGISTERS)
    fixed_s = timing.turnaround_s + max(t35_s(at), timing.gap_s)
    return (_FRAME_CHARS + fixed_s / char_s(at)) / _REGISTER_CHARS
