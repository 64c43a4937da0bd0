"""Who answers at an address: the registers that prove its model, and its serial number once it was seen."""

from collections.abc import Mapping

from siteward.model.ids import LineId
from siteward_drivers.decode import Value
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Probe
from siteward_drivers.quantities import Quantity

_NO_SERIAL = (0, 0xFFFF, 0xFFFFFFFF, "")


class Whereabouts:
    """Which serial number was seen on which line: adapters that changed places show each other's devices (fault 7)."""

    def __init__(self) -> None:
        self._line: dict[tuple[str, Value], LineId] = {}

    def seen(self, model: str, serial: Value, line: LineId) -> None:
        """Note a serial number where it was first seen."""
        self._line.setdefault((model, serial), line)

    def elsewhere(self, model: str, serial: Value, line: LineId) -> LineId | None:
        """The other line on which this serial number is at home, None where it is unknown or at home here."""
        home = self._line.get((model, serial))
        return home if home != line else None


class Identity:
    """What is known of one device for this run (fault 7).

    Values that are read at every poll move and prove nothing: a missing phase makes no stranger of a meter. A register
    that is not known is no proof either way.
    """

    def __init__(self, profile: Profile, line: LineId, whereabouts: Whereabouts) -> None:
        file = profile.file
        self._name = f"{file.vendor} {file.model}"
        self._probes = tuple(probe for probe in file.identify if probe.quantity not in file.poll.always)
        self._serial: Value | None = None
        self._strange_at: int | None = None
        self.took_turns = False
        self._line = line
        self._whereabouts = whereabouts
        self.at_home_on: LineId | None = None
        """The line of this site to which whoever answered belongs; None unless it is another one."""
        self.proven_at = 0
        """Opening of the port at which the serial number was last found to be the device's own."""
        named = [probe.quantity for probe in self._probes]
        if Quantity.SERIAL_NUMBER in file.points and Quantity.SERIAL_NUMBER not in named:
            named.append(Quantity.SERIAL_NUMBER)
        self.quantities: tuple[Quantity, ...] = tuple(q for q in named if file.points[q].readable)

    @property
    def tells_place(self) -> bool:
        """Whether it has a serial number to be known by: a model alone may stand on any wire."""
        return Quantity.SERIAL_NUMBER in self.quantities

    def wrong(self, values: Mapping[Quantity, Value], opening: int = 0) -> str:
        """What proves that somebody else answered, "" where nothing does; `opening` counts those of the port."""
        for probe in self._probes:
            value = values.get(probe.quantity)
            if value not in (None, "") and not holds(probe, value):
                return f"{probe.quantity} is {value!r}, which no {self._name} shows"
        serial = values.get(Quantity.SERIAL_NUMBER)
        if serial is None or serial in _NO_SERIAL:
            return ""
        if self._serial is None:
            self._serial = serial
            self._whereabouts.seen(self._name, serial, self._line)
        # At one opening a device that was changed does not come back by itself: two of them answer in turn (fault 9).
        own = serial == self._serial
        self.took_turns = own and self._strange_at == opening
        self._strange_at = None if own else opening
        self.at_home_on = None if own else self._whereabouts.elsewhere(self._name, serial, self._line)
        if own:
            self.proven_at = opening
        return "" if own else f"serial number is {serial}, but it was {self._serial}"


def holds(probe: Probe, value: Value) -> bool:
    """Whether a value is what the probe's model shows."""
    if probe.range is not None:
        return not isinstance(value, str) and probe.range[0] <= value <= probe.range[1]
    return isinstance(value, str) and value.startswith(probe.begins or "")
