"""How a bus scan asks for DL/T 645 meters: one wildcard call at each speed of the standard gives the address."""

from siteward.model.serial import Parity
from siteward_drivers.dlt645 import WILDCARD, encode, find, frames, read_address
from siteward_drivers.scan_plan import Setting, Stranger

_PROFILE = "dlt645_2007"
_WAKE = b"\xfe\xfe"


class Dlt645Probe:
    """Asks whoever is there for his address; implements ProtocolProbe."""

    name = "DL/T 645"
    settings = tuple(Setting(baud, Parity.EVEN) for baud in (2400, 9600, 4800, 1200))
    answer_s = 0.6

    request = read_address(WILDCARD)

    def frames(self) -> tuple[bytes, ...]:
        """The wildcard call."""
        return (encode(self.request),)

    def judge(self, data: bytes) -> Stranger | None:
        """The meter that answered; several at once spoil each other's answers, but their wake-up bytes remain."""
        if find(self.request, data) is not None:
            address = next(frame.address for frame in frames(data) if frame.address.isdecimal())
            return Stranger(self.name, address, "electricity meter", _PROFILE)
        if _WAKE in data and b"\x68" in data:
            return Stranger(self.name, "", "several meters answer at once: connect one after the other, and scan each")
        return None
