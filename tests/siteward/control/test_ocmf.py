"""OCMF as read: sections as bytes, readings with what they leave out, and refusal of whatever is none (fault 81)."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from siteward.control.ocmf import DEFAULT_ALGORITHM, BadOcmf, parse
from siteward.control.signed import energy, marks, told, turned
from siteward.model.ids import ConnectorId
from siteward.model.signed import SignedHead, SignStep

PAYLOAD = (
    '{"FV":"1.0" , "PG":"T12","MS":"0815",\t"ID":"S1","RD":[{"TM":"2026-01-05T07:00:22,000+0100 S","TX":"B",'
    '"RV":330.298,"RI":"1-b:1.8.0","RU":"kWh","ST":"G"},{"TM":"2026-01-05T07:10:22,000+0100 I","TX":"C"},'
    '\r\n {"TX":"P","RV":332.08,"EF":"Et"} ],"U1":"Zähler №1"}'
).encode()
SIGNATURE = b'{"SD":"3003020101"}'


def test_sections_are_bytes_and_readings_inherit_what_they_leave_out() -> None:
    """OCMF, readings: a field that is missing is that of the reading before it."""
    record = parse(b"OCMF|" + PAYLOAD + b"|" + SIGNATURE)
    assert record.payload == PAYLOAD
    assert (record.algorithm, record.curve) == (DEFAULT_ALGORITHM, "secp256r1")
    assert record.signature == b"\x30\x03\x02\x01\x01"
    assert (record.serial, record.page, record.about) == ("0815", 12, "S1")
    begin, middle, end = record.readings
    assert record.begin is begin
    assert record.end is end
    assert (begin.register_wh, begin.digit_wh, begin.clock) == (Decimal("330298"), Decimal(1), "S")
    assert (middle.register_wh, middle.clock) == (begin.register_wh, "I")
    assert (end.register_wh, end.digit_wh, end.errors, end.state) == (Decimal("332080"), Decimal(10), "Et", "G")


@pytest.mark.parametrize(
    ("rv", "ru", "expected"),
    [
        ('"12.5"', '"kWh"', Decimal(12500)),
        ("7", '"Wh"', Decimal(7)),
        ("7", '"mOhm"', None),
        ("1e400", '"kWh"', None),
        ('"none"', '"kWh"', None),
        ("true", '"kWh"', None),
        ("null", '"kWh"', None),
        ("1e-999999", '"kWh"', None),
        ('"1e-999999999"', '"kWh"', None),
        ('"1e999999999"', '"kWh"', None),
        ('"0e999999999"', '"kWh"', None),
        ('"1e-99999999999999999999"', '"kWh"', None),
    ],
)
def test_a_register_is_a_number_in_a_unit_of_energy_or_unknown(rv: str, ru: str, expected: Decimal | None) -> None:
    """Law 5: what is no register is unknown, never zero."""
    text = '{"RD":[{"TX":"E","RV":%s,"RU":%s}]}' % (rv, ru)  # noqa: UP031
    assert parse(b"OCMF|" + text.encode() + b"|" + SIGNATURE).readings[0].register_wh == expected


def test_a_signature_in_base64_and_an_unknown_algorithm() -> None:
    """Contract: an algorithm that is none of OCMF's has no curve, and is judged by nobody."""
    record = parse(b'OCMF|{"RD":[]}|{"SA":"RSA-4096","SE":"base64","SD":"MAMCAQE="}')
    assert (record.signature, record.curve, record.page) == (b"\x30\x03\x02\x01\x01", "", None)


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"OCMF",
        b"OCMF|{}|{}",
        b"ocmf|{" + b"}|" + SIGNATURE,
        b"OCMF|" + PAYLOAD + b"|" + SIGNATURE + b"|",
        b'OCMF|{"RD":{}}|' + SIGNATURE,
        b'OCMF|{"RD":[1]}|' + SIGNATURE,
        b'OCMF|{"RD":[]}|{"SD":"xyz"}',
        b'OCMF|{"RD":[],"X":NaN}|' + SIGNATURE,
        b'OCMF|["RD"]|' + SIGNATURE,
        b"OCMF|\xff\xfe|" + SIGNATURE,
        b"OCMF|" + b"[" * 100_000 + b"|" + SIGNATURE,
        b'OCMF|{"RD":[],"X":1e-99999999999999999999}|' + SIGNATURE,
        b'OCMF|{"RD":[],"X":1e99999999999999999999}|' + SIGNATURE,
    ],
)
def test_what_is_no_record_is_refused(document: bytes) -> None:
    """Fault 81: damaged records are told from whole ones."""
    with pytest.raises(BadOcmf):
        parse(document)


NUMBERS = st.sampled_from(["0", "-1", "1e400", "1e-999999999", "0e999999999", "9" * 5000, "1e99999999999999999999"])
TEXTS = st.sampled_from(
    ['"T12"', '"T' + "9" * 5000 + '"', '"\\ud800"', '"kWh"', '"Wh"', '"1e-999999999"', '"Infinity"']
)
VALUES = NUMBERS | TEXTS | st.sampled_from(["null", "true", "[]", "{}", "[" * 900 + "]" * 900, "NaN", '"0e999999999"'])


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """Records of the right form, with any value in each field."""
    readings = draw(
        st.lists(st.dictionaries(st.sampled_from(["TM", "TX", "RV", "RU", "ST", "EF"]), VALUES), max_size=3)
    )
    rows = [",".join(f'"{key}":{value}' for key, value in row.items()) for row in readings]
    fields = draw(st.dictionaries(st.sampled_from(["PG", "MS", "GS", "ID", "X"]), VALUES))
    head = "".join(f',"{key}":{value}' for key, value in fields.items())
    signed = draw(st.dictionaries(st.sampled_from(["SA", "SE", "SD"]), VALUES | st.just('"30"')))
    tail = ",".join(f'"{key}":{value}' for key, value in signed.items())
    body = ",".join(f"{{{row}}}" for row in rows)
    return f'OCMF|{{"RD":[{body}]{head}}}|{{{tail or SIGNATURE.decode()[1:-1]}}}'.encode()


@given(
    st.binary(max_size=200) | st.binary(max_size=80).map(lambda data: b"OCMF|{" + data + b"}|" + SIGNATURE) | records()
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(document: bytes) -> None:
    """Fault 81, law 2: nothing that a meter hands over ends a turn, and what is read of it can be kept."""
    one = told(document, b"", None, SignStep.END)
    if one.record is None:
        return
    head = turned(SignedHead(ConnectorId("A1")), one)
    marks(one, head, "SN-1", None, None)
    energy(one, 5)
    kept = TypeAdapter(SignedHead).dump_json(head)
    assert TypeAdapter(SignedHead).validate_json(kept) == head
    assert one.record.about == one.record.about.encode().decode()
    assert document.startswith(b"OCMF|" + one.record.payload + b"|")
