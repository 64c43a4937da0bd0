"""Judges the books from outside: the file of the journal beside the registers of the meters, connector by connector."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siteward.client.bills import recompute
from siteward.model.ids import SessionId
from siteward.store.store import Store
from tests.fixtures.banked import evidence


@dataclass(frozen=True, slots=True)
class Closed:
    """One session as its last event tells it."""

    connector: str
    energy_wh: int
    duration_s: int
    gap: bool
    estimated: bool
    session: str = ""
    segments_wh: int = 0
    total: int = 0


def closed(path: Path) -> list[Closed]:
    """Every `session.finished` of a journal, in its order."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as file:
        rows = file.execute("SELECT text FROM journal WHERE type LIKE 'session.%' ORDER BY seq")
        events = [json.loads(text) for (text,) in rows]
    parts: Counter[str] = Counter()
    for event in events:
        if event["type"] == "session.segment":
            parts[event["sessionId"]] += event["data"]["energy_wh"]
    return [
        Closed(
            event["connectorId"],
            data["energy_wh"],
            data["duration_s"],
            data["gap"],
            data["estimated"],
            event["sessionId"],
            parts[event["sessionId"]],
            data["total"],
        )
        for event in events
        for data in [event["data"]]
        if event["type"] == "session.finished"
    ]


def differences_wh(told: Sequence[Closed], first_wh: Mapping[str, int], last_wh: Mapping[str, float]) -> dict[str, int]:
    """Per connector, what its register counted in whole Wh less what its sessions hold; only where that is not 0."""
    held: Counter[str] = Counter()
    for session in told:
        held[session.connector] += session.energy_wh
    return {name: diff for name in first_wh if (diff := int(last_wh[name]) - first_wh[name] - held[name])}


async def faulty_bills(store: Store, told: Sequence[Closed]) -> dict[str, list[str]]:
    """Sessions whose bill, made again from the journal alone, is not the one that was told, or misses energy (S-15)."""
    wrong: dict[str, list[str]] = {}
    for session in told:
        found = recompute(await evidence(store, SessionId(session.session)))
        faults = [fault.en for fault in found.faults]
        if session.segments_wh != session.energy_wh:
            faults.append(f"segments hold {session.segments_wh} of {session.energy_wh} Wh")
        if faults or not found.holds:
            wrong[session.session] = faults
    return wrong
