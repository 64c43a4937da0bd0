"""What the alarm pages say of a record: who did something, and how long an alarm stood."""

from datetime import datetime

from siteward.client.messages import HandlingMessage
from siteward.client.records import AlarmRecordMessage
from siteward.panel import vocabulary as v
from siteward.panel.text import one_of


def who(handling: HandlingMessage, language: str) -> str:
    """The person, or where the word came from."""
    return handling.user or one_of(v.SOURCES, handling.source, language)


def lasted(row: AlarmRecordMessage) -> float | None:
    """How long an ended alarm stood, s; None where its begin is not known."""
    if row.raised_at is None or row.cleared_at is None:
        return None
    return max(0.0, (row.cleared_at - row.raised_at).total_seconds())


def stamp(moment: datetime) -> str:
    """The instant as core's facts write it, so that a form names exactly the alarm that was seen."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
