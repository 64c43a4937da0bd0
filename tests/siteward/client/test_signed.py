"""Signed values taken out of a session's events, and the file that anybody can check them with (fault 81)."""

import base64
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pyocmf import OcmfContainer, SpecWarning

from siteward.client.signed import all_marks, container, entry_name, signed_values, verdict_words
from siteward.model.ids import ulid_number
from siteward.model.signed import SignFailure, SignMark, SignStep
from siteward.trust.crypto import curve_public
from tests.fixtures.signing import SECRET, SESSION, document, finished_data, signed_data


def event(kind: str, data: dict[str, object]) -> dict[str, object]:
    """An event as far as this reads it."""
    return {"type": kind, "data": data}


GOOD = [
    event("session.signed", signed_data("begin")),
    event("session.signed", signed_data("end")),
    event("session.finished", finished_data()),
]

APART = [GOOD[0], event("session.signed", signed_data("end", both=False)), GOOD[2]]


def test_records_come_back_byte_for_byte() -> None:
    """Contract section 4: base64 in `signedMeterData`, nothing written anew."""
    entries = signed_values(GOOD)
    assert [entry.step for entry in entries] == [SignStep.BEGIN, SignStep.END]
    for entry, step in zip(entries, ("begin", "end"), strict=True):
        assert entry.document is not None
        assert entry.document.split(b"|")[1] == document(step).split(b"|")[1]
        assert entry.key == curve_public(SECRET)
        assert entry.record is not None
    assert all_marks(GOOD) == ()
    assert entry_name(entries[1]).en == "Signed end T844"


def test_the_file_holds_every_byte_through_a_parser_of_xml() -> None:
    """S.A.F.E.: values, contexts and keys as its software reads them; what XML bends stands as a reference."""
    entries = signed_values(APART)
    root = ElementTree.fromstring(container(SESSION, entries))  # noqa: S314
    values = root.findall("value")
    assert [value.get("context") for value in values] == ["Transaction.Begin", "Transaction.End"]
    assert {value.get("transactionId") for value in values} == {str(ulid_number(SESSION))}
    for value, entry in zip(values, entries, strict=True):
        data, key = value.find("signedData"), value.find("publicKey")
        assert data is not None
        assert data.text is not None
        assert key is not None
        assert key.text is not None
        assert (data.get("format"), data.get("encoding"), key.get("encoding")) == ("OCMF", "plain", "plain")
        assert data.text.encode() == entry.document
        assert bytes.fromhex(key.text) == entry.key


@pytest.mark.parametrize(("events", "records"), [(GOOD, 1), (APART, 2)])
def test_another_reader_of_such_files_finds_one_session_that_holds(
    tmp_path: Path, events: list[dict[str, object]], records: int
) -> None:
    """S-16, fault 81: pyocmf judges a file by the rules of the transparency software; two begins it refuses."""
    (tmp_path / "x.xml").write_bytes(container(SESSION, signed_values(events)))
    with pytest.warns(SpecWarning, match="IS"):
        found = OcmfContainer.from_xml(tmp_path / "x.xml")
    assert [record.verify_signature() for record in found] == [True] * records
    assert [[issue.code for issue in result.issues] for result in found.check_eichrecht()] == [[]]


def test_what_is_no_text_travels_in_base64() -> None:
    """Fault 81: damaged records are shown as they are, too."""
    odd = b"OCMF|\x00\xff|"
    data = signed_data("begin") | {"signedMeterData": base64.b64encode(odd).decode(), "publicKey": None}
    entries = signed_values([event("session.signed", data)])
    assert entries[0].record is None
    found = ElementTree.fromstring(container(SESSION, entries)).find("value/signedData")  # noqa: S314
    assert found is not None
    assert (found.get("encoding"), base64.b64decode(found.text or "")) == ("base64", odd)


def test_what_is_missing_is_said_until_a_late_end_makes_up_for_it() -> None:
    """Issue 5: marked with its reason; in both languages."""
    none = {"step": "begin", "late": False, "signedMeterData": None, "failure": "UNREACHABLE"}
    events = [event("session.signed", none), event("session.finished", finished_data(("missing",)))]
    (entry,) = signed_values(events)
    assert (entry.failure, entry.document) == (SignFailure.UNREACHABLE, None)
    assert verdict_words(entry, None).zh == "电表无应答"
    assert all_marks(events) == (SignMark.MISSING,)
    assert b"<value " not in container(SESSION, signed_values(events))
    late = event("session.signed", signed_data("end", late=True, marks=("clock",)))
    assert all_marks([*events, late]) == (SignMark.CLOCK,)
    assert entry_name(signed_values([late])[0]).en.endswith("came after the end of the session")


def test_strange_data_is_no_crash() -> None:
    """A journal of a later version is read as far as it can be."""
    strange = {"step": "begin", "signedMeterData": "no base64!", "failure": "LATER", "marks": ["later"], "publicKey": 7}
    (entry,) = signed_values([event("session.signed", strange)])
    assert (entry.document, entry.key, entry.failure, entry.marks) == (None, None, None, ())
    assert ulid_number("not a ulid") == 0
