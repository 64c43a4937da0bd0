"""Bytes in, messages or refusals out: never anything else (faults 46, 47, 48)."""

import json
import time

import pytest

from siteward.model.refusals import Refusal
from siteward_sync.codec import UP_LIMIT, open_envelope, read_payload, seal
from siteward_sync.errors import BadMessage
from siteward_sync.protocol.v1 import Ack, Command, Status
from tests.siteward_sync.rubbish import BOMBS, GOOD, TEXT, damaged

QUICK_S = 0.010


def _read(data: bytes) -> None:
    opened = open_envelope(data)
    if "jws" in opened.value:
        raise BadMessage(Refusal.MALFORMED, "signed")
    read_payload(opened, Command)


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_within_10_ms(name: str) -> None:
    """Fault 46: refused by code, before they cost anything."""
    best = 1.0
    for _ in range(3):
        began = time.perf_counter()
        with pytest.raises(BadMessage) as refused:
            _read(BOMBS[name])
        best = min(best, time.perf_counter() - began)
    expected = {"too big": Refusal.TOO_LARGE, "version 2": Refusal.UNSUPPORTED_VERSION}
    assert refused.value.code is expected.get(name, Refusal.MALFORMED)
    assert best < QUICK_S


def test_thousands_of_damaged_messages_are_read_or_refused() -> None:
    """Whatever arrives, the outcome is a message or BadMessage with a code of the closed list."""
    refused: list[BadMessage] = []
    for data in damaged(1, 5000):
        try:
            _read(data)
        except BadMessage as bad:
            refused.append(bad)
    assert 4000 < len(refused) < 5000
    assert all(bad.code in Refusal and len(str(bad)) <= 300 for bad in refused)


def test_a_newer_minor_version_is_read_and_its_new_fields_ignored() -> None:
    """Fault 48: 1.9 speaks to 1.0."""
    newer = TEXT.replace('"1.0"', '"1.9"').replace('"name"', '"mood": {"a": 1}, "name"').encode()
    opened = open_envelope(newer)
    assert opened.head.protocol_version == "1.9"
    assert read_payload(opened, Command).name == "REPORT_NOW"


def test_what_could_be_read_of_a_bad_message_is_told() -> None:
    """An error reply names the command and the message it answers."""
    with pytest.raises(BadMessage) as refused:
        open_envelope(TEXT.replace('"1.0"', '"2.0"').encode())
    assert (refused.value.message_id, refused.value.command_id) == ("m-1", "c-1")


def test_the_payload_keeps_its_own_bytes() -> None:
    """Core gets what was sent, not what we understood of it: spacing, order and number spelling stay."""
    payload = b'{ "journalId":"J1" ,"seq": 4, "later":1.50e0 }'
    data = b' {"payload" : ' + payload + b' , "messageId":"m","stationId":"S","protocolVersion":"1.0",'
    opened = open_envelope(data + b'"sentAt":"2026-05-01T10:00:00+02:00"}\n')
    assert opened.raw == payload
    assert read_payload(opened, Ack) == Ack(journal_id="J1", seq=4)
    assert opened.head.sent_at.hour == 10


def test_seal_and_open_are_inverse() -> None:
    """What one side seals the other opens."""
    sent_at = open_envelope(TEXT.encode()).head.sent_at
    data = seal("S-1", "m-9", sent_at, Status(online=True, last_seq=3).to_json())
    opened = open_envelope(data, limit=UP_LIMIT)
    assert opened.raw == b'{"online":true,"lastSeq":3}'
    assert (opened.head.station_id, opened.head.message_id, opened.head.sent_at) == ("S-1", "m-9", sent_at)


@pytest.mark.parametrize("text", ['{"journalId":"J","seq":"4"}', '{"journalId":"J","seq":4.0}', '{"seq":4}', "{}"])
def test_types_are_not_guessed(text: str) -> None:
    """A number in quotes is no number: two readers must never understand two things."""
    opened = open_envelope(TEXT[: TEXT.index('"payload"')].encode() + b'"payload":' + text.encode() + b"}")
    with pytest.raises(BadMessage):
        read_payload(opened, Ack)


def test_what_is_too_large_is_answered_by_its_name() -> None:
    """I10, contract section 4: a reply carries the commandId; a tariff of thousands of days gets one as well."""
    document = GOOD | {"payload": {"commandId": "t-1", "name": "SET_TARIFF", "params": {"tariff": {"x": "y" * 70_000}}}}
    for text, ids in (
        (json.dumps(document), ("m-1", "t-1")),
        (json.dumps({"params": "y" * 70_000, **GOOD}), (None, None)),
        ("[" * 70_000, (None, None)),
    ):
        with pytest.raises(BadMessage) as caught:
            open_envelope(text.encode())
        assert (caught.value.code, caught.value.message_id, caught.value.command_id) == (Refusal.TOO_LARGE, *ids)
