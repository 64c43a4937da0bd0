"""`sessions`, `events` and `journal verify`: what the station wrote down, and whether anybody changed it since."""

from typing import Any

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen, brief
from siteward.cli.shelf import Records
from siteward.client.bill_text import fee
from siteward.client.canonical import FIRST_HASH, event_hash
from siteward.client.messages import SessionMessage

_PAGE = 500


async def sessions(records: Records, screen: Screen, limit: int) -> int:
    """Show the newest sessions."""
    rows = await records.sessions(limit=limit)
    if screen.as_json:
        screen.data([row.model_dump(mode="json", by_alias=True) for row in rows])
        return 0
    columns = ("session", "connector", "state", "started", "kWh", "fee", "reason", "source")
    screen.show([Grid("", columns, [_session(row) for row in rows], frozenset({"kWh", "fee"}))])
    return 0


def _session(row: SessionMessage) -> tuple[str, ...]:
    energy = "" if row.energy_wh is None else f"{row.energy_wh / 1000:.3f}" + (" est." if row.estimated else "")
    started = f"{row.started_at:%Y-%m-%d %H:%M:%S}" if row.started_at is not None else ""
    cost = fee(row.total, row.currency)
    return row.id, row.connector, row.state, started, energy, cost, row.stop_reason or "", row.source


async def events(records: Records, screen: Screen, after: int | None, limit: int, follow: bool) -> int:
    """Show journal events: the newest `limit`, or those after a sequence number; `follow` waits for more."""
    if after is None:
        after = max(0, (await records.events(after=0, limit=1)).last_seq - limit)
    while True:
        batch = await records.events(after=after, limit=min(limit, _PAGE), wait_s=20 if follow else 0)
        for event in batch.events:
            after = int(event["seq"])
            if screen.as_json:
                screen.data(event)
            else:
                screen.show([_event(event)])
        if not follow:
            return 0


def _event(event: dict[str, Any]) -> str:
    about = " ".join(str(event[key]) for key in ("connectorId", "sessionId", "orderId") if event.get(key))
    data = " ".join(f"{key}={brief(value)}" for key, value in dict(event.get("data", {})).items() if value is not None)
    return f"{event['seq']:>6} {event['occurredAt']} {event['type']} {about} {data}".rstrip()


async def verify(records: Records, screen: Screen) -> int:
    """Walk the whole journal and recompute every hash. Raises CommandFailed at the first event that does not hold."""
    last = (await records.events(after=0, limit=1)).last_seq
    seq, previous, journal, stubs = 0, FIRST_HASH, "", 0
    with screen.progress("checking events", last) as step:
        while seq < last:
            batch = await records.events(after=seq, limit=_PAGE)
            if not batch.events:
                raise _broken(seq + 1, f"the journal ends here, but should have {last} events")
            for event in batch.events:
                stubs += event.get("type") == "journal.stub"
                previous = _link(event, seq + 1, previous, batch.journal_id)
                seq += 1
            journal = batch.journal_id
            step(seq)
    if screen.as_json:
        screen.data({"journalId": journal, "events": seq, "stubs": stubs, "lastHash": previous, "holds": True})
    else:
        tail = f", {stubs} of them past their retention, known by hash only" if stubs else ""
        screen.show([f"{seq} events hold{tail}; last hash {previous}"])
    return 0


def _link(event: dict[str, Any], seq: int, previous: str, journal: str) -> str:
    """Check one event against its place and return its hash."""
    if event.get("seq") != seq:
        raise _broken(seq, f"event {event.get('seq')} stands in its place")
    if event.get("type") == "journal.stub":
        return str(event.get("hash"))
    if event.get("prevHash") != previous:
        raise _broken(seq, "it does not follow the event before it")
    if event_hash(event, journal) != event.get("hash"):
        raise _broken(seq, "its content is not what was hashed")
    return str(event["hash"])


def _broken(seq: int, why: str) -> CommandFailed:
    return CommandFailed(
        f"event {seq} does not hold: {why}",
        "keep a copy of the database and call the operator: somebody or something changed the journal",
        "JOURNAL_BROKEN",
    )
