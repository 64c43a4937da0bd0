"""Decoded registers of a charger as a reading: status, set point and watchdog in the model's words, pure."""

from siteward.model.ids import ConnectorId
from siteward.model.readings import ChargerReading
from siteward_drivers.decode import Value
from siteward_drivers.modbus_device import Values
from siteward_drivers.profile import Profile
from siteward_drivers.profile_charger import BelowMin, ChargerPart
from siteward_drivers.quantities import Quantity


def charger_reading(connector: ConnectorId, profile: Profile, values: Values) -> ChargerReading:
    """The reading of one poll. A watchdog that is switched off shows as a time-out of 0 s."""
    charger = profile.charger
    rejected = [str(q) for q in values.rejected]
    state = _state(values.raw.get(Quantity.STATUS))
    if state is not None and state not in charger.status.map:
        rejected.append(str(Quantity.STATUS))
        state = None
    set_point = _set_point(charger, values)
    if set_point is None and charger.readback.quantity in values.values:
        rejected.append(str(charger.readback.quantity))
    standby = charger.boot.standby_off
    return ChargerReading(
        connector=connector,
        sent_at=values.sent_at,
        pilot=charger.status.map[state] if state is not None else None,
        charging=state is not None and state in charger.status.charging,
        set_point_a=set_point,
        failsafe_a=_failsafe_a(charger, values),
        failsafe_timeout_s=_timeout_s(charger, values),
        standby_off=values.raw[standby.quantity] == standby.raw if standby and standby.quantity in values.raw else None,
        hardware_max_a=values.number(Quantity.CURRENT_MAX_HW),
        measured_a=values.phases(Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3),
        voltage_v=values.phases(Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3),
        power_w=values.number(Quantity.ACTIVE_POWER_TOTAL),
        energy_wh=values.count(Quantity.ENERGY_IMPORT_TOTAL),
        energy_vah=values.count(Quantity.APPARENT_ENERGY_TOTAL),
        temperature_c=values.number(Quantity.TEMPERATURE),
        soc_percent=values.number(Quantity.STATE_OF_CHARGE),
        restart_mark=_restart_mark(charger, values),
        fault=_fault(charger, state, values),
        rejected=tuple(rejected),
    )


def _state(raw: Value | None) -> str | None:
    return None if raw is None else str(raw)


def _set_point(charger: ChargerPart, values: Values) -> float | None:
    """The limit in force by the register; a value that the device's documents leave open is not known."""
    if any(values.raw.get(c.quantity) == c.raw for c in charger.verbs.paused_when):
        return 0.0
    if any(c.quantity not in values.raw for c in charger.verbs.paused_when):
        return None
    value = values.number(charger.readback.quantity)
    if value is None or value >= charger.limit.min_a:
        return value
    return 0.0 if charger.limit.below_min is BelowMin.PAUSE else None


def _failsafe_a(charger: ChargerPart, values: Values) -> float | None:
    value = values.number(Quantity.FAILSAFE_CURRENT)
    part = charger.failsafe
    if value is None or part is None or value >= part.min_a:
        return value
    return 0.0 if part.encode_stop is not None else None


def _timeout_s(charger: ChargerPart, values: Values) -> float | None:
    part = charger.failsafe
    if part is not None and part.off_code is not None and values.raw.get(Quantity.WATCHDOG_TIMEOUT) == part.off_code:
        return 0.0
    return values.number(Quantity.WATCHDOG_TIMEOUT)


def _restart_mark(charger: ChargerPart, values: Values) -> int | None:
    mark = charger.boot.restart_mark
    return None if mark is None else values.count(mark)


def _fault(charger: ChargerPart, state: str | None, values: Values) -> str | None:
    if state is None or state not in charger.status.faults:
        return None
    flags = values.count(Quantity.ERROR_FLAGS)
    text = charger.status.faults[state]
    return text if not flags else f"{text} (flags {flags:#010x})"
