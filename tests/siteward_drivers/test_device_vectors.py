"""S-06, S-69: golden frames of real and documented devices, byte for byte, as shipped profiles make and read them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from siteward_drivers.blocks import plan_blocks
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.decode import decode, encode
from siteward_drivers.modbus import Request, encode_rtu, find_rtu
from siteward_drivers.quantities import Quantity

PROFILES = load_profiles()
VECTORS = tomllib.loads((Path(__file__).parents[1] / "fixtures" / "device_vectors.toml").read_text(encoding="utf-8"))


def cases(kind: str) -> Any:
    found = VECTORS[kind]
    return pytest.mark.parametrize("vector", found, ids=[f"{v['profile']}: {v['what']}" for v in found])


@cases("read")
def test_a_documented_request_fetches_what_the_profile_names(vector: dict[str, Any]) -> None:
    profile = PROFILES[vector["profile"]]
    frame = bytes.fromhex(vector["request"])
    points = {Quantity(q): profile.file.points[Quantity(q)] for q in vector["quantities"]}
    block, *more = plan_blocks(points, profile.spans(), 125, 125)
    assert (more, block.first) == ([], int.from_bytes(frame[2:4], "big"))
    count = int.from_bytes(frame[4:6], "big")
    assert encode_rtu(Request(frame[0], block.table.read_function, block.first, count)) == frame
    assert block.count <= count
    assert any(s.first <= block.first and block.first + count <= s.first + s.count for s in profile.spans())


@cases("write")
def test_a_documented_write_is_what_the_profile_encodes(vector: dict[str, Any]) -> None:
    profile = PROFILES[vector["profile"]]
    frame = bytes.fromhex(vector["request"])
    point = profile.file.points[Quantity(vector["quantity"])]
    words = encode(point, vector["value"], profile.file.word_order)
    assert encode_rtu(Request(frame[0], frame[1], point.address, len(words), words)) == frame


@cases("words")
def test_documented_words_are_the_value(vector: dict[str, Any]) -> None:
    """Fault 30: word order."""
    profile = PROFILES[vector["profile"]]
    quantity = Quantity(vector["quantity"])
    point = profile.file.points[quantity]
    words = [int(word, 16) for word in vector["words"]]
    decoded = decode({quantity: point}, point.address, words, profile.file.word_order)
    assert decoded.values == {quantity: pytest.approx(vector["value"])}


@cases("answer")
def test_a_documented_answer_is_the_value(vector: dict[str, Any]) -> None:
    profile = PROFILES[vector["profile"]]
    quantity = Quantity(vector["quantity"])
    point = profile.file.points[quantity]
    frame = bytes.fromhex(vector["response"])
    answer = find_rtu(Request(frame[0], frame[1], point.address, point.width), frame)
    assert answer is not None
    decoded = decode({quantity: point}, point.address, answer.values, profile.file.word_order)
    assert decoded.values == {quantity: vector["value"]}
