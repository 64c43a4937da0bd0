"""The codec against frames of real devices, and its judgement of what answers a request (faults 10..13)."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from siteward_drivers.blocks import plan_blocks
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.decode import decode
from siteward_drivers.errors import Garbled
from siteward_drivers.modbus import Answer, Request, encode_rtu, encode_tcp, find_rtu, find_tcp
from siteward_drivers.modbus_quick import quick_tcp
from siteward_drivers.profile_points import Table
from siteward_drivers.quantities import Quantity

from .rig import crc

VECTORS = tomllib.loads((Path(__file__).parents[1] / "fixtures" / "modbus_vectors.toml").read_text())
PROFILES = load_profiles()


@pytest.mark.parametrize("vector", VECTORS["vector"], ids=lambda v: v["what"])
def test_profile_read_plan_and_codec_make_the_golden_frames(vector: dict[str, Any]) -> None:
    profile = PROFILES[vector["profile"]]
    points = {Quantity(q): profile.point(Quantity(q)) for q in vector["quantities"]}
    (block,) = plan_blocks(points, profile.spans(), profile.file.timing.max_registers, overhead=0)
    request = Request(vector["unit"], block.table.read_function, block.first, block.count)
    assert encode_rtu(request) == bytes.fromhex(vector["request"])
    if "response" in vector:
        answer = find_rtu(request, bytes.fromhex(vector["response"]))
        assert answer is not None
        decoded = decode(points, block.first, answer.values, profile.file.word_order)
        assert [decoded.values[Quantity(q)] for q in vector["quantities"]] == vector["values"]
        assert decoded.rejected == ()


@pytest.mark.parametrize("vector", VECTORS["write"], ids=lambda v: v["what"])
def test_writes_make_the_golden_frames(vector: dict[str, Any]) -> None:
    words = tuple(vector["words"])
    request = Request(vector["unit"], vector["function"], vector["address"], len(words), words)
    assert encode_rtu(request) == bytes.fromhex(vector["request"])


@pytest.mark.parametrize("vector", VECTORS["block"], ids=lambda v: f"{v['profile']}-{v['first']}")
def test_block_reads_make_the_golden_frames_and_lie_inside_documented_registers(vector: dict[str, Any]) -> None:
    table = Table(vector["table"])
    request = Request(1, table.read_function, vector["first"], vector["count"])
    assert encode_rtu(request) == bytes.fromhex(vector["request"])
    spans = PROFILES[vector["profile"]].spans()
    last = vector["first"] + vector["count"]
    assert any(s.table is table and s.first <= vector["first"] and last <= s.first + s.count for s in spans)


READ = Request(17, 3, 100, 2)


def _rtu(*body: int) -> bytes:
    return bytes(body) + crc(bytes(body))


GOOD = _rtu(17, 3, 4, 1, 2, 3, 4)


def test_an_rtu_answer_is_found_behind_noise_and_before_more() -> None:
    assert find_rtu(READ, b"\x11\x03\x04\xff" + GOOD + b"\x00") == Answer((0x0102, 0x0304))


@pytest.mark.parametrize(
    "frame",
    [
        _rtu(18, 3, 4, 1, 2, 3, 4),
        _rtu(17, 4, 4, 1, 2, 3, 4),
        _rtu(17, 3, 2, 1, 2),
        _rtu(17, 3, 6, 1, 2, 3, 4, 5, 6),
        GOOD[:-1],
        GOOD[:-1] + b"\x00",
        b"",
        b"\x11",
        b"\x11\x03\x04",
    ],
)
def test_nothing_else_is_an_rtu_answer(frame: bytes) -> None:
    assert find_rtu(READ, frame) is None


def test_a_write_is_answered_by_its_own_echo_only() -> None:
    write = Request(17, 6, 261, 1, (60,))
    assert find_rtu(write, _rtu(17, 6, 1, 5, 0, 60)) == Answer()
    assert find_rtu(write, _rtu(17, 6, 1, 5, 0, 61)) is None
    assert find_rtu(write, _rtu(17, 6, 1, 6, 0, 60)) is None
    many = Request(17, 16, 1300, 2, (1, 16))
    assert find_rtu(many, _rtu(17, 16, 5, 20, 0, 2)) == Answer()
    assert find_rtu(many, _rtu(17, 16, 5, 20, 0, 1)) is None


def test_an_exception_keeps_its_code() -> None:
    assert find_rtu(READ, _rtu(17, 0x83, 2)) == Answer(exception=2)
    assert find_rtu(READ, _rtu(17, 0x84, 2)) is None


def _tcp(transaction: int, *body: int) -> bytes:
    return transaction.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + bytes(body)


def test_tcp_frames_of_other_transactions_are_dropped_and_the_right_one_is_found() -> None:
    assert encode_tcp(READ, 7) == _tcp(7, 17, 3, 0, 100, 0, 2)
    buffer = bytearray(_tcp(6, 17, 3, 4, 9, 9, 9, 9) + _tcp(7, 17, 3, 4, 1, 2, 3, 4) + b"\x00\x08")
    assert find_tcp(READ, 7, buffer) == Answer((0x0102, 0x0304))
    assert buffer == b"\x00\x08"


@pytest.mark.parametrize(
    "body", [(18, 3, 4, 1, 2, 3, 4), (17, 4, 4, 1, 2, 3, 4), (17, 3, 2, 1, 2), (17, 3, 6, 1, 2, 3, 4)]
)
def test_a_tcp_frame_with_the_right_transaction_and_a_wrong_body_is_no_answer(body: tuple[int, ...]) -> None:
    assert find_tcp(READ, 7, bytearray(_tcp(7, *body))) is None


def test_bytes_that_are_no_modbus_tcp_are_told() -> None:
    with pytest.raises(Garbled):
        find_tcp(READ, 7, bytearray(b"HTTP/1.1 400"))


def test_a_function_that_is_not_driven_is_refused() -> None:
    with pytest.raises(ValueError, match="43"):
        encode_rtu(Request(1, 43, 0, 1))


def test_the_quick_look_at_an_answer_never_says_more_than_the_search() -> None:
    """Faults 10..13: one bent byte, one byte more or less, and the quick look leaves the judgement to the search."""
    read = Request(17, 3, 100, 2)
    right = _tcp(7, 17, 3, 4, 1, 2, 3, 4)
    assert quick_tcp(read, 7, right) == find_tcp(read, 7, bytearray(right)) == Answer((0x0102, 0x0304))
    for place in range(9):
        bent = bytearray(right)
        bent[place] ^= 1
        assert quick_tcp(read, 7, bytes(bent)) is None
    assert quick_tcp(read, 7, right + b"\0") is None
    assert quick_tcp(read, 7, right[:-1]) is None
    assert quick_tcp(read, 8, right) is None
    assert quick_tcp(Request(17, 1, 100, 2), 7, _tcp(7, 17, 1, 1, 3)) is None
    assert quick_tcp(Request(17, 6, 100, 1, (5,)), 7, _tcp(7, 17, 6, 0, 100, 0, 5)) is None
