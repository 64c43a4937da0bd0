"""The bus scan over simulated wires in virtual time: S-20, goal 8 of the field level, faults 3, 4, 5, 7 and 9."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest

from siteward.model.site import Parity
from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Link
from siteward_drivers.scan import Book, Scan
from siteward_drivers.scan_plan import (
    ALL_UNITS,
    LIKELY_UNITS,
    Attempt,
    ScanPlan,
    Setting,
    Stranger,
    likely_settings,
    settings,
    sounding,
    wide_settings,
)
from siteward_drivers.scan_run import ScanRunner
from siteward_drivers.scan_words import Code, Expected, findings
from siteward_drivers.sim.bank import Bank
from siteward_drivers.sim.mixed_line import TwinBank, mixed_links
from siteward_drivers.sim.slave import crc16, rtu_frame
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.siteward_drivers.scan_rig import ALL, EVEN, FASTEST, METERS, PLAIN, PROFILES, bank, mixed_banks

HEIDELBERG, SDM630 = "heidelberg_energy_control", "eastron_sdm630"
QUICK = ScanPlan((PLAIN,), LIKELY_UNITS, LIKELY_UNITS)


async def scan(banks: Mapping[Setting, Bank], plan: ScanPlan, book: Book | None = None) -> Book:
    """Run a plan over simulated banks."""
    book = Book() if book is None else book
    await ScanRunner(mixed_links(banks)).run(Scan(plan, book, PROFILES.by_id.values()))
    return book


def told_by_hand(plan: ScanPlan, book: Book, wire: Callable[[Attempt], bytes]) -> None:
    """Run a plan over a wire that is a function."""
    steps = Scan(plan, book).steps()
    attempt = next(steps)
    try:
        while True:
            attempt = steps.send(wire(attempt))
    except StopIteration:
        return


def codes(book: Book, plan: ScanPlan, expected: Expected | None = None) -> list[Code]:
    """Codes of all findings."""
    return [finding.code for finding in findings(book, plan, expected)]


def test_twelve_devices_at_three_settings_are_found_and_named() -> None:
    """Issue 3's own proof, parity included; S-20: no device is missed, none is invented, each is named."""

    async def main(clock: VirtualClock) -> None:
        plan = ScanPlan(likely_settings(), LIKELY_UNITS, LIKELY_UNITS)
        book = await scan(mixed_banks(clock.now, (PLAIN, EVEN, FASTEST)), plan)
        assert book.proven() == (PLAIN, EVEN, FASTEST)
        assert {f.unit for f in book.found.values()} == {unit for units in ALL.values() for unit in units}
        named = {f.unit: f.likeness.profiles for f in book.found.values() if f.likeness is not None}
        meters = {unit for units in METERS.values() for unit in units}
        assert len(named) == 12
        for unit, profiles in named.items():
            assert (SDM630 if unit in meters else HEIDELBERG) in profiles
            assert PROFILES[profiles[0]].kind == ("meter" if unit in meters else "charger")
        assert codes(book, plan) == [Code.SEVERAL_SETTINGS]

    run_virtual(main)


def test_a_silent_wire_takes_as_long_as_the_plan_says() -> None:
    """Goal: likely settings in about 20 s, the wide scan in about ten minutes; the time left is no guess."""

    async def main(clock: VirtualClock) -> None:
        likely = ScanPlan(likely_settings(), LIKELY_UNITS, ALL_UNITS)
        wide = ScanPlan(wide_settings(), ALL_UNITS, ALL_UNITS)
        assert 19.0 < likely.silent_s() < 25.0
        assert 500.0 < wide.silent_s() < 700.0
        book = Book()
        for plan, done_s in ((likely, 0.0), (wide, likely.silent_s())):
            began = clock.now()
            await scan({}, plan, book)
            assert clock.now() - began == pytest.approx(plan.silent_s() - done_s, rel=0.05)
        assert len(book.asked) == 21 * 247
        assert codes(book, wide) == [Code.NO_ANSWER]

    run_virtual(main)


def test_the_wide_scan_finds_what_is_set_oddly() -> None:
    """A device at unit 200 and 4800 8O1 is no likely one, and is found all the same."""
    odd = Setting(4800, Parity.ODD)

    async def main(clock: VirtualClock) -> None:
        banks = {odd: bank(clock.now, meters=(200,))}
        book = await scan(banks, ScanPlan(likely_settings(), LIKELY_UNITS))
        assert not book.found
        await scan(banks, ScanPlan(wide_settings(), ALL_UNITS), book)
        assert list(book.found) == [(odd, 200)]

    run_virtual(main)


def test_a_proven_setting_is_swept_to_the_last_address() -> None:
    """Any framed answer proves baud and parity: units above the likely ones are asked only then."""

    async def main(clock: VirtualClock) -> None:
        book = await scan({PLAIN: bank(clock.now, meters=(2, 247))}, ScanPlan(likely_settings(), LIKELY_UNITS))
        assert sorted(unit for _, unit in book.found) == [2, 247]
        assert len(book.asked) == 247 + 5 * 32

    run_virtual(main)


def steps_of(plan: ScanPlan) -> Iterator[Attempt]:
    """All attempts of a scan in which every device answers everything with an exception."""
    steps = Scan(plan, Book(), PROFILES.by_id.values()).steps()
    attempt = next(steps)
    while True:
        yield attempt
        function = attempt.frame[1] | 0x80 if attempt.frame else 0
        try:
            attempt = steps.send(rtu_frame(attempt.frame[0], bytes((function, 2))) if attempt.frame else b"")
        except StopIteration:
            return


def test_every_frame_reads_and_none_goes_to_a_charger_in_service() -> None:
    """Ruling 1: a scan never feeds the watchdog of a charger that a blind controller left to its fallback."""
    plan = ScanPlan(wide_settings(), ALL_UNITS, left_alone=frozenset((11, 12)))
    frames = [attempt.frame for attempt in steps_of(plan) if attempt.frame]
    assert len(frames) > 5000
    assert {frame[1] for frame in frames} <= {1, 2, 3, 4}
    assert not {frame[0] for frame in frames} & {0, 11, 12}
    assert all(frame[0] <= 247 for frame in frames)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        (b"", [Code.NO_ANSWER]),
        (b"\0", [Code.NO_VALID_FRAME, Code.SWAPPED_PAIR]),
        (b"\xff\xfe", [Code.NO_VALID_FRAME, Code.SWAPPED_PAIR]),
        (b"\x5b\xd9\x58\x9a", [Code.NO_VALID_FRAME]),
    ],
)
def test_a_wire_that_says_nothing_valid_is_told_apart(heard: bytes, expected: Sequence[Code]) -> None:
    """Fault 3: wrong baud or parity, A and B swapped, or rubbish: a clear diagnosis in both languages."""
    book = Book()
    told_by_hand(QUICK, book, lambda attempt: heard if attempt.frame else b"")
    assert codes(book, QUICK) == expected
    for finding in findings(book, QUICK):
        assert finding.text.en
        assert finding.text.zh
        assert finding.wrong


def test_a_device_at_another_speed_is_silence_and_no_device() -> None:
    """Fault 3: wrong baud: nothing is invented."""

    async def main(clock: VirtualClock) -> None:
        book = await scan({Setting(2400): bank(clock.now, meters=(1, 2))}, QUICK)
        assert codes(book, QUICK) == [Code.NO_ANSWER]

    run_virtual(main)


def test_an_adapter_that_hears_itself_is_detected_and_filtered() -> None:
    """Fault 4: a local echo is told at provisioning, and no echo is ever taken for a device."""

    async def main(clock: VirtualClock) -> None:
        banks = {PLAIN: bank(clock.now, meters=(5,))}
        banks[PLAIN].faults.echo = True
        book = await scan(banks, QUICK)
        assert [unit for _, unit in book.found] == [5]
        assert codes(book, QUICK) == [Code.ECHO]
        likeness = book.found[PLAIN, 5].likeness
        assert likeness is not None
        assert SDM630 in likeness.profiles

    run_virtual(main)


def test_two_devices_of_one_number_are_suspected_aloud() -> None:
    """Fault 9: the collision pattern is repeated before it is told, and no profile is guessed for the two."""

    async def main(clock: VirtualClock) -> None:
        line = bank(clock.now, meters=(5, 6, 7))
        book = await scan({PLAIN: TwinBank(line, {6: bank(clock.now, boxes=(6,)).devices[6]})}, QUICK)
        told = findings(book, QUICK)
        assert [(finding.code, finding.units) for finding in told] == [(Code.DUPLICATE, (6,))]
        assert all(f.likeness is None for f in book.found.values() if f.unit == 6)

    run_virtual(main)


def test_a_late_twin_is_heard_in_its_neighbours_turn() -> None:
    """Fault 9: the second of the two answers so late that both answers are whole."""
    refusal = rtu_frame(5, bytes((0x83, 2)))

    def wire(attempt: Attempt) -> bytes:
        called = attempt.frame[:1]
        if called == b"\x05":
            return refusal + refusal if attempt.patient else refusal
        return refusal if called == b"\x06" else b""

    book = Book()
    told_by_hand(QUICK, book, wire)
    assert codes(book, QUICK) == [Code.DUPLICATE]


def test_a_slow_device_is_found_in_its_neighbours_turn() -> None:
    """Fault 11 turned to use: an answer after the time-out still names its unit."""

    async def main(clock: VirtualClock) -> None:
        line = bank(clock.now, meters=(5,))
        line.devices[5].faults.latency_s = 0.12
        book = await scan({PLAIN: line}, QUICK)
        assert [unit for _, unit in book.found] == [5]
        assert book.found[PLAIN, 5].late
        assert codes(book, QUICK) == []

    run_virtual(main)


def test_another_master_on_the_wire_is_heard_before_the_first_call() -> None:
    """Fault 5: requests that are not ours."""
    plan, book = ScanPlan((PLAIN,), (1,), (1,)), Book()
    steps = Scan(plan, book).steps()
    assert next(steps).frame == b""
    steps.send(rtu_frame(9, bytes.fromhex("04 0006 0002")))
    assert codes(book, plan)[-1] is Code.OTHER_MASTER


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({5: SDM630, 6: SDM630}, []),
        ({5: SDM630, 6: SDM630, 9: SDM630}, [Code.MISSING]),
        ({5: SDM630, 6: HEIDELBERG}, [Code.STRANGE]),
        ({21: SDM630, 22: HEIDELBERG}, [Code.PORTS_SWAPPED]),
    ],
)
def test_what_was_found_is_held_against_the_site_file(there: Mapping[int, str], expected: Sequence[Code]) -> None:
    """Fault 7: identity that does not match the file; two adapters that changed places are named as such."""

    async def main(clock: VirtualClock) -> None:
        book = await scan({PLAIN: bank(clock.now, meters=(5, 6))}, QUICK)
        named = {unit: (f"d{unit}", profile) for unit, profile in there.items()}
        other = {} if 5 in there else {"rs485-2": {5: ("m5", SDM630), 6: ("m6", SDM630)}}
        assert sorted({*codes(book, QUICK, Expected("rs485-1", named, other))}) == expected

    run_virtual(main)


class Wildcard:
    """A protocol of another kind: one frame that every meter answers."""

    name = "wildcard"
    settings = (Setting(2400, Parity.EVEN),)
    answer_s = 0.5

    def frames(self) -> tuple[bytes, ...]:
        return (bytes.fromhex("68 aa 68"),)

    def judge(self, data: bytes) -> Stranger | None:
        return Stranger("wildcard", data[1:3].hex(), "a meter") if data[:1] == b"\x68" else None


def test_other_protocols_are_asked_at_their_own_settings() -> None:
    """The hook for DL/T 645: one wildcard call at each of its settings proves the setting."""
    even = Setting(2400, Parity.EVEN)
    plan, book = ScanPlan((PLAIN,), (1,), (1,), protocols=(Wildcard(),)), Book()
    steps = Scan(plan, book).steps()
    attempt = next(steps)
    asked = []
    try:
        while True:
            asked.append((attempt.setting, attempt.frame))
            wild = attempt.frame == bytes.fromhex("68 aa 68")
            attempt = steps.send(bytes.fromhex("68 12 34") if wild else b"")
    except StopIteration:
        pass
    assert asked.count((even, bytes.fromhex("68 aa 68"))) == 1
    assert (PLAIN, bytes.fromhex("68 aa 68")) not in asked
    assert [frame for setting, frame in asked if setting == even] == [bytes.fromhex("68 aa 68")]
    assert book.proven() == (even,)
    assert book.strangers[0][1].address == "1234"


def test_a_setting_that_the_port_refuses_is_stepped_over() -> None:
    """Fault 3: an adapter that cannot do a speed costs that speed, not the scan; a missing port costs the scan."""

    async def main(clock: VirtualClock) -> None:
        made = mixed_links({FASTEST: bank(clock.now, meters=(4,))})

        def port(setting: Setting) -> Link:
            link = made(setting)
            if setting.parity is Parity.EVEN:
                link.plug(False)  # type: ignore[attr-defined]
            return link

        plan, book = ScanPlan(likely_settings(), (4,), (4,)), Book()
        await ScanRunner(port).run(Scan(plan, book))
        assert book.refused == list(settings((9600, 19200, 38400), (Parity.EVEN,)))
        assert [unit for _, unit in book.found] == [4]
        with pytest.raises(LinkDown, match="unplugged"):
            await ScanRunner(port).run(Scan(ScanPlan((EVEN,), (4,)), Book()))

    run_virtual(main)


def test_a_port_that_ignores_parity_is_told_and_counts_nobody_twice() -> None:
    """Fault 3: where two parities hear the same devices, the port is at fault, not the devices."""

    async def main(clock: VirtualClock) -> None:
        line = bank(clock.now, meters=(5, 6))
        plan = ScanPlan(settings((9600,), (Parity.NONE, Parity.EVEN)), LIKELY_UNITS, LIKELY_UNITS)
        book = await scan(dict.fromkeys(plan.settings, line), plan)
        assert [f.setting for f in book.found.values()] == [PLAIN, PLAIN]
        assert codes(book, plan) == [Code.PARITY_IGNORED]

    run_virtual(main)


def test_a_call_is_what_every_device_answers() -> None:
    """Contract of a sounding: one holding register, which any device answers or refuses."""
    frame = bytes((17, 3, 0, 0, 0, 1))
    attempt = next(a for a in steps_of(ScanPlan((PLAIN,), (17,), (17,))) if a.frame)
    assert attempt.frame == frame + crc16(frame)
    assert attempt.request == sounding(17)
