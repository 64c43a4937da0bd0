"""From the tables of boards, barriers and locks to their frozen values."""

from siteward.model.access import Barrier, Contact, DriveKind, Lock, LockKeeps, Motion, OnEmergency
from siteward.model.errors import WeAreWrong
from siteward.model.ids import BarrierId, ConnectorId, LineId, LockId, RelayId
from siteward.model.points import PointName
from siteward.model.ports import ProfileCatalogue
from siteward.model.site import RelayBoard
from siteward.settings.access_tables import ArmTable, BarrierTable, LockTable, RelayTable


def board(table: RelayTable, catalogue: ProfileCatalogue) -> RelayBoard:
    """A relay board. Raises WeAreWrong when a check let an unknown profile through."""
    facts = catalogue.relay(table.profile)
    if facts is None:
        raise WeAreWrong(f"relay profile {table.profile} passed the checks but is not there")
    return RelayBoard(
        id=RelayId(table.id),
        line=LineId(table.line),
        unit=table.unit,
        profile=table.profile,
        facts=facts,
        pairs=tuple(table.pairs),
        watchdog_s=table.watchdog_s,
    )


def barrier(table: BarrierTable) -> Barrier:
    """A boom barrier."""
    reverse = frozenset(table.normally_closed)
    return Barrier(
        id=BarrierId(table.id),
        name=table.name or table.id,
        motion=_motion(table, table.open, table.close),
        loop=_contact("loop", table.loop, reverse),
        arm_closed=_contact("arm_closed", table.arm_closed, reverse),
        arm_open=_maybe("arm_open", table.arm_open, reverse),
        loop_fault=_maybe("loop_fault", table.loop_fault, reverse),
        fault=_maybe("fault", table.fault, reverse),
        fire=_maybe("fire", table.fire, reverse),
        power=_maybe("power", table.power, reverse),
        on_fire=OnEmergency(table.on_fire),
        on_power_loss=OnEmergency(table.on_power_loss),
        proof_cycles=table.proof_cycles,
        stuck_s=table.stuck_s,
    )


def lock(table: LockTable) -> Lock:
    """A parking lock."""
    reverse = frozenset(table.normally_closed)
    return Lock(
        id=LockId(table.id),
        name=table.name or table.id,
        motion=_motion(table, table.down, table.up),
        bay=_contact("bay", table.bay, reverse),
        arm_up=_contact("arm_up", table.arm_up, reverse),
        arm_down=_contact("arm_down", table.arm_down, reverse),
        connector=ConnectorId(table.connector) if table.connector is not None else None,
        fault=_maybe("fault", table.fault, reverse),
        fire=_maybe("fire", table.fire, reverse),
        power=_maybe("power", table.power, reverse),
        on_fire=OnEmergency(table.on_fire),
        on_power_loss=OnEmergency(table.on_power_loss),
        keeps=LockKeeps(table.keeps),
    )


def _motion(table: ArmTable, free: str, block: str) -> Motion:
    return Motion(
        free=PointName(free),
        block=PointName(block),
        stop=PointName(table.stop) if table.stop is not None else None,
        kind=DriveKind(table.drive),
        pulse_s=table.pulse_s,
        travel_s=table.travel_s,
    )


def _contact(role: str, point: str, reverse: frozenset[str]) -> Contact:
    return Contact(PointName(point), role not in reverse)


def _maybe(role: str, point: str | None, reverse: frozenset[str]) -> Contact | None:
    return None if point is None else _contact(role, point, reverse)
