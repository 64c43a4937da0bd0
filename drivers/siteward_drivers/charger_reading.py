"""Decoded registers of a charger as a reading: status, set point and watchdog in the model's words, pure."""

import math

from siteward.model.facts import Readback
from siteward.model.ids import ConnectorId
from siteward.model.readings import Cable, ChargerReading
from siteward_drivers.decode import Value
from siteward_drivers.modbus_device import Values
from siteward_drivers.profile import Profile
from siteward_drivers.profile_charger import BelowMin, ChargerPart, PhasesPart
from siteward_drivers.profile_verbs import UnlockPart
from siteward_drivers.quantities import Quantity, Unit

_SLACK = 1e-6
_ROUNDING_A = 0.05
"""What a limit in whole W may lie below the A that it was made from."""


def charger_reading(
    connector: ConnectorId, profile: Profile, values: Values, nominal_v: float = 230.0
) -> ChargerReading:
    """The reading of one poll. A watchdog that is switched off shows as a time-out of 0 s.

    `nominal_v` is the site's phase voltage, for devices that are limited in W.
    """
    charger = profile.charger
    rejected = [str(q) for q in values.rejected]
    state = _state(values.raw.get(Quantity.STATUS))
    if state is not None and state not in charger.status.map:
        rejected.append(str(Quantity.STATUS))
        state = None
    set_point = _set_point(profile, values, nominal_v)
    pilot, charging = charger.status.judge(state, values.raw) if state is not None else (None, False)
    if set_point is None and charger.readback.quantity in values.values:
        rejected.append(str(charger.readback.quantity))
    standby = charger.boot.standby_off
    return ChargerReading(
        connector=connector,
        sent_at=values.sent_at,
        pilot=pilot,
        charging=charging,
        set_point_a=set_point,
        failsafe_a=_failsafe_a(charger, values, nominal_v),
        failsafe_timeout_s=_timeout_s(charger, values),
        standby_off=values.raw[standby.quantity] == standby.raw if standby and standby.quantity in values.raw else None,
        hardware_max_a=values.number(Quantity.CURRENT_MAX_HW),
        measured_a=values.phases(Quantity.CURRENT_L1, Quantity.CURRENT_L2, Quantity.CURRENT_L3),
        voltage_v=values.phases(Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3),
        power_w=values.number(Quantity.ACTIVE_POWER_TOTAL),
        energy_wh=values.count(Quantity.ENERGY_IMPORT_TOTAL),
        energy_at=values.aged.get(Quantity.ENERGY_IMPORT_TOTAL),
        energy_vah=values.count(Quantity.APPARENT_ENERGY_TOTAL),
        temperature_c=values.number(Quantity.TEMPERATURE),
        soc_percent=values.number(Quantity.STATE_OF_CHARGE),
        restart_mark=_restart_mark(charger, values),
        fault=_fault(charger, state, values),
        rejected=tuple(rejected),
        phases_closed=_phases_closed(charger.phases, values),
        cable=_cable(charger.unlock, values),
    )


def _phases_closed(part: PhasesPart, values: Values) -> int | None:
    """1 or 3 by the contactor state; anything that the profile does not name is not known."""
    if part.contactor_state is None or part.contactor_state not in values.raw:
        return None
    return {part.shows_one: 1, part.shows_all: 3}.get(values.count(part.contactor_state))


def _cable(part: UnlockPart | None, values: Values) -> Cable | None:
    """The lock by its own register; a device without one can only say that it did not let go."""
    if part is None:
        return None
    if part.shows is not None:
        return part.cable(values.raw.get(part.shows))
    flags = values.count(Quantity.ERROR_FLAGS) if part.stuck else None
    return Cable.LOCKED if flags is not None and flags & part.stuck else None


def _state(raw: Value | None) -> str | None:
    return None if raw is None else str(raw)


def _set_point(profile: Profile, values: Values, nominal_v: float) -> float | None:
    """The limit in force by the register; a value that the device's documents leave open is not known."""
    charger = profile.charger
    lifted = charger.limit.no_limit_code
    if any(values.raw.get(c.quantity) == c.raw for c in charger.verbs.paused_when):
        return 0.0
    if any(c.quantity not in values.raw for c in charger.verbs.paused_when):
        return None
    shown = values.number(charger.readback.quantity)
    if shown is None or (lifted is not None and values.raw[charger.readback.quantity] == lifted):
        return None
    if charger.readback.kind is Readback.ECHO and values.raw[charger.readback.quantity] == charger.verbs.pause_raw:
        return 0.0
    watts = charger.limit.unit is Unit.W
    value = _granted(profile, shown, nominal_v) if watts else shown
    if value >= charger.least_a(nominal_v) - _ROUNDING_A * watts:
        return value
    none_at_all = charger.readback.kind is Readback.EFFECTIVE and value == 0.0
    return 0.0 if none_at_all or charger.limit.below_min is BelowMin.PAUSE else None


def _granted(profile: Profile, shown_w: float, nominal_v: float) -> float:
    """The limit that a register in W was written for: it is compared in W, since whole W are less than the A asked."""
    charger = profile.charger
    exact = charger.in_amps(Unit.W, shown_w, nominal_v)
    step_a, point = charger.limit.step_a, profile.file.points[charger.readback.quantity]
    step_w = point.step or point.scale
    asked = round(math.ceil(exact / step_a - _SLACK) * step_a, 6)
    written_w = math.floor(charger.in_register(Unit.W, asked, nominal_v) / step_w + _SLACK) * step_w
    return asked if abs(written_w - shown_w) < step_w / 2 else exact


def _failsafe_a(charger: ChargerPart, values: Values, nominal_v: float) -> float | None:
    part = charger.failsafe
    if part is None:
        return None
    # Where vehicles of one phase have a fall-back of their own, the larger one counts.
    currents = [values.number(q) for q in part.shown if q in (part.shown_current, Quantity.FAILSAFE_CURRENT_1PH)]
    known = [current for current in currents if current is not None]
    if len(known) < len(currents):
        return None
    watts = charger.limit.unit is Unit.W
    value = charger.in_amps(charger.limit.unit, max(known), nominal_v)
    if value >= part.min_a - _ROUNDING_A * watts:
        return value
    stops = part.encode_stop is not None and values.raw[part.shown_current] != part.off_current
    return 0.0 if stops else None


def _timeout_s(charger: ChargerPart, values: Values) -> float | None:
    """The time by the registers: 0 where anything switches the watchdog off, None where that is not known."""
    part = charger.failsafe
    if part is None:
        return None
    raw = values.raw
    if any(quantity not in raw for quantity in part.shown):
        return None
    off = part.off_code is not None and raw.get(part.shown_timeout) == part.off_code
    off = off or (part.off_current is not None and raw[part.shown_current] == part.off_current)
    if off or any(raw[quantity] != needed for quantity, needed in part.fixed.items()):
        return 0.0
    if part.timeout_fixed:
        return part.timeout_s
    shown = values.number(part.shown_timeout)
    return part.timeout_s if shown is not None and part.counts_down and shown <= part.timeout_s else shown


def _restart_mark(charger: ChargerPart, values: Values) -> int | None:
    mark = charger.boot.restart_mark
    return None if mark is None else values.count(mark)


def _fault(charger: ChargerPart, state: str | None, values: Values) -> str | None:
    if state is None or state not in charger.status.faults:
        return None
    flags = values.count(Quantity.ERROR_FLAGS)
    text = charger.status.faults[state]
    return text if not flags else f"{text} (flags {flags:#010x})"
