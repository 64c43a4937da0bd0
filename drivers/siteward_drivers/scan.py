"""A bus scan as a generator of steps: calls go out, bytes come in, a book of findings fills; no I/O of its own."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field

from siteward_drivers.fingerprint import Likeness, candidates, identify
from siteward_drivers.modbus import Answer, Request, encode_rtu, find_rtu
from siteward_drivers.profile import Profile
from siteward_drivers.scan_judge import Verdict, judge, strip_echo
from siteward_drivers.scan_plan import Attempt, ProtocolProbe, ScanPlan, Setting, Stranger, sounding

_DOUBTS = 3
_LISTEN_S = 0.5

Steps = Generator[Attempt, bytes | None, None]
"""Takes the bytes that came, or None when the port refuses the attempt's setting."""


@dataclass(slots=True)
class Found:
    """One Modbus address that answered. `late`: only in its neighbour's turn; `exception`: it refused the call."""

    setting: Setting
    unit: int
    late: bool = False
    exception: bool = False
    clashes: int = 0
    likeness: Likeness | None = None


@dataclass(slots=True)
class Book:
    """Everything that a scan heard so far; complete at any moment, so that a scan may be broken off."""

    found: dict[tuple[Setting, int], Found] = field(default_factory=dict)
    strangers: list[tuple[Setting, Stranger]] = field(default_factory=list)
    asked: set[tuple[Setting, int]] = field(default_factory=set)
    garbled: dict[tuple[Setting, int], int] = field(default_factory=dict)
    clashing: set[tuple[Setting, int]] = field(default_factory=set)
    refused: list[Setting] = field(default_factory=list)
    heard_bytes: int = 0
    sample: bytes = b""
    echo: bool = False
    parity_ignored: bool = False
    foreign: int = 0
    calls: int = 0

    def proven(self) -> tuple[Setting, ...]:
        """Settings at which some device framed an answer, in the order of their finding."""
        found = [setting for setting, _ in self.found] + [setting for setting, _ in self.strangers]
        return tuple(dict.fromkeys(found))

    def at(self, setting: Setting) -> tuple[Found, ...]:
        """What was found at a setting, by unit."""
        return tuple(sorted((f for f in self.found.values() if f.setting == setting), key=lambda f: f.unit))


class Scan:
    """One run of a plan over a book; a second plan (the wide one) goes on where the first one ended."""

    def __init__(self, plan: ScanPlan, book: Book, profiles: Iterable[Profile] = ()) -> None:
        self.plan, self.book = plan, book
        self._profiles = tuple(profiles)
        self._left_s = plan.silent_s()
        self._doubted: set[tuple[Setting, int]] = set()
        self._families: dict[Setting, set[str]] = {}

    def steps(self) -> Steps:
        """All steps of the plan."""
        if self.plan.settings:
            yield from self._listen(self.plan.settings[0])
        for setting in self.plan.tuned():
            later_s = max(self._left_s - self.plan.setting_s(setting), 0.0)
            yield from self._setting(setting, later_s)
            self._left_s = later_s

    def _listen(self, setting: Setting) -> Steps:
        """Before the first call: a wire on which somebody speaks already has a master."""
        data = yield Attempt(setting, b"", _LISTEN_S, "listen", self._left_s)
        if data:
            self._note(judge(b"", data), data)

    def _setting(self, setting: Setting, later_s: float) -> Steps:
        if (yield from self._heard_already(setting)):
            self.book.parity_ignored = True
            return
        for protocol in self.plan.protocols:
            if setting in protocol.settings:
                yield from self._protocol(setting, protocol)
        if setting not in self.plan.settings:
            return
        if not (yield from self._calls(setting, self.plan.sound)):
            self.book.refused.append(setting)
            return
        if not self.book.at(setting):
            return
        yield from self._judge(setting)
        rest = [unit for unit in self.plan.units(self.plan.sweep) if (setting, unit) not in self.book.asked]
        self._left_s = later_s + len(rest) * self.plan.call_s(setting)
        yield from self._calls(setting, rest)
        yield from self._judge(setting)

    def _judge(self, setting: Setting) -> Steps:
        """Settle doubts and names of what was found until now: a person may break off the long sweep behind it."""
        yield from self._doubts(setting)
        if self.plan.identify:
            yield from self._identify(setting)

    def _heard_already(self, setting: Setting) -> Generator[Attempt, bytes | None, bool]:
        """Whether devices found at this speed answer at another parity too: then the port sends the same anyway."""
        known = [f for f in self.book.found.values() if f.setting.baud == setting.baud and f.setting != setting]
        for found in known[:2]:
            verdict = yield from self._call(setting, found.unit)
            if verdict is None or not verdict.of(found.unit):
                return False
        return bool(known)

    def _protocol(self, setting: Setting, protocol: ProtocolProbe) -> Steps:
        for frame in protocol.frames():
            data = yield Attempt(
                setting, frame, max(self.plan.answer_s, protocol.answer_s), protocol.name, self._left_s
            )
            rest, _ = strip_echo(frame, data or b"")
            stranger = protocol.judge(rest)
            if stranger is not None and (setting, stranger) not in self.book.strangers:
                self.book.strangers.append((setting, stranger))

    def _calls(self, setting: Setting, units: Sequence[int]) -> Generator[Attempt, bytes | None, bool]:
        """Call each unit once; False when the port cannot do the setting."""
        for unit in self.plan.units(units):
            if (setting, unit) in self.book.asked:
                continue
            verdict = yield from self._call(setting, unit)
            if verdict is None:
                return False
            self.book.asked.add((setting, unit))
            self._left_s = max(self._left_s - self.plan.call_s(setting), 0.0)
            if verdict.garbled:
                self.book.garbled[setting, unit] = 1
            for answer in verdict.answers:
                self._found(setting, answer.unit, answer.unit != unit, answer.exception is not None)
            if verdict.twice(unit):
                self.book.found[setting, unit].clashes += 1
        return True

    def _call(
        self, setting: Setting, unit: int, patient: bool = False
    ) -> Generator[Attempt, bytes | None, Verdict | None]:
        request = sounding(unit)
        frame = encode_rtu(request)
        data = yield Attempt(setting, frame, self.plan.answer_s, f"unit {unit}", self._left_s, request, patient)
        if data is None:
            return None
        verdict = judge(frame, data)
        self._note(verdict, data)
        return verdict

    def _note(self, verdict: Verdict, data: bytes) -> None:
        book = self.book
        book.calls += 1
        book.echo = book.echo or verdict.echo
        book.foreign += verdict.foreign
        if verdict.garbled:
            book.heard_bytes += verdict.loose
            book.sample = (book.sample + data)[:32]

    def _found(self, setting: Setting, unit: int, late: bool, exception: bool) -> None:
        if unit in self.plan.left_alone:
            return
        known = self.book.found.get((setting, unit))
        if known is None:
            self.book.found[setting, unit] = Found(setting, unit, late, exception)
        elif late and not known.late:
            # It answered its own call and now again: somebody else bears the same number.
            known.clashes += 1

    def _doubts(self, setting: Setting) -> Steps:
        """Call again where bytes made no frame or two answers came: twice more is no accident."""
        garbled = [unit for s, unit in self.book.garbled if s == setting]
        clashing = [f.unit for f in self.book.at(setting) if f.clashes]
        for unit in dict.fromkeys((*garbled, *clashing)):
            if (setting, unit) in self._doubted:
                continue
            self._doubted.add((setting, unit))
            clashes = 1
            for _ in range(_DOUBTS - 1):
                verdict = yield from self._call(setting, unit, patient=True)
                if verdict is None:
                    continue
                clashes += verdict.garbled or verdict.twice(unit)
                for answer in verdict.of(unit):
                    self._found(setting, answer.unit, late=False, exception=answer.exception is not None)
            if clashes > 1:
                self.book.clashing.add((setting, unit))

    def _identify(self, setting: Setting) -> Steps:
        every = candidates(self._profiles)
        families = self._families.setdefault(setting, set())
        for found in self.book.at(setting):
            if found.likeness is not None or (setting, found.unit) in self.book.clashing:
                continue
            # Devices of one wire are mostly of one kind: the families already met are tried first, and a full fit ends.
            near = [profile for profile in every if profile.id in families]
            likeness = yield from self._ask_all(setting, identify(found.unit, near))
            if not likeness.full:
                likeness = yield from self._ask_all(setting, identify(found.unit, every))
            if (setting, found.unit) not in self.book.clashing:
                found.likeness = likeness
                families.update(likeness.family)

    def _ask_all(
        self, setting: Setting, steps: Generator[Request, Answer | None, Likeness]
    ) -> Generator[Attempt, bytes | None, Likeness]:
        try:
            request = next(steps)
            while True:
                answer = yield from self._read(setting, request)
                request = steps.send(answer)
        except StopIteration as end:
            likeness: Likeness = end.value
            return likeness

    def _read(self, setting: Setting, request: Request) -> Generator[Attempt, bytes | None, Answer | None]:
        """One read of a register, again when its answer was garbled: always garbled is a collision."""
        frame = encode_rtu(request)
        answer_s = self.plan.answer_s + request.reply_length * setting.char_s
        for _ in range(_DOUBTS):
            data = yield Attempt(setting, frame, answer_s, f"identify unit {request.unit}", self._left_s, request)
            rest, _ = strip_echo(frame, data or b"")
            answer = find_rtu(request, rest)
            if answer is not None or not rest:
                return answer
        self.book.clashing.add((setting, request.unit))
        return None
