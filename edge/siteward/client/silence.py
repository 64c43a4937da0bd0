"""Which devices are silent now, by core's own standing alarms: counts since the start cannot tell."""

from datetime import datetime

from siteward.client.messages import LiveMessage
from siteward.model.alarms import AlarmCode

_DEVICES = frozenset({AlarmCode.METER_LOST.value, AlarmCode.METER_OFFLINE.value, AlarmCode.IO_UNREACHABLE.value})
_CHARGERS = frozenset({AlarmCode.CHARGER_UNREACHABLE.value, AlarmCode.CHARGER_OFFLINE.value})
_MANY = frozenset({AlarmCode.LINE_LOST.value, AlarmCode.MASS_DISCONNECTION.value})


def silent_now(live: LiveMessage) -> dict[str, datetime]:
    """Silent chargers, feeder meters and input boards by the name that a line's statistics use, and since when."""
    chargers = {connector.id: connector.charger for connector in live.connectors}
    found: dict[str, datetime] = {}
    for alarm in live.alarms:
        devices: tuple[str, ...] = ()
        if alarm.code in _DEVICES:
            devices = (alarm.subject,)
        elif alarm.code in _CHARGERS:
            devices = (chargers[alarm.subject],) if alarm.subject in chargers else ()
        elif alarm.code in _MANY:
            devices = tuple(chargers.get(name, name) for name in alarm.followers)
        for device in devices:
            found[device] = min(found.get(device, alarm.raised_at), alarm.raised_at)
    return found
