"""The DL/T 645 codec: right frames byte for byte, and no other frame taken for an answer (fault 82)."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from siteward_drivers import dlt645
from siteward_drivers.answer import Answer
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.dlt645 import MeterRequest, NotBcd, encode, find, follow, frame_bytes, frames, read
from siteward_drivers.dlt645_blocks import data_blocks, decode
from siteward_drivers.quantities import Quantity

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "fixtures" / "dlt645_vectors.json").read_text())
METER = "123456789012"
VOLTAGE = read(METER, "02010100", 2)
VOLTAGE_ANSWER = bytes.fromhex("68 12 90 78 56 34 12 68 91 06 33 34 34 35 CB 55 0D 16")
PROFILE = load_profiles()["dlt645_2007"]


def asked(vector: dict[str, Any]) -> MeterRequest:
    """The request of a vector, built by us."""
    ask = vector["ask"]
    if ask["kind"] == "freeze":
        return dlt645.freeze()
    if ask["kind"] == "time":
        return dlt645.broadcast_time(*ask["stamp"])
    if ask["kind"] == "address":
        return dlt645.read_address()
    frame = next(frames(bytes.fromhex(vector.get("request", vector.get("response")))))
    fields = vector.get("fields")
    return read(frame.address, ask["id"], fields["bytes"] * fields["count"] if fields else None)


def name(vector: dict[str, Any]) -> str:
    return str(vector["what"])


@pytest.mark.parametrize("vector", [v for v in VECTORS if "request" in v], ids=name)
def test_requests_are_right_byte_for_byte(vector: dict[str, Any]) -> None:
    """S-34: frames of the standard, from other implementations and from captures."""
    assert encode(asked(vector), wake_up=0) == bytes.fromhex(vector["request"])
    assert encode(asked(vector)) == b"\xfe" * 4 + bytes.fromhex(vector["request"])


@pytest.mark.parametrize("vector", [v for v in VECTORS if "response" in v], ids=name)
def test_answers_are_understood(vector: dict[str, Any]) -> None:
    """S-34: values with sign and decimals, blocks, addresses, and a refusal as what it is."""
    answer = find(asked(vector), bytes.fromhex(vector["response"]))
    assert answer is not None
    data, value, fields = bytes(answer.values), vector.get("value"), vector.get("fields")
    if value is None:
        assert answer == Answer(exception=dlt645.NO_SUCH_DATA)
    elif fields is None:
        assert dlt645.digits(data) == value
    else:
        width, scale = fields["bytes"], 10 ** fields["decimals"]
        numbers = [dlt645.number(data[n : n + width], fields["signed"]) for n in range(0, len(data), width)]
        assert [n / scale for n in numbers] == (value if isinstance(value, list) else [value])


@pytest.mark.parametrize("before", ["", "FE", "FE FE FE FE FE FE", "00 FF 68", "68 68 68 16", "FE 13 37"])
def test_preambles_and_noise_before_a_frame_are_skipped(before: str) -> None:
    """Fault 82: some meters send none, some four FE, some other bytes; a false start costs no answer."""
    answer = find(VOLTAGE, bytes.fromhex(before) + VOLTAGE_ANSWER + b"\x00\x68")
    assert answer == Answer((0x98, 0x22))


def test_our_own_echo_is_no_answer_and_hides_none() -> None:
    """Fault 4: an adapter that hears itself."""
    assert find(VOLTAGE, encode(VOLTAGE)) is None
    assert find(VOLTAGE, encode(VOLTAGE) + VOLTAGE_ANSWER) is not None


def answer_with(address: str = METER, control: int = 0x91, data: str = "00 01 01 02 98 22") -> bytes:
    return frame_bytes(address, control, bytes.fromhex(data))


LIES = {
    "another meter": answer_with(address="123456789013"),
    "another data id": answer_with(data="00 02 01 02 98 22"),
    "too short": answer_with(data="00 01 01 02 98"),
    "too long": answer_with(data="00 01 01 02 98 22 00"),
    "no data": answer_with(data="00 01 01 02"),
    "a request of another master": answer_with(control=0x11),
    "an answer to a follow-on": answer_with(control=0x92),
    "an answer to a write": answer_with(control=0x94, data=""),
    "a refusal with two bytes": answer_with(control=0xD1, data="02 00"),
    "a refusal of a follow-on": answer_with(control=0xD2, data="02"),
    "the broadcast address": answer_with(address=dlt645.BROADCAST),
    "a wildcard that answers": answer_with(address=dlt645.WILDCARD),
    "cut off": VOLTAGE_ANSWER[:-1],
    "wrong end": VOLTAGE_ANSWER[:-1] + b"\x17",
    "wrong checksum": VOLTAGE_ANSWER[:-2] + b"\x0e\x16",
    "no second start": VOLTAGE_ANSWER[:7] + b"\x69" + VOLTAGE_ANSWER[8:],
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_what_is_not_the_answer_is_not_taken(lie: bytes) -> None:
    """Faults 82, 10, 13 and 15: wrong checksum, length, address, data id or control code is refused."""
    assert find(VOLTAGE, lie) is None


def test_every_flipped_bit_is_noticed() -> None:
    """Faults 82 and 1: a single wrong bit anywhere in the frame costs the answer, never its truth."""
    for n in range(8 * len(VOLTAGE_ANSWER)):
        spoilt = bytearray(VOLTAGE_ANSWER)
        spoilt[n // 8] ^= 1 << n % 8
        assert find(VOLTAGE, bytes(spoilt)) is None


def test_bytes_by_chance_never_crash_and_never_answer() -> None:
    """Faults 82 and 15: junk of any length, half of it made of the bytes that frames are made of."""
    chance = random.Random(645)
    for _ in range(5000):
        pool = VOLTAGE_ANSWER if chance.random() < 0.5 else bytes(range(256))
        junk = bytes(chance.choices(pool, k=chance.randrange(40)))
        assert find(VOLTAGE, junk) is None


def test_data_that_need_several_frames_are_asked_for_one_after_the_other() -> None:
    """S-34: control code 12H with the sequence number, which must come back."""
    first = find(read(METER, "0001FF00", 8), answer_with(control=0xB1, data="00 FF 01 00 01 02 03 04"))
    assert first == Answer((1, 2, 3, 4), more=True)
    second = follow(METER, "0001FF00", 1)
    assert encode(second, 0) == frame_bytes(METER, 0x12, bytes.fromhex("00 FF 01 00 01"))
    assert find(second, answer_with(control=0x92, data="00 FF 01 00 05 06 01")) == Answer((5, 6))
    assert find(second, answer_with(control=0x92, data="00 FF 01 00 05 06 02")) is None


@pytest.mark.parametrize("junk", ["AA 22", "2A 22", "98 F2", "FF FF"])
def test_bcd_junk_is_refused(junk: str) -> None:
    """Fault 82: a nibble above 9 is no digit; the value is named as rejected, its neighbours stay."""
    with pytest.raises(NotBcd):
        dlt645.digits(bytes.fromhex(junk))
    block = data_blocks(PROFILE, [Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3])[0]
    seen = decode(block, bytes.fromhex(f"98 22 {junk} 10 23"))
    assert seen.values == {Quantity.VOLTAGE_L1: 229.8, Quantity.VOLTAGE_L3: 231.0}
    assert seen.rejected == (Quantity.VOLTAGE_L2,)


def test_a_value_outside_its_range_is_rejected() -> None:
    """Fault 82: digits that cannot be true, here 50.00 Hz with a wrong digit."""
    block = data_blocks(PROFILE, [Quantity.FREQUENCY])[0]
    assert decode(block, bytes.fromhex("00 50")).values == {Quantity.FREQUENCY: 50.0}
    assert decode(block, bytes.fromhex("00 90")).rejected == (Quantity.FREQUENCY,)


@pytest.mark.parametrize(
    "address", ["", "12345678901", "1234567890123", "12345678901A", "١٢٣٤٥٦٧٨٩٠١٢", "1234AA789012"]
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """Fault 82: twelve digits, of which only leading ones may be left open."""
    with pytest.raises(NotBcd):
        read(address, "02010100")


def test_a_shortened_address_takes_the_meter_that_ends_with_it() -> None:
    """S-34: leading A stand for any digits, and only for digits."""
    short = read("AAAAAA789012", "02010100", 2)
    assert find(short, VOLTAGE_ANSWER) is not None
    assert find(read("AAAAAA789013", "02010100", 2), VOLTAGE_ANSWER) is None


def test_only_freeze_and_time_are_broadcasts_and_both_expect_no_answer() -> None:
    """Fault 82: no broadcast unless somebody says so; nothing else goes to all meters."""
    assert not dlt645.freeze().wants_answer
    assert not dlt645.freeze().is_read
    assert not dlt645.broadcast_time(26, 3, 1, 12, 34, 56).wants_answer
    assert VOLTAGE.wants_answer
    with pytest.raises(ValueError, match="two digits"):
        dlt645.broadcast_time(2026, 3, 1, 12, 34, 56)


def test_late_answers_are_known_by_their_data_id() -> None:
    """Fault 12: only the same question to the same meter could be answered by a late frame."""
    assert VOLTAGE.confusable(read(METER, "02010100"))
    assert not VOLTAGE.confusable(read(METER, "02010200"))
    assert not VOLTAGE.confusable(read("000000000001", "02010100"))
