"""Whether each input says one thing: a contact wired once and named twice stops or frees what nobody meant."""

from siteward.settings.access_checks import BARRIER_INPUTS, LOCK_INPUTS
from siteward.settings.access_tables import ArmTable, BarrierTable, LockTable
from siteward.settings.document import Draft
from siteward.settings.entry_tables import BayTable, EmergencyTable
from siteward.settings.limit_tables import LimitTable
from siteward.settings.positions import Path

_FREEING = ("fire", "power")
"""Inputs of arms that free the way: the same contact may stop charging besides."""


def check_meanings(draft: Draft) -> None:
    """Add a fault for each emergency stop and bay whose input means something else already.

    A bay's sensor may be that of its connector's lock, whose bay it is.
    """
    said = _meanings(draft)
    for path, stop in draft.of("emergency", EmergencyTable):
        known = said.get(stop.input)
        if known is not None and not known.endswith(_FREEING):
            _twice(draft, (*path, "input"), stop.input, known)
        said[stop.input] = f"emergency stop '{stop.id}'"
    own = {lock.connector: lock.bay for _, lock in draft.of("lock", LockTable)}
    for path, bay in draft.of("bay", BayTable):
        if bay.sensor is None or own.get(bay.connector) == bay.sensor:
            continue
        if bay.sensor in said:
            _twice(draft, (*path, "sensor"), bay.sensor, said[bay.sensor])
        said[bay.sensor] = f"bay '{bay.id}'"


def _meanings(draft: Draft) -> dict[str, str]:
    """What arms and limits read, by the point."""
    arms: list[tuple[ArmTable, tuple[str, ...]]] = [(b, BARRIER_INPUTS) for _, b in draft.of("barrier", BarrierTable)]
    arms += [(lock, LOCK_INPUTS) for _, lock in draft.of("lock", LockTable)]
    found = {getattr(arm, role): f"{arm.id}.{role}" for arm, roles in arms for role in roles}
    for _, limit in draft.of("limit", LimitTable):
        found |= {step.point: f"limit '{limit.id}'" for step in limit.input}
    return found


def _twice(draft: Draft, where: Path, point: str, first: str) -> None:
    draft.faults.add(where, f"'{point}' is read as {first} already; an input says one thing")
