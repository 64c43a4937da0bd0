"""The poll plan of a site: how full each line is, and how long the last cut takes in the worst case."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from siteward.model.access import Barrier, Lock
from siteward.model.ids import LineId
from siteward.model.points import device_of, local_of
from siteward.model.serial import SerialSettings
from siteward.model.site import Charger, Line, Meter, RelayBoard, Site
from siteward.model.wire import Write, WriteKind
from siteward_drivers.blocks import poll_blocks, sentinel_blocks
from siteward_drivers.catalogue import Profiles
from siteward_drivers.charger_writes import plan_write
from siteward_drivers.dlt645 import WAKE_UP, WILDCARD, read
from siteward_drivers.dlt645_blocks import data_blocks
from siteward_drivers.dlt698 import reply_length, request_length
from siteward_drivers.dlt698_blocks import ObjectBlock, object_blocks
from siteward_drivers.dlt698_device import requests
from siteward_drivers.links import speed
from siteward_drivers.modbus import Request
from siteward_drivers.modbus_device import guard_read, write_function
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Language
from siteward_drivers.quantities import Quantity
from siteward_drivers.relay_profile import RelayProfile, input_runs
from siteward_drivers.slow import COUNT_S, counted_part, slow_part
from siteward_drivers.wire import char_s, t35_s

FULL = 0.70
"""Planned load above which a line is refused: the rest belongs to writes, retries and silent devices."""

SLOW_REACTION_S = 10.0
"""Worst reaction time above which `siteward check` warns (ruling 5)."""

BILLING_PERIOD_S = 5.0
"""Period at which the poller reads a meter that guards no feeder (ruling 3: all other telemetry comes last)."""

BOARD_PERIOD_S = 1.0
"""Period at which a board of inputs and outputs is read while nothing moves."""

_TURN_S = 0.1
_WRITE_REQUEST_BYTES = 9
_READ_REQUEST_BYTES = 8
_METER_REQUEST_BYTES = 20


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """Polling of one meter or connector: requests of a poll, seconds of wire that they take, period, share.

    `address` is that of a DL/T meter, whose `unit` is 0.
    """

    device: str
    unit: int
    profile: str
    requests: int
    wire_s: float
    period_s: float
    load: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class LinePlan:
    """A line's poll plan. `worst_reaction_s`: from a rise at a fuse to the last cut here acknowledged."""

    line: LineId
    load: float
    worst_reaction_s: float
    devices: tuple[DevicePlan, ...]

    @property
    def too_full(self) -> bool:
        """Whether a new configuration must be refused."""
        return self.load > FULL

    @property
    def too_slow(self) -> bool:
        """Whether the installer must be warned."""
        return self.worst_reaction_s > SLOW_REACTION_S


class WireTime:
    """Seconds that frames take on one line, at its own serial settings or those of one device."""

    def __init__(self, line: Line, serial: SerialSettings | None = None) -> None:
        self._speed = at = speed(line, serial)
        self._char_s = char_s(at) if at is not None else 0.0
        self._silence_s = max(t35_s(at), t35_s(line)) if at is not None else 0.0

    def exchange(self, profile: Profile | RelayProfile, request_bytes: int, reply_bytes: int) -> float:
        """Seconds from the end of the frame before to the end of the answer."""
        timing = profile.file.timing
        on_wire = (request_bytes + reply_bytes) * self._char_s
        return on_wire + timing.turnaround_s + max(self._silence_s, timing.gap_s)

    def reads(self, profile: Profile, quantities: Iterable[Quantity], channel: int) -> list[float]:
        """Seconds of each request that fetches some quantities."""
        if profile.file.protocol is Language.DLT698:
            return [self._objects(profile, part) for part in requests(object_blocks(profile, quantities))]
        if profile.file.protocol is Language.DLT645:
            asks = [read(WILDCARD, block.id, block.count) for block in data_blocks(profile, quantities)]
            return [self.exchange(profile, _METER_REQUEST_BYTES, WAKE_UP + a.reply_length) for a in asks]
        blocks = poll_blocks(profile, quantities, channel, self._speed)
        return [
            self.exchange(
                profile,
                _READ_REQUEST_BYTES,
                Request(1, b.table.read_function, b.first, b.count + b.more).reply_length,
            )
            for b in blocks
        ]

    def guard(self, profile: Profile, channel: int) -> list[float]:
        """Seconds of the read that every poll makes besides, where its own answers all look alike (fault 12)."""
        if profile.file.protocol is not Language.MODBUS:
            return []
        place = guard_read(profile, poll_blocks(profile, profile.file.poll.always, channel, self._speed))
        places = [(b.table, b.first, b.count) for b in sentinel_blocks(profile, channel, self._speed)]
        if place is not None:
            places.append(place)
        asks = [Request(1, table.read_function, first, count) for table, first, count in places]
        return [self.exchange(profile, _READ_REQUEST_BYTES, ask.reply_length) for ask in asks]

    def _objects(self, profile: Profile, blocks: Sequence[ObjectBlock]) -> float:
        reply = reply_length(len(blocks), sum(block.data_bytes for block in blocks))
        return self.exchange(profile, request_length(len(blocks)), WAKE_UP + reply)


def plan_lines(site: Site, profiles: Profiles) -> tuple[LinePlan, ...]:
    """The poll plan of every line of the site. Raises ConfigError for unknown profiles and strange ports."""
    detection = max((_detection_s(site, meter, profiles) for meter in _limit_meters(site)), default=0.0)
    return tuple(_plan_line(site, line, profiles, detection) for line in site.lines)


def _limit_meters(site: Site) -> list[Meter]:
    limiting = {feeder.meter for feeder in site.feeders}
    return [meter for meter in site.meters if meter.id in limiting]


def _plan_line(site: Site, line: Line, profiles: Profiles, detection_s: float) -> LinePlan:
    devices = _devices(site, line, profiles)
    chargers = [c for c in site.chargers if c.line == line.id]
    reaction = 0.0
    if chargers:
        reaction = detection_s + _TURN_S + longest_s(site, line, profiles) + cuts_s(line, chargers, profiles)
    return LinePlan(line.id, sum(d.load for d in devices), reaction, devices)


def _devices(site: Site, line: Line, profiles: Profiles) -> tuple[DevicePlan, ...]:
    wire = WireTime(line)
    limiting = {meter.id for meter in _limit_meters(site)}
    plans = []
    for meter in site.meters:
        if meter.line == line.id:
            every_s = None if meter.id in limiting else BILLING_PERIOD_S
            plans.append(_meter(line, meter, profiles, every_s))
    for charger in site.chargers:
        if charger.line == line.id:
            profile = profiles[charger.profile]
            plans += [_device(wire, c.id, charger.unit, profile, c.channel) for c in charger.connectors]
    plans += [_board(wire, site, board, profiles) for board in site.relays if board.line == line.id]
    return tuple(plans)


def _board(wire: WireTime, site: Site, board: RelayBoard, profiles: Profiles) -> DevicePlan:
    """A board at rest; while an arm moves its inputs are read ten times as often."""
    profile = profiles.relays[board.profile]
    arms: list[Barrier | Lock] = [*site.barriers, *site.locks]
    points = {contact.point for arm in arms for contact in arm.contacts} | site.watched_points
    runs = input_runs(profile, [local_of(p) for p in points if device_of(p) == board.id])
    asks = [Request(board.unit, run.table.read_function, run.first, run.count) for run in runs]
    wire_s = sum(wire.exchange(profile, _READ_REQUEST_BYTES, ask.reply_length) for ask in asks)
    load = wire_s / BOARD_PERIOD_S
    return DevicePlan(board.id, board.unit, profile.id, len(asks), wire_s, BOARD_PERIOD_S, load)


def _meter(line: Line, meter: Meter, profiles: Profiles, every_s: float | None = None) -> DevicePlan:
    wire = WireTime(line, meter.serial)
    return replace(_device(wire, meter.id, meter.unit, profiles[meter.profile], 1, every_s), address=meter.address)


def _device(
    wire: WireTime, name: str, unit: int, profile: Profile, channel: int, every_s: float | None = None
) -> DevicePlan:
    poll = profile.file.poll
    period_s = max(poll.every_s, every_s or 0.0)
    always = [*wire.reads(profile, poll.always, channel), *wire.guard(profile, channel)]
    slow = wire.reads(profile, slow_part(profile), channel)
    counted = wire.reads(profile, counted_part(profile), channel)
    if period_s >= COUNT_S:
        always, counted = [*always, *counted], []
    load = sum(always) / period_s + sum(slow) / poll.slow_s + sum(counted) / COUNT_S
    return DevicePlan(name, unit, profile.id, len(always), sum(always), period_s, load)


def _detection_s(site: Site, meter: Meter, profiles: Profiles) -> float:
    """From the rise to the end of the poll that shows it: the meter's own refresh, our period, its wire."""
    line = next(line for line in site.lines if line.id == meter.line)
    plan = _meter(line, meter, profiles)
    pauses = (plan.requests - 1) * profiles[meter.profile].file.timing.rest_s
    return meter.facts.refresh_s + plan.period_s + plan.wire_s + pauses + longest_s(site, line, profiles)


def longest_s(site: Site, line: Line, profiles: Profiles) -> float:
    """The longest that one exchange can keep the line: a device that does not answer any more."""
    used = [(WireTime(line, m.serial), profiles[m.profile]) for m in site.meters if m.line == line.id]
    used += [(WireTime(line), profiles[c.profile]) for c in site.chargers if c.line == line.id]
    boards = [profiles.relays[b.profile] for b in site.relays if b.line == line.id]
    silent = [w.exchange(p, _request_bytes(p), 0) + p.file.timing.response_timeout_s for w, p in used]
    board_wire = WireTime(line)
    silent += [board_wire.exchange(p, _READ_REQUEST_BYTES, 0) + p.file.timing.response_timeout_s for p in boards]
    return max(silent, default=0)


def _request_bytes(profile: Profile) -> int:
    if profile.file.protocol is Language.DLT698:
        return request_length(len(object_blocks(profile, profile.file.poll.always)))
    return _METER_REQUEST_BYTES if profile.file.protocol is Language.DLT645 else _READ_REQUEST_BYTES


def cuts_s(line: Line, chargers: Sequence[Charger], profiles: Profiles) -> float:
    """A cut to every connector of the line, one after the other, connectors of one device with its rest between."""
    wire = WireTime(line)
    total = 0.0
    for charger in chargers:
        profile = profiles[charger.profile]
        frames = 0
        for connector in charger.connectors:
            write = Write(connector.id, WriteKind.LIMIT, profile.charger.limit.min_a, False, 0, 0.0)
            for frame in plan_write(profile, connector.channel, write).frames:
                single = write_function(profile, frame.table, len(frame.words)) in (5, 6)
                request = 8 if single else _WRITE_REQUEST_BYTES + 2 * len(frame.words)
                total += wire.exchange(profile, request, 8)
                frames += 1
        # A poll may have ended just before, so that even the first frame waits for the rest.
        total += frames * profile.file.timing.rest_s if frames > 1 else 0.0
    return total
