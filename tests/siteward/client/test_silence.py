"""Who is silent now: by core's alarms, in the words of the wires' statistics."""

from datetime import UTC, datetime

from siteward.client.messages import AlarmMessage
from siteward.client.silence import silent_now
from tests.fixtures.depot import Depot

AT = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)


def alarm(code: str, subject: str) -> AlarmMessage:
    """A standing alarm."""
    return AlarmMessage(code=code, subject=subject, severity="high", raised_at=AT, text_en="", text_zh="")


def test_alarms_name_devices_as_the_wires_do() -> None:
    """Contract 3: a connector's alarm is its charger's silence; alarms of another kind silence nobody."""
    live = Depot().live()
    alarms = (
        alarm("CHARGER_UNREACHABLE", "A01-1"),
        alarm("METER_LOST", "grid-meter"),
        alarm("IO_UNREACHABLE", "ways"),
        alarm("CHARGER_FAULT", "A02-1"),
        alarm("CHARGER_UNREACHABLE", "gone"),
    )
    assert silent_now(live.model_copy(update={"alarms": alarms})) == {"A01": AT, "grid-meter": AT, "ways": AT}
