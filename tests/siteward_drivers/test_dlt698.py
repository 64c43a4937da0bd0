"""DL/T 698.45: frames byte for byte, the right answer among bytes, and the package that does it only where it is used.

The package dlt698 makes and reads the driver's frames; the simulated meter has its own few lines for the same, so each
proves the other. The frame of `PUBLISHED` is the example that circulates with the standard.
"""

import sys
from random import Random

import pytest

from siteward.model.errors import ConfigError
from siteward_drivers import dlt698, speech
from siteward_drivers.dlt698 import Item, ObjectRequest, find, get, results
from siteward_drivers.modbus import Request
from siteward_drivers.profile_data import ObjectType
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.object_slave import ObjectFramer, check, object_frame
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

from .mixed import ADDRESSES, mixed_site
from .plant import PROFILES
from .rig import OpenGate

PUBLISHED = bytes.fromhex("68 17 00 43 05 01 00 00 00 00 00 10 26 F6 05 01 00 40 01 02 00 00 ED 03 16")
ADDRESS = "123456789012"
WIRE_ADDRESS = bytes.fromhex("12 90 78 56 34 12")
ASKED = get(ADDRESS, 5, ("20000200", "00100201"), 16)
TOLD = bytes.fromhex(
    "85 02 05 02  20 00 02 00 01 01 03 12 08 FD 12 08 FE 12 09 00  00 10 02 01 01 06 00 01 E2 40  00 00"
)
GOOD = object_frame(WIRE_ADDRESS, 0x10, TOLD)


def answer(apdu: str, address: bytes = WIRE_ADDRESS, client: int = 0x10) -> bytes:
    return object_frame(address, client, bytes.fromhex(apdu))


def test_a_request_is_made_byte_for_byte() -> None:
    """S-34: wake-up bytes, address low byte first, service 05 02, its number, the objects; both checks as published."""
    assert (check(PUBLISHED[1:12]), check(PUBLISHED[1:-3])) == (b"\x26\xf6", b"\xed\x03")
    frame = dlt698.encode(ASKED)
    head = "FE FE FE FE 68 1C 00 43 05 12 90 78 56 34 12 10 3B 7C"
    assert frame == bytes.fromhex(f"{head} 05 02 05 02 20 00 02 00 00 10 02 01 00 E6 D1 16")
    assert len(frame) == dlt698.request_length(2)
    asks, broken = ObjectFramer().feed(frame)
    assert (len(asks), broken) == (1, 0)
    assert (asks[0].address, asks[0].client, asks[0].apdu) == (WIRE_ADDRESS, 0x10, frame[18:-3])


def test_an_answer_is_found_wherever_it_stands() -> None:
    """S-34, fault 82: noise before it, a wake-up, a start byte that starts nothing, bytes behind it."""
    for buffer in (GOOD, b"\xfe\xfe\xfe\xfe" + GOOD, b"\x68\x00\x68\x68\xff" + GOOD + b"\x00", GOOD + GOOD):
        found = find(ASKED, buffer)
        assert found is not None
        assert bytes(found.values) == TOLD
    assert len(GOOD) == ASKED.reply_length
    assert speech.may_be_whole(ASKED, GOOD)
    volts = tuple(Item(ObjectType.LONG_UNSIGNED, v) for v in (2301, 2302, 2304))
    assert results(TOLD) == (volts, (Item(ObjectType.DOUBLE_LONG_UNSIGNED, 123456),))


def controlled(control: int) -> bytes:
    """The good answer with another control byte, both checks right."""
    head = GOOD[1:3] + bytes((control,)) + GOOD[4:12]
    body = head + check(head) + GOOD[14:-3]
    return b"\x68" + body + check(body) + b"\x16"


@pytest.mark.parametrize(
    ("what", "bytes_"),
    [
        ("our own echo (fault 3)", dlt698.encode(ASKED)),
        ("another meter's (fault 9)", object_frame(bytes(6), 0x10, TOLD)),
        ("to another client", object_frame(WIRE_ADDRESS, 0x11, TOLD)),
        ("to the request before (fault 12)", answer("85 02 04 01 20 00 02 00 00 04 00 00")),
        ("of other objects", answer("85 02 05 01 20 01 02 00 00 04 00 00")),
        ("of the objects in another order", answer("85 02 05 02 00 10 02 01 00 04 20 00 02 00 00 04 00 00")),
        ("of one object alone", answer("85 01 05 20 00 02 00 00 04 00 00")),
        ("of another service", answer("86 01 05 40 00 02 00 00 00 00")),
        ("to be continued in another frame", controlled(0xE3)),
        ("scrambled", controlled(0xCB)),
        ("broken off", GOOD[:-4]),
        ("no service at all", answer("FF FF")),
        ("empty", answer("")),
    ],
)
def test_what_answers_something_else_is_no_answer(what: str, bytes_: bytes) -> None:
    """Faults 3, 9, 10, 12, 82: address, client, service, request number and objects must all be the asked ones."""
    assert find(ASKED, bytes_) is None, what


def test_no_damaged_byte_passes() -> None:
    """Fault 1: each bit flipped, each byte lost, each byte doubled."""
    for n in range(len(GOOD)):
        damaged = [GOOD[:n] + bytes((GOOD[n] ^ 1 << bit,)) + GOOD[n + 1 :] for bit in range(8)]
        damaged += [GOOD[:n] + GOOD[n + 1 :]]
        # A start byte that came twice is noise before the frame; any other makes it another frame.
        damaged += [GOOD[:n] + GOOD[n : n + 1] + GOOD[n:]] if 0 < n < len(GOOD) - 1 else []
        assert [d for d in damaged if find(ASKED, d) is not None] == []


def test_rubbish_is_refused_and_nothing_falls_over() -> None:
    """S-34, law 5: frames with right checks and random contents reach the codec's whole depth."""
    dice = Random(698)
    for _ in range(4000):
        apdu = bytearray(TOLD)
        for _ in range(dice.randint(1, 4)):
            apdu[dice.randrange(len(apdu))] = dice.randrange(256)
        cut = bytes(apdu[: dice.randint(0, len(apdu))]) + dice.randbytes(dice.randint(0, 3))
        found = find(ASKED, object_frame(WIRE_ADDRESS, 0x10, cut))
        if found is not None and found.exception is None:
            assert len(results(bytes(found.values))) == 2
        find(ASKED, dice.randbytes(60))


def test_an_error_of_the_meter_is_a_refusal_of_its_own_request_only() -> None:
    """S-34: the answer "error" carries the number of the request."""
    own, other = (find(ASKED, answer(f"EE {piid:02X} 01 00 00")) for piid in (5, 6))
    assert own is not None
    assert own.exception is not None
    assert other is None


def test_what_is_no_reading_has_no_results() -> None:
    """Law 5: an APDU that cannot be read is an error, never an empty reading."""
    for apdu in (b"", b"\x85\x02", bytes.fromhex("01 00 01 00 3C 07 E0 05 13 04 08 05 00 00 A6")):
        with pytest.raises(ValueError, match=r".+"):
            results(apdu)
    unknown = bytes.fromhex("85 02 01 02 20 00 02 00 01 16 05 20 01 02 00 00 04 00 00")
    assert results(unknown) == ((Item(None, None),), 4)


def test_requests_tell_each_other_apart() -> None:
    """Fault 12: a number of its own makes the same question another request."""
    again = get(ADDRESS, 6, ASKED.oads, 16)
    assert not again.confusable(ASKED)
    assert ASKED.confusable(get(ADDRESS, 5, ASKED.oads, 16))
    assert not ASKED.confusable(Request(1, 3, 0, 2))
    assert isinstance(again, ObjectRequest)
    assert (again.is_read, speech.wants_answer(again), str(again)) == (True, True, "objects 20000200, 00100201")


@pytest.mark.parametrize(
    ("address", "piid", "oads"),
    [
        ("12345678901", 1, ("20000200",)),
        ("12345678901x", 1, ("20000200",)),
        (ADDRESS, 64, ("20000200",)),
        (ADDRESS, 1, ()),
        (ADDRESS, 1, ("20000200",) * 17),
    ],
)
def test_requests_that_cannot_be_sent_are_refused(address: str, piid: int, oads: tuple[str, ...]) -> None:
    """S-34: a wildcard or a group would be answered by several meters at once."""
    with pytest.raises(ValueError, match=r"address|request"):
        get(address, piid, oads, 2)


def test_a_site_without_the_package_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """S-69: the message names the meter and the extra; sites without such a meter never import the package."""

    async def main(clock: VirtualClock) -> None:
        build_lines(mixed_site(names=("m1", "m3")), PROFILES, clock, OpenGate(), lambda _: None)
        with pytest.raises(ConfigError, match=r"meter m5: .*pip install 'siteward\[dlt698\]'"):
            build_lines(mixed_site(names=("m1", "m5")), PROFILES, clock, OpenGate(), lambda _: None)

    assert ADDRESSES["m5"].isdecimal()
    monkeypatch.setitem(sys.modules, "dlt698", None)
    dlt698._library.cache_clear()
    run_virtual(main)
    dlt698._library.cache_clear()
