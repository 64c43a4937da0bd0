"""What a write to a connector puts into its registers: the profile's verbs as frames, pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from siteward.model.errors import DeviceRefused
from siteward.model.wire import Write, WriteKind
from siteward_drivers.decode import encode, encode_raw
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Point, Table, WordOrder
from siteward_drivers.profile_verbs import Step
from siteward_drivers.profile_watchdog import FailsafePart
from siteward_drivers.quantities import Quantity

_SLACK = 1e-6
_CURRENTS = (Quantity.FAILSAFE_CURRENT, Quantity.FAILSAFE_CURRENT_1PH)


@dataclass(frozen=True, slots=True)
class Frame:
    """Neighbouring registers that are written together."""

    table: Table
    address: int
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The frames of a write in order, and the value in A (phases for PHASES) that the device will hold after them."""

    value_a: float
    frames: tuple[Frame, ...]


def plan_write(profile: Profile, channel: int, write: Write, nominal_v: float = 230.0) -> Plan:
    """Frames for a write; `nominal_v` is the site's phase voltage, for devices that are limited in W.

    Raises DeviceRefused for what the device cannot take.
    """
    if not math.isfinite(write.value_a) or write.value_a < 0:
        raise DeviceRefused(f"{write.connector}: {write.value_a} A is no current")
    if write.kind is WriteKind.FAILSAFE:
        return _failsafe(profile, channel, write, nominal_v)
    if write.kind is WriteKind.PHASES:
        return _phases(profile, channel, write, nominal_v)
    if write.kind is WriteKind.UNLOCK:
        return _unlock(profile, channel, write)
    return _limit(profile, channel, write, nominal_v)


def heartbeat_frames(profile: Profile, channel: int) -> tuple[Frame, ...]:
    """Frames of the life bit, none where the device has none."""
    part = profile.charger.heartbeat
    if part is None:
        return ()
    point = profile.point(part.quantity, channel)
    return _join(profile, [(point, encode_raw(point, part.raw, profile.file.word_order))])


def _limit(profile: Profile, channel: int, write: Write, nominal_v: float) -> Plan:
    charger = profile.charger
    value = _down(min(write.value_a, charger.limit.max_a), charger.limit.step_a)
    if value < charger.least_a(nominal_v) - _SLACK:
        # Less than the device can signal is a pause: rounding up would draw what nobody granted.
        return Plan(0.0, _join(profile, _steps(profile, channel, charger.verbs.pause.steps, 0.0, nominal_v)))
    return Plan(value, _join(profile, _steps(profile, channel, charger.verbs.limit.steps, value, nominal_v)))


def _phases(profile: Profile, channel: int, write: Write, nominal_v: float) -> Plan:
    part = profile.charger.phases
    verb = {1.0: part.one, 3.0: part.all}.get(write.value_a)
    if verb is None:
        raise DeviceRefused(f"{write.connector}: profile {profile.id} cannot be told to close {write.value_a:g} phases")
    return Plan(write.value_a, _join(profile, _steps(profile, channel, verb.steps, 0.0, nominal_v)))


def _unlock(profile: Profile, channel: int, write: Write) -> Plan:
    part = profile.charger.unlock
    if part is None:
        raise DeviceRefused(f"{write.connector}: profile {profile.id} names no way to unlock a cable")
    return Plan(0.0, _join(profile, _steps(profile, channel, part.steps, 0.0, 0.0)))


def _steps(
    profile: Profile, channel: int, steps: Sequence[Step], value_a: float, nominal_v: float
) -> list[tuple[Point, tuple[int, ...]]]:
    order = profile.file.word_order
    written = []
    for step in steps:
        point = profile.point(step.quantity, channel)
        value = profile.charger.in_register(point.unit, value_a, nominal_v)
        words = encode(point, value, order) if step.raw is None else encode_raw(point, step.raw, order)
        written.append((point, words))
    return written


def _failsafe(profile: Profile, channel: int, write: Write, nominal_v: float) -> Plan:
    part = profile.charger.failsafe
    if part is None or not part.writable:
        raise DeviceRefused(f"{write.connector}: profile {profile.id} has no watchdog that can be written")
    order = profile.file.word_order
    shown = profile.point(Quantity.FAILSAFE_CURRENT, channel)
    own = profile.charger.in_amps(shown.unit, shown.step or shown.scale, nominal_v)
    value = _down(min(write.value_a, part.max_a), max(own, profile.charger.limit.step_a))
    if value < part.min_a:
        value = 0.0
    written = []
    for quantity in part.order:
        point = profile.point(quantity, channel)
        own_value = profile.charger.in_register(point.unit, value, nominal_v)
        written.append((point, _failsafe_words(profile, part, quantity, point, own_value, order)))
    return Plan(value, _join(profile, written))


def _failsafe_words(
    profile: Profile, part: FailsafePart, quantity: Quantity, point: Point, value: float, order: WordOrder
) -> tuple[int, ...]:
    if quantity is Quantity.WATCHDOG_TIMEOUT:
        return encode(point, part.timeout_s, order)
    if quantity in _CURRENTS:
        if value > 0:
            return encode(point, value, order)
        if part.encode_stop is None:
            raise DeviceRefused(f"profile {profile.id} cannot hold less than {part.min_a:g} A as fail-safe current")
        return encode_raw(point, part.encode_stop, order)
    if quantity in part.fixed:
        return encode_raw(point, part.fixed[quantity], order)
    standby = profile.charger.boot.standby_off
    if standby is None or standby.quantity is not quantity:
        raise DeviceRefused(f"profile {profile.id} says not what to write into {quantity}")
    return encode_raw(point, standby.raw, order)


def _down(value: float, step: float) -> float:
    return round(math.floor(value / step + _SLACK) * step, 6)


def _join(profile: Profile, written: Sequence[tuple[Point, tuple[int, ...]]]) -> tuple[Frame, ...]:
    """Neighbours in the order of writing become one frame, as far as the device takes several registers at once."""
    timing = profile.file.timing
    most = timing.max_write_registers if {15, 16} & set(timing.write_functions) else 1
    frames: list[Frame] = []
    for point, words in written:
        last = frames[-1] if frames else None
        if last is not None and _follows(last, point) and len(last.words) + len(words) <= most:
            frames[-1] = Frame(last.table, last.address, last.words + words)
        else:
            frames.append(Frame(point.table, point.address, words))
    return tuple(frames)


def _follows(frame: Frame, point: Point) -> bool:
    return frame.table is point.table and frame.address + len(frame.words) == point.address
