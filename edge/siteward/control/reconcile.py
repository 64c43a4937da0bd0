"""Energy of each metered feeder against that of its sessions, by quarters of an hour (S-30)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from siteward.control.session import stamp
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId, FeederId, MeterId, SessionId
from siteward.model.sessions import SessionRecord
from siteward.model.site import Feeder, Meter, Site
from siteward.model.snapshot import Snapshot

QUARTER = timedelta(minutes=15)

WHOLE_S = 5.0
"""A quarter counts when its books were opened so soon after it began, and closed so soon after it ended."""

FRESH_S = 10.0
"""Age from which a register says nothing of this instant any more."""

_QUARTER_H = QUARTER.total_seconds() / 3600.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Energy of one session so far, Wh; None while a register of it is unknown."""

    connector: ConnectorId
    energy_wh: int | None


@dataclass(frozen=True, slots=True)
class Books:
    """What the books of a quarter began with, and the sessions that ended in it; begins_at None: no quarter is open."""

    begins_at: datetime | None = None
    whole: bool = False
    meters: Mapping[MeterId, int] = field(default_factory=dict)
    sessions: Mapping[SessionId, Counted] = field(default_factory=dict)
    ended: Mapping[SessionId, Counted] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Closed:
    """The books after a turn; facts and drifts (percent, Wh) only where a whole quarter ended, drifts None else."""

    books: Books
    facts: tuple[Fact, ...] = ()
    drifts: Mapping[FeederId, tuple[float, float]] | None = None


def quarter_of(wall: datetime) -> datetime:
    """Begin of the quarter of an hour that an instant lies in, UTC."""
    utc = wall.astimezone(UTC)
    return utc.replace(minute=utc.minute - utc.minute % 15, second=0, microsecond=0)


def keep_books(
    site: Site,
    books: Books,
    snapshot: Snapshot,
    open_now: Mapping[ConnectorId, SessionRecord | None],
    rows: Iterable[SessionRecord],
) -> Closed:
    """One turn: note the sessions that ended, and close the quarter when it is over. Nothing is counted untimed."""
    over = {row.id: Counted(row.connector, row.energy_wh) for row in rows if not row.state.open}
    if over:
        books = Books(books.begins_at, books.whole, books.meters, books.sessions, {**books.ended, **over})
    if not snapshot.clock.trusted:
        return Closed(Books())
    begins_at = quarter_of(snapshot.wall)
    if begins_at == books.begins_at:
        return Closed(books)
    late_s = (snapshot.wall - begins_at).total_seconds()
    sessions = {row.id: Counted(name, row.energy_wh) for name, row in open_now.items() if row is not None}
    fresh = Books(begins_at, late_s <= WHOLE_S, _registers(snapshot), sessions)
    follows = books.begins_at is not None and begins_at - books.begins_at == QUARTER
    if not (books.whole and follows and fresh.whole):
        return Closed(fresh)
    return _close(site, books, fresh, snapshot)


def _registers(snapshot: Snapshot) -> dict[MeterId, int]:
    oldest = snapshot.at - FRESH_S
    return {
        name: reading.energy_wh
        for name, reading in snapshot.meters.items()
        if reading.energy_wh is not None and reading.sent_at >= oldest
    }


def _close(site: Site, books: Books, fresh: Books, snapshot: Snapshot) -> Closed:
    growth = _growth(books, fresh)
    facts, drifts = [], {}
    meters = {meter.id: meter for meter in site.meters}
    for feeder in site.feeders:
        if feeder.meter is None:
            continue
        data, drift = _reconcile(site, feeder, meters[feeder.meter], books, fresh, growth)
        facts.append(Fact(EventType.ENERGY_RECONCILED, data, occurred_at=snapshot.wall))
        if drift is not None:
            drifts[feeder.id] = drift
    return Closed(fresh, tuple(facts), drifts)


def _growth(books: Books, fresh: Books) -> dict[ConnectorId, int | None]:
    """Energy of all sessions at each connector in the quarter; None where one of them could not be counted."""
    found: dict[ConnectorId, int | None] = {}
    for name, now in {**fresh.sessions, **books.ended}.items():
        before = books.sessions.get(name)
        begun = before.energy_wh if before is not None else 0
        grown = None if now.energy_wh is None or begun is None else now.energy_wh - begun
        known = found.get(now.connector, 0)
        found[now.connector] = None if known is None or grown is None else known + grown
    return found


def _reconcile(
    site: Site, feeder: Feeder, meter: Meter, books: Books, fresh: Books, growth: Mapping[ConnectorId, int | None]
) -> tuple[dict[str, object], tuple[float, float] | None]:
    below = [c.id for c in site.connectors if feeder.id in {f.id for f in site.path(c.feeder)}]
    uncounted = sorted(name for name in below if name in growth and growth[name] is None)
    sessions_wh = sum(growth.get(name) or 0 for name in below)
    feeder_wh = _grown(meter, books.meters.get(meter.id), fresh.meters.get(meter.id))
    data: dict[str, object] = {
        "feeder": feeder.id,
        "meter": meter.id,
        "begin": stamp(books.begins_at),
        "end": stamp(fresh.begins_at),
        "feeder_wh": feeder_wh,
        "sessions_wh": sessions_wh,
        "chargersOnly": feeder.chargers_only,
    }
    if uncounted:
        data["uncounted"] = list(uncounted)
    if feeder_wh is None or uncounted or feeder.generation:
        return data, None
    drift_wh = _drift(site, feeder, feeder_wh, sessions_wh)
    most_wh = max(feeder_wh, sessions_wh)
    percent = round(100.0 * abs(drift_wh) / most_wh, 2) if most_wh else 0.0
    data |= {"drift_wh": drift_wh, "driftPercent": percent}
    return data, (percent, float(most_wh))


def _grown(meter: Meter, before: int | None, after: int | None) -> int | None:
    """Register difference over one rollover; None where a register is unknown or ran backwards."""
    if before is None or after is None:
        return None
    grown = after - before
    if grown < 0 and meter.facts.rollover_wh is not None:
        grown += meter.facts.rollover_wh
    return grown if grown >= 0 else None


def _drift(site: Site, feeder: Feeder, feeder_wh: int, sessions_wh: int) -> int:
    """What cannot be explained, Wh: of chargers alone every difference, else what lies beyond the other load."""
    other_wh = feeder_wh - sessions_wh
    if feeder.chargers_only:
        return other_wh
    most_wh = round(sum(feeder.worst_base_load_a) * site.phase_voltage_v * _QUARTER_H)
    return other_wh if other_wh < 0 else max(0, other_wh - most_wh)
