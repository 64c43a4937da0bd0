"""From the tables about who comes in to their frozen values."""

from collections.abc import Iterable

from siteward.model.access import Contact, Lock, Reader, ReaderKind
from siteward.model.auth import AccessRule, AuthRules, OfflinePolicy
from siteward.model.bookings import Bay, EmergencyStop
from siteward.model.ids import BarrierId, ConnectorId, ReaderId
from siteward.model.points import PointName
from siteward.settings.document import Draft
from siteward.settings.entry_tables import AccessRuleTable, AuthTable, BayTable, EmergencyTable, ReaderTable
from siteward.settings.limit_build import minute
from siteward.settings.limit_tables import DAYS


def auth_rules(draft: Draft, platform: bool) -> AuthRules:
    """[auth] and [[access]]."""
    table = next((table for _, table in draft.of("auth", AuthTable)), AuthTable())
    return AuthRules(
        offline=OfflinePolicy(table.offline),
        seen_days=table.seen_days,
        offline_sessions=table.offline_sessions,
        offline_energy_wh=round(table.offline_energy_kwh * 1000.0),
        platform=platform,
        rules=tuple(_rule(table) for _, table in draft.of("access", AccessRuleTable)),
    )


def _rule(table: AccessRuleTable) -> AccessRule:
    return AccessRule(
        id=table.id,
        opens=frozenset(table.opens),
        groups=frozenset(table.groups),
        days=frozenset(DAYS.index(day) for day in table.days),
        begin_min=minute(table.begin),
        end_min=minute(table.end),
    )


def readers(draft: Draft) -> tuple[Reader, ...]:
    """[[reader]]."""
    return tuple(
        Reader(
            id=ReaderId(table.id),
            port=table.port,
            kind=ReaderKind(table.kind),
            baud=table.baud,
            connectors=tuple(ConnectorId(name) for name in table.connectors),
            barrier=None if table.barrier is None else BarrierId(table.barrier),
        )
        for _, table in draft.of("reader", ReaderTable)
    )


def emergencies(draft: Draft, connectors: Iterable[ConnectorId]) -> tuple[EmergencyStop, ...]:
    """[[emergency]]; one that names no connector stops them all."""
    every = frozenset(connectors)
    return tuple(
        EmergencyStop(
            id=table.id,
            name=table.name or table.id,
            contact=Contact(PointName(table.input), not table.normally_closed),
            connectors=frozenset(ConnectorId(name) for name in table.connectors) or every,
        )
        for _, table in draft.of("emergency", EmergencyTable)
    )


def bays(draft: Draft, locks: Iterable[Lock]) -> tuple[Bay, ...]:
    """[[bay]]; its sensor, else that of its connector's lock."""
    sensors = {lock.connector: lock.bay for lock in locks if lock.connector is not None}
    return tuple(
        Bay(
            id=table.id,
            connector=ConnectorId(table.connector),
            sensor=sensors.get(ConnectorId(table.connector))
            if table.sensor is None
            else Contact(PointName(table.sensor), not table.normally_closed),
            blocked_after_s=table.blocked_after_min * 60.0,
            fee_rule=table.fee_rule,
        )
        for _, table in draft.of("bay", BayTable)
    )
