"""Instants as others write them, read so that no later look at them can fail."""

from datetime import UTC, datetime, tzinfo


def instant(text: str, zone: tzinfo) -> datetime:
    """A time of RFC 3339 in UTC; one without an offset is a time of `zone`.

    Raises ValueError for what is no time, and for one that falls out of the years 1 to 9999 on its way to UTC.
    """
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999") from error
