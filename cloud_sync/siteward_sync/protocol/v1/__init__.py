"""Contract v1: one module a direction of meaning, all re-exported here."""

from siteward_sync.protocol.v1.base import PROTOCOL_VERSION, Envelope, Head, Wire
from siteward_sync.protocol.v1.commands import Ack, Command, Reply, SignedCommand
from siteward_sync.protocol.v1.events import Event, EventBatch, Stub
from siteward_sync.protocol.v1.heartbeat import (
    Heartbeat,
    HeartbeatBarrier,
    HeartbeatConnector,
    HeartbeatLock,
    HeartbeatMeter,
    HeartbeatStation,
)
from siteward_sync.protocol.v1.site import (
    SiteBarrier,
    SiteCharger,
    SiteConnector,
    SiteFeeder,
    SiteInventory,
    SiteLock,
    SiteMeter,
)
from siteward_sync.protocol.v1.status import Status

__all__ = [
    "PROTOCOL_VERSION",
    "Ack",
    "Command",
    "Envelope",
    "Event",
    "EventBatch",
    "Head",
    "Heartbeat",
    "HeartbeatBarrier",
    "HeartbeatConnector",
    "HeartbeatLock",
    "HeartbeatMeter",
    "HeartbeatStation",
    "Reply",
    "SignedCommand",
    "SiteBarrier",
    "SiteCharger",
    "SiteConnector",
    "SiteFeeder",
    "SiteInventory",
    "SiteLock",
    "SiteMeter",
    "Status",
    "Stub",
    "Wire",
]
