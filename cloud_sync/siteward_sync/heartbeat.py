"""`up/heartbeat` from the live view, every few seconds, and silence when there is nothing true to say."""

from siteward.client.messages import ArmMessage, ConnectorMessage, LiveMessage, MeterMessage, SessionMessage
from siteward.model.alarms import Severity
from siteward.model.live import ArmKind
from siteward.model.ports import Clock
from siteward.model.sessions import ConnectorStatus, OrderState
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.link import Link
from siteward_sync.live import LiveFeed
from siteward_sync.protocol.v1 import (
    Heartbeat,
    HeartbeatBarrier,
    HeartbeatConnector,
    HeartbeatLock,
    HeartbeatMeter,
    HeartbeatStation,
)
from siteward_sync.speaker import Speaker
from siteward_sync.topics import HEARTBEAT


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _soc(value: float | None) -> int | None:
    """State of charge in whole percent; a car that says 105 % says nothing."""
    return round(value) if value is not None and 0 <= value <= 100 else None


def _session_fields(session: SessionMessage | None) -> dict[str, object]:
    if session is None or not OrderState(session.state).open:
        return {}
    return {
        "session_id": session.id,
        "order_id": session.order,
        "session_energy_wh": session.energy_wh,
        "duration_s": session.charging_s,
        "fee": session.total,
        "currency": None if session.total is None else session.currency,
    }


def connector_now(view: ConnectorMessage) -> HeartbeatConnector:
    """A connector as told to the platform; the cause is the binding one of the grant's chain."""
    in_use = _session_fields(view.session)
    return HeartbeatConnector.model_validate(
        {
            "id": view.id,
            "status": view.status,
            "suspended_by": view.suspended_by,
            "online": view.online,
            "voltage_v": view.voltage_v,
            "current_a": view.current_a,
            "power_w": _whole(view.power_w),
            "energy_wh": view.energy_wh,
            "temperature_c": view.temperature_c,
            "limit_a": view.grant.limit_a,
            "limit_cause": view.grant.chain[0].cause if view.grant.chain else None,
            "soc": _soc(view.soc_percent) if in_use else None,
            "reservation_id": view.reservation,
            "reserved_until": view.reserved_until,
            "next_reservation_id": view.next_reservation,
        }
        | in_use
    )


def _meter_now(view: MeterMessage) -> HeartbeatMeter:
    return HeartbeatMeter(
        id=view.id,
        voltage_v=view.voltage_v,
        current_a=view.current_a,
        power_w=_whole(view.power_w),
        energy_wh=view.energy_wh,
    )


def _barrier_now(view: ArmMessage) -> HeartbeatBarrier:
    return HeartbeatBarrier(
        id=view.id, state=view.state, occupied=view.occupied, blocked_by=view.blocked, emergency=view.emergency
    )


def _lock_now(view: ArmMessage) -> HeartbeatLock:
    return HeartbeatLock(
        id=view.id,
        connector_id=view.connector,
        state=view.state,
        occupied=view.occupied,
        blocked_by=view.blocked,
        waiting=view.waits,
        emergency=view.emergency,
    )


def _station_status(view: LiveMessage) -> ConnectorStatus:
    if any(alarm.severity == Severity.HIGHEST for alarm in view.alarms):
        return ConnectorStatus.FAULTED
    free = any(c.status == ConnectorStatus.AVAILABLE for c in view.connectors)
    return ConnectorStatus.AVAILABLE if free else ConnectorStatus.OCCUPIED


def heartbeat(view: LiveMessage) -> Heartbeat:
    """The heartbeat that a live view stands for."""
    return Heartbeat(
        at=view.at,
        station=HeartbeatStation(
            status=_station_status(view),
            clock=view.clock,
            uptime_s=int(view.health.uptime_s),
            last_seq=view.health.last_seq,
            acked_seq=view.health.acked_seq,
            alarms=len(view.alarms),
        ),
        connectors=tuple(connector_now(c) for c in view.connectors),
        meters=tuple(_meter_now(m) for m in view.meters),
        barriers=tuple(_barrier_now(a) for a in view.arms if a.kind == ArmKind.BARRIER),
        locks=tuple(_lock_now(a) for a in view.arms if a.kind == ArmKind.LOCK),
    )


class Heartbeats:
    """Sends one at once after each connection, then every period_s; one at a time, so that a slow line gets fewer."""

    def __init__(
        self, feed: LiveFeed, link: Link, speaker: Speaker, clock: Clock, station: str, period_s: float
    ) -> None:
        self._feed = feed
        self._link = link
        self._speaker = speaker
        self._clock = clock
        self._station = station
        self._period_s = period_s
        self.sent = 0
        """Heartbeats handed to the network since the start."""

    async def run(self) -> None:
        """Never ends by itself."""
        await self._feed.first.wait()
        while True:
            epoch = await self._link.until_up()
            view = self._feed.fresh()
            if view is not None:
                await self._send(view)
            await self._rest(epoch)

    async def _send(self, view: LiveMessage) -> None:
        try:
            await self._speaker.say(self._station, HEARTBEAT, heartbeat(view).to_json(), qos=0)
            self.sent += 1
        except (LinkDown, PublishRefused):
            return  # QoS 0: the next one says the same, newer

    async def _rest(self, epoch: int) -> None:
        """Wait a period, or less when a new connection wants its first heartbeat."""
        until = self._clock.now() + self._period_s
        while self._clock.now() < until and (self._link.epoch == epoch or not self._link.up):
            await self._clock.sleep(min(0.25, max(0.0, until - self._clock.now())))
