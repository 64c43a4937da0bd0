"""Which profile a device answers like, by the `identify` probes of all profiles; pure, as steps of a scan."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from siteward.model.serial import Parity, SerialSettings
from siteward_drivers.blocks import poll_blocks
from siteward_drivers.decode import Value, decode
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Probe, Transport

_SPEED = SerialSettings(9600, Parity.NONE, 1)
"""What the reads are planned for: a scan tries many speeds, and one plan for all keeps its answers comparable."""

_DEAF = 3
"""Silent registers in a row of one function after which the device is not asked by that function any more."""

Steps = Generator[Request, Answer | None, "Likeness"]
"""Asks for one read after the other; takes the answer, or None for silence."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Profiles that a device answers like, the likeliest first; `certain` when there is no other and it fits fully.

    `family` are all whose probes hold; `full`: the likeliest one's whole poll is answered with true values.
    """

    profiles: tuple[str, ...] = ()
    certain: bool = False
    family: tuple[str, ...] = ()
    full: bool = False

    @property
    def best(self) -> str | None:
        """The most telling profile."""
        return self.profiles[0] if self.profiles else None


def probe_request(profile: Profile, probe: Probe, unit: int) -> Request:
    """The read that answers a probe."""
    point = profile.point(probe.quantity)
    return Request(unit, point.table.read_function, point.address, point.width)


def holds(profile: Profile, probe: Probe, answer: Answer | None) -> bool:
    """Whether an answer is what the profile's device would say."""
    if answer is None or answer.exception is not None:
        return False
    point = profile.point(probe.quantity)
    decoded = decode({probe.quantity: point}, point.address, answer.values, profile.file.word_order)
    value = decoded.values.get(probe.quantity)
    return value is not None and _fits(probe, value)


def _fits(probe: Probe, value: Value) -> bool:
    if probe.begins is not None:
        return str(value).startswith(probe.begins)
    low, high = probe.range or (0.0, 0.0)
    return not isinstance(value, str) and low <= float(value) <= high


def weight(profile: Profile) -> tuple[bool, int]:
    """How much it says when all probes of a profile hold: a text says most, then many numbers."""
    probes = profile.file.identify
    return any(probe.begins is not None for probe in probes), len(probes)


def candidates(profiles: Iterable[Profile]) -> list[Profile]:
    """Profiles to try on a serial wire, the most telling first."""
    serial = [p for p in profiles if Transport.RTU in p.file.wire.transports and _by_registers(p)]
    serial.sort(key=lambda p: (*(-int(w) for w in weight(p)), p.id))
    return serial


def _by_registers(profile: Profile) -> bool:
    return all(probe.quantity in profile.file.points for probe in profile.file.identify)


def identify(unit: int, profiles: Sequence[Profile]) -> Steps:
    """Ask a unit until it is known which profiles it answers like; each register is asked for once.

    Families share their first registers: where several profiles fit, all that they poll is read, and those that the
    device fills longest come first.
    """
    known: Known = {}
    matches: list[Profile] = []
    for profile in profiles:
        requests = [probe_request(profile, probe, unit) for probe in profile.file.identify]
        for probe, request in zip(profile.file.identify, requests, strict=True):
            answer = yield from _ask(known, request)
            if not holds(profile, probe, answer):
                break
        else:
            matches.append(profile)
            if weight(profile)[0]:
                return Likeness((profile.id,), True, (profile.id,), True)
    return (yield from _fullest(unit, matches, known)) if matches else Likeness()


Known = dict[Request, Answer | None]


def _ask(known: Known, request: Request) -> Generator[Request, Answer | None, Answer | None]:
    if request not in known:
        asked = [r for r in known if r.function == request.function]
        deaf = len(asked) >= _DEAF and all(known[r] is None for r in asked[-_DEAF:])
        known[request] = None if deaf else (yield request)
    return known[request]


def _fullest(unit: int, matches: Sequence[Profile], known: Known) -> Steps:
    """Of profiles that fit by their probes, those whose whole poll the device answers, the most values first."""
    good: dict[str, int] = {}
    for profile in matches:
        good[profile.id] = yield from _polls(unit, profile, known)
    most = max(good.values())
    likely = [name for name in good if 2 * good[name] >= most]
    likely.sort(key=lambda name: (-good[name], name))
    best = next(profile for profile in matches if profile.id == likely[0])
    full = most == len(best.file.poll.always)
    return Likeness(tuple(likely), full and len(likely) == 1, tuple(good), full)


def _polls(unit: int, profile: Profile, known: Known) -> Generator[Request, Answer | None, int]:
    """How many of the polled quantities have true values; 0 when the device refuses any of them."""
    good = 0
    for block in poll_blocks(profile, profile.file.poll.always, 1, _SPEED):
        answer = yield from _ask(known, Request(unit, block.table.read_function, block.first, block.count))
        if answer is None or answer.exception is not None:
            return 0
        good += len(decode(block.points, block.first, answer.values, profile.file.word_order).values)
    return good
