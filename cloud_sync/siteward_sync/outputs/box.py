"""What waits for one output: gathered, bounded, and tried again with growing pauses; pure, time is given."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from siteward.client.records import AlarmRecordMessage
from siteward.model.alarms import AlarmCode, Severity
from siteward.model.events import EventType
from siteward_sync.outputs.options import OutputOptions
from siteward_sync.protocol.v1.base import rfc3339

NOTICES_MAX = 200
"""Most notices that wait; the oldest go first and are counted."""

GROUP_MOST_S = 120.0
"""A stream of alarms does not hold the first one back for longer."""

RETRY_FIRST_S, RETRY_MOST_S = 5.0, 900.0
FAILING_TRIES = 2
"""Tries in a row after which an output counts as failing."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell: an alarm that rose or ended, by the event of the journal."""

    seq: int
    ended: bool
    at: str
    code: str
    subject: str
    severity: str
    text_en: str
    text_zh: str
    raised_at: str
    followers: tuple[str, ...] = ()
    figure: str = ""
    by: str = ""


@dataclass(slots=True)
class Box:
    """The waiting notices of one output; _told are the alarms whose end is worth telling, _before those that an earlier
    life told, by when they rose as well."""

    options: OutputOptions
    waiting: deque[Notice] = field(default_factory=deque)
    left_out: int = 0
    tries: int = 0
    error: str = ""
    _first_at: float = 0.0
    _due_at: float = 0.0
    _told: dict[tuple[str, str], Notice] = field(default_factory=dict)
    _before: dict[tuple[str, str, str], Notice] = field(default_factory=dict)

    def recall(self, rows: Iterable[AlarmRecordMessage]) -> None:
        """Know the alarms of these records, so that the end of what was delivered before a restart is told."""
        for row in rows:
            if row.raised_at is not None and self._wants(row.severity):
                raised_at = rfc3339(row.raised_at)
                key = (row.code, row.subject, raised_at)
                texts = (row.severity, row.text_en, row.text_zh, raised_at)
                self._before[key] = Notice(0, False, raised_at, row.code, row.subject, *texts)

    def put(self, event: Mapping[str, Any], at: float) -> None:
        """Take an event of the journal, if this output tells of such."""
        notice = self._notice(event)
        if notice is None:
            return
        if not self.waiting:
            self._first_at = at
        self.waiting.append(notice)
        while len(self.waiting) > NOTICES_MAX:
            self.waiting.popleft()
            self.left_out += 1
        if not self.tries:
            urgent = notice.severity == Severity.HIGHEST and not notice.ended
            gathered = min(at + self.options.group_s, self._first_at + GROUP_MOST_S)
            self._due_at = at if urgent else gathered

    def wait_s(self, at: float) -> float | None:
        """Seconds until something is to be sent, None while nothing waits."""
        return max(0.0, self._due_at - at) if self.waiting else None

    def batch(self) -> tuple[Notice, ...]:
        """All that waits."""
        return tuple(self.waiting)

    def sent(self, batch: tuple[Notice, ...], at: float) -> None:
        """The batch has arrived; what came meanwhile is gathered anew."""
        for notice in batch:
            # The oldest may have been left out meanwhile; numbers say nothing over two journals.
            if self.waiting and self.waiting[0] is notice:
                self.waiting.popleft()
        self.left_out = self.tries = 0
        self.error = ""
        self._first_at, self._due_at = at, at + self.options.group_s

    def failed(self, error: str, at: float, dice: float) -> None:
        """The batch has not arrived; the next try comes after a growing pause, spread by dice (0..1)."""
        self.tries += 1
        self.error = error
        pause = min(RETRY_MOST_S, RETRY_FIRST_S * 2.0 ** min(self.tries - 1, 16))
        self._due_at = at + pause * (0.5 + dice / 2.0)

    @property
    def failing(self) -> bool:
        """Whether somebody should know that nothing gets through."""
        return self.tries >= FAILING_TRIES

    def _notice(self, event: Mapping[str, Any]) -> Notice | None:
        data = dict(event.get("data") or {})
        key = (str(data.get("code", "")), str(data.get("subject", "")))
        if key == (AlarmCode.OUTPUT_FAILED.value, self.options.id):
            return None
        if event.get("type") == EventType.ALARM_RAISED:
            return self._risen(event, data, key)
        if event.get("type") == EventType.ALARM_CLEARED:
            earlier = self._before.pop((*key, str(data.get("raisedAt", ""))), None)
            risen = self._told.pop(key, earlier)
            return _ended(event, data, risen) if risen is not None and self.options.ends else None
        return None

    def _wants(self, severity: str) -> bool:
        return severity in set(Severity) and Severity(severity).rank <= self.options.severity.rank

    def _risen(self, event: Mapping[str, Any], data: Mapping[str, Any], key: tuple[str, str]) -> Notice | None:
        severity = str(data.get("severity", ""))
        if not self._wants(severity):
            return None
        at = str(event.get("occurredAt", ""))
        notice = Notice(
            seq=int(event["seq"]),
            ended=False,
            at=at,
            code=key[0],
            subject=key[1],
            severity=severity,
            text_en=str(data.get("textEn", "")),
            text_zh=str(data.get("textZh", "")),
            raised_at=str(data.get("raisedAt", at)),
            followers=tuple(str(name) for name in data.get("followers", ())),
            figure=f"{data['figure']} {data['value']:g} (bound {data['bound']:g})" if "figure" in data else "",
        )
        self._told[key] = notice
        return notice


def _ended(event: Mapping[str, Any], data: Mapping[str, Any], risen: Notice) -> Notice:
    actor = data.get("actor")
    by = str(actor.get("user", "")) if isinstance(actor, dict) else ""
    return Notice(
        seq=int(event["seq"]),
        ended=True,
        at=str(event.get("occurredAt", "")),
        code=risen.code,
        subject=risen.subject,
        severity=risen.severity,
        text_en=risen.text_en,
        text_zh=risen.text_zh,
        raised_at=risen.raised_at,
        by=by,
    )
