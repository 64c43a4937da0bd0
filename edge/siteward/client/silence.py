"""Which devices are silent now, by core's own standing alarms: counts since the start cannot tell."""

from datetime import datetime

from siteward.client.messages import LiveMessage
from siteward.model.alarms import AlarmCode

_DEVICES = frozenset({AlarmCode.METER_LOST.value, AlarmCode.IO_UNREACHABLE.value})


def silent_now(live: LiveMessage) -> dict[str, datetime]:
    """Silent chargers, feeder meters and input boards by the name that a line's statistics use, and since when."""
    chargers = {connector.id: connector.charger for connector in live.connectors}
    found: dict[str, datetime] = {}
    for alarm in live.alarms:
        device = alarm.subject if alarm.code in _DEVICES else None
        if alarm.code == AlarmCode.CHARGER_UNREACHABLE:
            device = chargers.get(alarm.subject)
        if device is not None:
            found[device] = min(found.get(device, alarm.raised_at), alarm.raised_at)
    return found
