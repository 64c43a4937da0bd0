"""Which alarms have one cause in common: a dead line, a power cut, a lost uplink, a device gone for minutes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from siteward.control.thresholds import UPLINK
from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.ids import ConnectorId, LineId, MeterId
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot

SILENT_MISSES = 1
"""Polls without an answer, in a row, at which a device may belong to a dead line: the first one was told already."""

ALIVE_S = 3.0
"""A neighbour that answered so lately proves that the line lives."""

BEHIND = frozenset(
    {
        AlarmCode.CHARGER_UNREACHABLE,
        AlarmCode.CHARGER_OFFLINE,
        AlarmCode.FAILSAFE_UNVERIFIED,
        AlarmCode.SESSION_METER_LOST,
        AlarmCode.METER_LOST,
        AlarmCode.METER_OFFLINE,
        AlarmCode.IO_UNREACHABLE,
    }
)
"""Alarms that say no more than that a device is silent, or what comes of its silence."""

_SILENT = frozenset({AlarmCode.CHARGER_UNREACHABLE, AlarmCode.CHARGER_OFFLINE, AlarmCode.LINE_LOST})
_OF_OFFLINE = {
    AlarmCode.CHARGER_UNREACHABLE: AlarmCode.CHARGER_OFFLINE,
    AlarmCode.FAILSAFE_UNVERIFIED: AlarmCode.CHARGER_OFFLINE,
    AlarmCode.SESSION_METER_LOST: AlarmCode.CHARGER_OFFLINE,
    AlarmCode.METER_LOST: AlarmCode.METER_OFFLINE,
}
"""What a device's own alarm of minutes takes in."""

_OF_UPLINK = frozenset({AlarmCode.UPLINK_BACKLOG, AlarmCode.OUTPUT_FAILED})
MASS = Alarm(AlarmCode.MASS_DISCONNECTION, STATION)
_UPLINK_LOST = Alarm(AlarmCode.UPLINK_LOST, UPLINK)


@dataclass(frozen=True, slots=True)
class Wiring:
    """Who hangs on which line: lines by subject of an alarm, and the polled devices of each line."""

    line_of: Mapping[str, LineId]
    connectors: Mapping[LineId, tuple[ConnectorId, ...]]
    meters: Mapping[LineId, tuple[MeterId, ...]]

    def behind(self, line: LineId) -> tuple[str, ...]:
        """Names of everything on a line."""
        return tuple(sorted(name for name, own in self.line_of.items() if own == line))


@lru_cache(maxsize=4)
def wiring(site: Site) -> Wiring:
    """The wiring of a site; looked up once."""
    lines: dict[str, LineId] = {board.id: board.line for board in site.relays}
    connectors: dict[LineId, list[ConnectorId]] = {}
    meters: dict[LineId, list[MeterId]] = {}
    for meter in site.meters:
        lines[meter.id] = meter.line
        meters.setdefault(meter.line, []).append(meter.id)
    for charger in site.chargers:
        for connector in charger.connectors:
            lines[connector.id] = charger.line
            connectors.setdefault(charger.line, []).append(connector.id)
    return Wiring(lines, {k: tuple(v) for k, v in connectors.items()}, {k: tuple(v) for k, v in meters.items()})


def dead_lines(site: Site, snapshot: Snapshot, suspects: Iterable[Alarm]) -> frozenset[LineId]:
    """Lines of the suspects on which nobody answers any more; one device alone is no line."""
    wires = wiring(site)
    lines = {wires.line_of[alarm.subject] for alarm in suspects if alarm.subject in wires.line_of}
    return frozenset(line for line in lines if _dead(wires, line, snapshot))


def _dead(wires: Wiring, line: LineId, snapshot: Snapshot) -> bool:
    connectors, meters = wires.connectors.get(line, ()), wires.meters.get(line, ())
    if len(connectors) + len(meters) < 2:
        return False
    return all(snapshot.misses.get(name, 0) >= SILENT_MISSES for name in connectors) and all(
        snapshot.meter_misses.get(name, 0) >= SILENT_MISSES for name in meters
    )


def alone(site: Site, snapshot: Snapshot, alarm: Alarm) -> bool:
    """Whether a silent device is surely silent alone: it has no neighbour, or one has just answered."""
    wires = wiring(site)
    line = wires.line_of.get(alarm.subject)
    if line is None:
        return True
    connectors, meters = wires.connectors.get(line, ()), wires.meters.get(line, ())
    if len(connectors) + len(meters) < 2:
        return True
    since = snapshot.at - ALIVE_S
    return any(
        snapshot.misses.get(name, 0) == 0 and (heard := snapshot.chargers.get(name)) and heard.sent_at >= since
        for name in connectors
        if name != alarm.subject
    ) or any(
        snapshot.meter_misses.get(name, 0) == 0 and (read := snapshot.meters.get(name)) and read.sent_at >= since
        for name in meters
        if name != alarm.subject
    )


def root_of(site: Site, alarm: Alarm, standing: Collection[Alarm]) -> Alarm | None:
    """The alarm in which this one is told, None where it speaks for itself."""
    found = _parent(site, alarm, standing)
    above = None if found is None else _parent(site, found, standing)
    return found if above is None else above


def _parent(site: Site, alarm: Alarm, standing: Collection[Alarm]) -> Alarm | None:
    code = alarm.code
    if code in _OF_UPLINK:
        return _UPLINK_LOST if _UPLINK_LOST in standing else None
    mass = MASS in standing
    if code is AlarmCode.LINE_LOST:
        return MASS if mass and _root_line(site, standing) is None else None
    if alarm == MASS:
        return _root_line(site, standing)
    if code not in BEHIND:
        return None
    line = wiring(site).line_of.get(alarm.subject)
    lost = Alarm(AlarmCode.LINE_LOST, line or "")
    if lost in standing:
        return lost
    if mass and code is not AlarmCode.METER_LOST:
        return MASS
    own = _OF_OFFLINE.get(code)
    offline = Alarm(own, alarm.subject) if own is not None else None
    return offline if offline in standing else None


def _root_line(site: Site, standing: Collection[Alarm]) -> Alarm | None:
    """The one dead line behind which every silent charger hangs: then it is the cause of the mass, else None."""
    lost = [alarm for alarm in standing if alarm.code is AlarmCode.LINE_LOST]
    if len(lost) != 1:
        return None
    lines = wiring(site).line_of
    silent = (alarm for alarm in standing if alarm.code in _SILENT and alarm != lost[0])
    return lost[0] if all(lines.get(alarm.subject) == lost[0].subject for alarm in silent) else None
