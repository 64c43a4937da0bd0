"""Builds the live view of a turn: the only picture of the station that leaves core."""

from dataclasses import replace
from datetime import datetime, timedelta

from siteward.control.decide import Decision
from siteward.control.emergency import state_of
from siteward.model.alarms import ALARMS
from siteward.model.limits import Limit, LimitSource, OnLimitExpiry
from siteward.model.live import (
    AlarmView,
    ArmView,
    ConnectorView,
    EmergencyView,
    FeederView,
    Health,
    LimitView,
    LineView,
    LiveView,
    MeterView,
)
from siteward.model.readings import ChargerReading
from siteward.model.site import Connector, Meter, Site
from siteward.model.snapshot import Snapshot
from siteward.model.units import ZERO, PerPhase
from siteward.model.watch import UNITS


def live_view(
    site: Site,
    snapshot: Snapshot,
    decision: Decision,
    lines: tuple[LineView, ...],
    arms: tuple[ArmView, ...],
    health: Health,
    software: str,
) -> LiveView:
    """Join site, readings and decision of one turn with what lives beside it: wires, arms, core's own figures."""
    return LiveView(
        site=site.id,
        name=site.name,
        at=snapshot.wall,
        clock=snapshot.clock.value,
        software=software,
        site_hash=site.hash,
        feeders=_feeders(site, decision),
        connectors=tuple(_connector(c, snapshot, decision, site.phase_voltage_v) for c in site.connectors),
        meters=tuple(_meter(m, snapshot) for m in site.meters),
        alarms=_alarms(decision),
        lines=lines,
        health=health,
        limits=_limits(site, snapshot, decision),
        arms=arms,
        timezone=site.timezone,
        emergencies=_emergencies(site, snapshot, decision),
    )


def _emergencies(site: Site, snapshot: Snapshot, decision: Decision) -> tuple[EmergencyView, ...]:
    latched = decision.memory.story.book.latched
    return tuple(
        EmergencyView(
            id=stop.id,
            name=stop.name,
            state=state_of(stop, snapshot, stop.id in latched),
            since=latched[stop.id].since if stop.id in latched else None,
            connectors=tuple(sorted(stop.connectors)),
        )
        for stop in site.emergencies
    )


def _limits(site: Site, snapshot: Snapshot, decision: Decision) -> tuple[LimitView, ...]:
    """The installer's limits and those that come and go, lowest first."""
    keep = OnLimitExpiry.KEEP
    fixed = tuple(Limit(s.id, LimitSource.STATIC, s.limit_a, feeder=s.feeder, on_expiry=keep) for s in site.limits)
    return tuple(
        LimitView(
            id=limit.id,
            target=limit.connector or limit.feeder or "",
            limit_a=limit.limit_a,
            source=limit.source.value,
            reason=limit.why.value,
            ends_at=_end(limit, snapshot),
            on_expiry=limit.on_expiry.value,
            failsafe_a=limit.failsafe_a,
        )
        for limit in sorted((*fixed, *decision.limits), key=lambda limit: (min(limit.limit_a), limit.id))
    )


def _end(limit: Limit, snapshot: Snapshot) -> datetime | None:
    """The end by the wall clock, to the second; the end of a demand window is none of its limit."""
    if limit.ends_at is None or limit.source is LimitSource.DEMAND:
        return None
    at = snapshot.wall + timedelta(seconds=limit.ends_at - snapshot.at + 0.5)
    return at.replace(microsecond=0)


def _feeders(site: Site, decision: Decision) -> tuple[FeederView, ...]:
    views = []
    for feeder in site.feeders:
        book = decision.feeders[feeder.id]
        views.append(
            FeederView(
                id=feeder.id,
                name=feeder.name,
                parent=feeder.parent,
                rating_a=feeder.rating_a,
                load_a=book.load_a,
                reserved_a=book.reserved_a,
                base_a=book.base_a,
                meter_age_s=book.meter_age_s,
            )
        )
    return tuple(views)


def _on_feeder_phases(connector: Connector, by_charger: PerPhase | None) -> PerPhase | None:
    if by_charger is None:
        return None
    values = list(ZERO)
    for value, phase in zip(by_charger, connector.wiring, strict=False):
        values[phase.position] = value
    return (values[0], values[1], values[2])


def _connector(connector: Connector, snapshot: Snapshot, decision: Decision, nominal_v: float) -> ConnectorView:
    now = decision.connectors[connector.id]
    reading = snapshot.chargers.get(connector.id) or ChargerReading(connector.id, sent_at=snapshot.at)
    seen = connector.id in snapshot.chargers
    grant = decision.grants[connector.id]
    book = decision.memory.story.book
    held, waits = book.reservations.get(connector.id), book.waiting.get(connector.id)
    return ConnectorView(
        id=connector.id,
        charger=connector.charger,
        feeder=connector.feeder,
        status=now.status,
        suspended_by=now.suspended_by,
        pilot=None if reading.pilot is None else reading.pilot.value,
        online=seen and grant.reachable,
        current_a=_on_feeder_phases(connector, reading.measured_a),
        voltage_v=reading.voltage_v,
        power_w=None if (power := newest_power(connector, snapshot)) is None else power[0],
        energy_wh=reading.energy_wh,
        temperature_c=reading.temperature_c,
        soc_percent=reading.soc_percent,
        age_s=round(snapshot.at - reading.sent_at, 1) if seen else None,
        grant=grant,
        session=None if now.session is None else replace(now.session, charging_s=now.charging_s),
        limit_w=_told_w(connector, grant.limit_a, nominal_v),
        phase_switching=connector.phase_switching,
        reservation=None if held is None else held.reservation.id,
        reserved_until=None if held is None else held.reservation.until,
        out_of_service=connector.id in book.out,
        reserved_left_s=None if held is None else max(0.0, held.ends_at - snapshot.at),
        reserved_card=None if held is None else held.reservation.token,
        reserved_for="" if held is None else held.reservation.who,
        next_reservation=None if waits is None else waits.reservation.id,
        next_card=None if waits is None else waits.reservation.token,
        next_for="" if waits is None else waits.reservation.who,
        cable=None if reading.cable is None else reading.cable.value,
        unlocks=connector.facts.unlock is not None,
    )


def _told_w(connector: Connector, limit_a: float, nominal_v: float) -> float | None:
    power = connector.facts.power
    return None if power is None else round(power.watts(limit_a, nominal_v), 1)


def newest_power(connector: Connector, snapshot: Snapshot) -> tuple[float, float] | None:
    """Active power in W by the charger itself, else by the connector's billing meter, and when it was asked for."""
    reading = snapshot.chargers.get(connector.id)
    if reading is not None and reading.power_w is not None:
        return reading.power_w, reading.sent_at
    billing = None if connector.meter is None else snapshot.meters.get(connector.meter)
    return None if billing is None or billing.power_w is None else (billing.power_w, billing.sent_at)


def offered_w(connector: Connector, limit_a: float, nominal_v: float) -> float:
    """What a limit offers at nominal voltage: of a DC charger what it is told, else all of its phases."""
    told = _told_w(connector, limit_a, nominal_v)
    return limit_a * len(connector.wiring) * nominal_v if told is None else told


def _meter(meter: Meter, snapshot: Snapshot) -> MeterView:
    reading = snapshot.meters.get(meter.id)
    if reading is None:
        return MeterView(meter.id, meter.line, None, None, None, None, None)
    age_s = round(snapshot.at - reading.sent_at, 1)
    return MeterView(
        meter.id, meter.line, reading.current_a, reading.voltage_v, reading.power_w, reading.energy_wh, age_s
    )


def _alarms(decision: Decision) -> tuple[AlarmView, ...]:
    views = []
    for row in decision.alarms:
        alarm, remark = row.alarm, row.remark
        text = ALARMS[alarm.code].about(alarm.subject)
        views.append(
            AlarmView(
                code=alarm.code,
                subject=alarm.subject,
                severity=row.severity,
                raised_at=row.raised_at,
                text_en=text.en,
                text_zh=text.zh,
                count=row.count,
                active=row.active,
                notes=row.notes,
                followers=row.followers,
                rule=None if remark is None else remark.rule,
                value=None if remark is None else round(remark.value, 2),
                bound=None if remark is None else remark.bound,
                unit=None if remark is None else UNITS[remark.what],
            )
        )
    return tuple(views)
