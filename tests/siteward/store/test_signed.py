"""Signed records through SQLite, the hash chain and the words of the wire: no byte becomes another (fault 81)."""

import base64
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.client.canonical import event_hash
from siteward.client.signed import signed_values
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, SessionId
from siteward.store.open import open_store
from siteward_sync.codec import open_envelope, read_payload, seal
from siteward_sync.protocol.v1 import EventBatch
from siteward_sync.protocol.v1.events import Event
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch

SESSION = SessionId("01KE6BW17GM6Q6Q5K83GTFKTQ1")
ODD = (
    '{"FV" : "1.0",\t"ID":"Zähler №1 \\u00e4 电表 "}'.encode(),
    b'{"RV": 330.290 }\r\n ',
    b"\x00\x01\xff\xfe|not text at all",
    b"",
    random.Random(7).randbytes(4096),
)


def fact(document: bytes) -> Fact:
    """session.signed of a record."""
    data = {"step": "end", "late": False, "signedMeterData": base64.b64encode(document).decode(), "marks": []}
    return Fact(EventType.SESSION_SIGNED, data, ConnectorId("A01-1"), SESSION)


@pytest.mark.parametrize("document", ODD, ids=range(len(ODD)))
async def test_a_record_survives_disk_chain_and_wire(tmp_path: Path, document: bytes) -> None:
    """Reliability page, OCMF: signed values byte for byte, never re-serialised; the hash covers them."""
    store = await open_store(tmp_path / "s.db", RealClock())
    await store.commit(batch(fact(document)))
    await store.close()
    store = await open_store(tmp_path / "s.db", RealClock())
    page = await store.events(0, 10)
    text = page.texts[-1]
    await store.close()
    event = json.loads(text)
    assert signed_values([event])[0].document == document
    assert event["hash"] == event_hash(event, page.journal)
    event["data"]["signedMeterData"] = base64.b64encode(document + b" ").decode()
    assert event["hash"] != event_hash(event, page.journal)


@pytest.mark.parametrize("document", ODD, ids=range(len(ODD)))
def test_the_platform_reads_the_very_bytes(document: bytes) -> None:
    """Contract section 4: `up/events` carries the event as it is hashed."""
    told = {
        "seq": 1,
        "type": "session.signed",
        "occurredAt": "2026-01-05T06:00:24.002Z",
        "clock": "ntp",
        "sessionId": SESSION,
        "data": dict(fact(document).data),
        "prevHash": "0" * 64,
        "hash": "1" * 64,
    }
    payload = EventBatch.model_validate({"journalId": "J1", "ackedSeq": 0, "events": (told,)})
    data = seal("SZ-0001", "M1", datetime(2026, 1, 5, 6, tzinfo=UTC), payload.to_json())
    found = read_payload(open_envelope(data), EventBatch).events[0]
    assert isinstance(found, Event)
    assert base64.b64decode(found.data["signedMeterData"], validate=True) == document
