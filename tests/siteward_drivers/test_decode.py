"""Registers to values: what cannot be true is none and is named; what is written is never rounded up (R19, law 5)."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward_drivers.decode import Decoder, decode, encode, encode_raw, raw_value
from siteward_drivers.profile_points import Access, Point, RegisterType, Table, WordOrder
from siteward_drivers.quantities import Quantity

MSW, LSW = WordOrder.MSW_FIRST, WordOrder.LSW_FIRST


def point(type_: str, **more: object) -> Point:
    return Point.model_validate({"table": "holding", "address": 10, "type": type_, **more})


def one(words: list[int], order: WordOrder = MSW, **fields: object) -> object:
    decoded = decode({Quantity.STATUS: point(**fields)}, 10, words, order)  # type: ignore[arg-type]
    assert (Quantity.STATUS in decoded.rejected) is (Quantity.STATUS not in decoded.values)
    return decoded.values.get(Quantity.STATUS)


@pytest.mark.parametrize(
    ("fields", "words", "value"),
    [
        ({"type_": "u16"}, [65535], 65535),
        ({"type_": "i16"}, [65535], -1),
        ({"type_": "u32"}, [1, 2], 65538),
        ({"type_": "i32"}, [65535, 65534], -2),
        ({"type_": "u64"}, [0, 0, 1, 0], 65536),
        ({"type_": "f32"}, [0x4366, 0], 230.0),
        ({"type_": "u16", "scale": 0.1}, [237], 23.7),
        ({"type_": "string", "count": 2}, [0x4332, 0], "C2"),
        ({"type_": "bitfield", "count": 2}, [0x8000, 1], 0x80000001),
        ({"type_": "u16", "table": "coil"}, [1], 1),
    ],
)
def test_types(fields: dict[str, object], words: list[int], value: object) -> None:
    assert one(words, **fields) == value


def test_low_word_first_per_device_and_per_point() -> None:
    assert one([2, 1], LSW, type_="u32") == 65538
    assert one([2, 1], MSW, type_="u32", word_order="lsw_first") == 65538


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"type_": "f32"}, list(struct.unpack(">HH", struct.pack(">f", math.nan)))),
        ({"type_": "f32"}, list(struct.unpack(">HH", struct.pack(">f", math.inf)))),
        ({"type_": "i32", "scale": 0.001, "invalid": [-1]}, [65535, 65535]),
        ({"type_": "u16", "range": [0, 500]}, [501]),
        ({"type_": "f32", "scale": 1000.0, "range": [0, 1e12]}, list(struct.unpack(">HH", struct.pack(">f", -1.0)))),
        ({"type_": "string", "count": 1}, [0x07FF]),
        ({"type_": "u32"}, [1]),
    ],
)
def test_what_cannot_be_true_is_none_and_named(fields: dict[str, object], words: list[int]) -> None:
    """Fault 20: NaN, infinite, invalid code, out of range; never zero."""
    assert one(words, **fields) is None


LIMIT = point("u16", scale=0.1, access="rw", write_range=[0.0, 16.0], step=0.1)
WHOLE = point("u16", access="rw", write_range=[6.0, 80.0], step=1.0)


@given(st.floats(min_value=6.0, max_value=16.0))
def test_a_written_current_is_never_more_than_asked_and_less_than_a_step_below(value: float) -> None:
    (tenths,) = encode(LIMIT, value, MSW)
    assert tenths * 0.1 <= value + 1e-6
    assert value - tenths * 0.1 < 0.1 + 1e-6
    (whole,) = encode(WHOLE, value, MSW)
    assert whole <= value + 1e-5
    assert value - whole < 1.0


def test_every_step_of_the_device_comes_through_exactly() -> None:
    for tenths in range(161):
        assert encode(LIMIT, tenths / 10, MSW) == (tenths,)
        assert encode(LIMIT, tenths * 0.1, MSW) == (tenths,)


def test_above_the_range_is_cut_down_and_below_it_is_refused() -> None:
    assert encode(LIMIT, 32.0, MSW) == (160,)
    with pytest.raises(ValueError, match="below 6"):
        encode(WHOLE, 5.9, MSW)
    for number in (math.nan, math.inf):
        with pytest.raises(ValueError, match="cannot be written"):
            encode(LIMIT, number, MSW)


@given(st.floats(min_value=-1e6, max_value=1e6))
def test_a_float_register_is_never_rounded_up(value: float) -> None:
    words = encode(point("f32", access="rw"), value, MSW)
    written = struct.unpack(">f", b"".join(w.to_bytes(2, "big") for w in words))[0]
    assert written <= value


def test_raw_numbers_that_do_not_fit_are_refused() -> None:
    for raw in (-1, 65536):
        with pytest.raises(ValueError, match="does not fit"):
            encode_raw(LIMIT, raw, MSW)
    assert encode_raw(point("u32", access="rw"), 65538, LSW) == (2, 1)
    with pytest.raises(ValueError, match="texts"):
        encode_raw(Point(table=Table.HOLDING, address=1, type=RegisterType.STRING, count=1, access=Access.RW), 1, MSW)


@pytest.mark.parametrize("value", [16.0, -8.0, 230.0, 50.0])
def test_a_float_in_the_wrong_order_of_words_is_no_zero(value: float) -> None:
    """Fault 30: round numbers turn into ones so small that they would pass for 0 A."""
    words = list(struct.unpack(">HH", struct.pack(">f", value)))
    assert one(words[::-1], type_="f32", range=[-10000.0, 10000.0]) is None
    assert one(words, type_="f32", range=[-10000.0, 10000.0]) == value
    assert one([0, 0], type_="f32") == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]),
            st.sampled_from([None, MSW, LSW]),
            st.sampled_from([1.0, 0.1]),
            st.integers(-1, 2),
        ),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([MSW, LSW]),
    st.binary(min_size=60, max_size=60),
    st.integers(0, 30),
)
def test_a_block_unpacked_at_once_says_the_same_as_its_points_one_by_one(
    layout: list[tuple[str, WordOrder | None, float, int]], order: WordOrder, data: bytes, length: int
) -> None:
    """Law 5: holes, overlaps, mixed word orders, short and long answers change no value and hide no rejection."""
    points, address = {}, 10
    for quantity, (type_, own, scale, hole) in zip(Quantity, layout, strict=False):
        address = max(10, address + hole)
        points[quantity] = point(type_, address=address, word_order=own, scale=scale, range=(-1e6, 1e6), invalid=(7,))
        address += points[quantity].width
    words = struct.unpack(">30H", data)[:length]
    whole = Decoder(points, 10, order)(words)
    singles = [Decoder({quantity: p}, 10, order)(words) for quantity, p in points.items()]
    assert whole.values == {q: v for single in singles for q, v in single.values.items()}
    assert whole.raw == {q: v for single in singles for q, v in single.raw.items()}
    assert whole.rejected == tuple(q for single in singles for q in single.rejected)
    assert whole.impossible == tuple(q for single in singles for q in single.impossible)
    for quantity, found in whole.raw.items():
        p = points[quantity]
        first = p.address - 10
        assert found == raw_value(p, words[first : first + p.width], order)


def test_infinity_is_no_value_even_where_the_span_is_open() -> None:
    """Law 5: what is no number is not known."""
    open_span = point("f32", range=(0.0, math.inf))
    assert decode({Quantity.STATUS: open_span}, 10, [0x7F80, 0], MSW).rejected == (Quantity.STATUS,)


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("dec_u24", (0xFF00, 2345), 234.5),
        ("dec_u24", (0x0300, 2), 2000.0),
        ("dec_i24", (0xFDFF, 0xFFFF), -0.001),
        ("dec_u24", (0xFDFF, 0xFFFF), 16777.215),
        ("dec_i24", (0x0000, 0), 0.0),
        ("dec_i24", (0x7F7F, 0xFFFF), None),
    ],
)
def test_decimals_with_an_exponent(kind: str, words: tuple[int, int], expected: float | None) -> None:
    """S-69: 24 bits of digits below a decimal exponent; what no grid has is no value (fault 30)."""
    made = point(kind, unit="V", range=(-1e6, 1e6))
    found = decode({Quantity.VOLTAGE_L1: made}, 10, words, MSW).values.get(Quantity.VOLTAGE_L1)
    assert found == expected
    with pytest.raises(ValueError, match="not written"):
        encode_raw(made, 1.0, MSW)
