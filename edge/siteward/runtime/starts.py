"""Guards against our own crash loop: starts that never reached a steady turn make the next one begin in silence."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from siteward.control.session import stamp
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.recovered import Recovered
from siteward.model.site import Connector, Site
from siteward.model.wire import Write, WriteKind

WINDOW_S = 600.0
"""Starts older than this are forgotten; several silences of the longest watchdogs fit in."""

STEADY_S = 10.0
"""Turns must have completed for this long before a start counts as good."""

FIRST_WORDS_S = 2.0
"""How long the first words of a start after a silence may take."""

_MARGIN_S = 10.0
_TRIES = 2


class StartRecord:
    """Keeps the boot-time instants of starts that never became steady, in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._open = True

    def begin(self, now: float) -> int:
        """Note this start; returns how many starts before it, within the window, never became steady."""
        before = [at for at in self._read() if now - WINDOW_S < at <= now]
        self._write([*before, now])
        return len(before)

    def steady(self, running_s: float) -> None:
        """Forget all starts once turns have run long enough."""
        if self._open and running_s >= STEADY_S:
            self._open = False
            self._write([])

    def _read(self) -> list[float]:
        try:
            found = json.loads(self._path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return []
        return [float(at) for at in found if isinstance(at, int | float)] if isinstance(found, list) else []

    def _write(self, starts: list[float]) -> None:
        fresh = self._path.with_suffix(".new")
        try:
            fresh.write_text(json.dumps(starts), encoding="ascii")
            fresh.replace(self._path)
        except OSError:
            # A disk that takes no record must not keep the site from being protected.
            return


def last_alive(folder: Path) -> datetime | None:
    """When the life before this one wrote its last record there; None where there was none.

    A running core writes at least twice a minute (the trace), so that a report knows until when it lived. Ask before
    anything of this life is opened.
    """
    records = (folder / f"{name}.db{tail}" for name in ("siteward", "trace") for tail in ("", "-wal"))
    written = [file.stat().st_mtime for file in records if file.is_file()]
    return datetime.fromtimestamp(max(written), UTC) if written else None


def birth(site: Site, software: str, wall: datetime, alive_at: datetime | None) -> Fact:
    """What the journal says first of a life: between two lives nothing is known (S-26)."""
    data: dict[str, object] = {"software": software, "siteHash": site.hash}
    if alive_at is not None:
        data["aliveAt"] = stamp(alive_at)
    return Fact(EventType.AUDIT_STARTED, data, occurred_at=wall)


def silence_s(connectors: Iterable[Connector], unsteady_starts: int) -> float:
    """Seconds to say nothing on any wire before this start.

    Polls of a start that dies before its first act would feed every watchdog that any request re-arms, and hold the
    chargers at whatever they had for as long as the loop goes on. So after two such starts each further one lets the
    watchdogs end first (R2, R7).
    """
    if unsteady_starts < _TRIES:
        return 0.0
    watchdogs = [c.facts.failsafe for c in connectors if c.facts.failsafe is not None]
    return max((w.timeout_s * (1 + w.tolerance) for w in watchdogs), default=0.0) + _MARGIN_S


def first_words(connectors: Iterable[Connector], recovered: Recovered, now: float) -> tuple[Write, ...]:
    """What a start after a silence says before it asks anything: min(last limit, fail-safe current) to everybody.

    A charger may go back to its old set point with the first request that it hears. Should this start die like those
    before it, the polls that it made must not have brought the old limit back (R2). Unknown last limits are a pause.
    """
    told: dict[ConnectorId, float] = {}
    for row in recovered.ledger:
        if row.confirmed_a is not None:
            told[row.connector] = max(row.confirmed_a, row.highest_in_flight_a or 0.0)
    return tuple(
        Write(c.id, WriteKind.LIMIT, min(told.get(c.id, 0.0), c.failsafe_a), False, 0, now + FIRST_WORDS_S)
        for c in connectors
    )
