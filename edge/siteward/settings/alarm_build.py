"""The rules of alarms of a site: the shipped ones, changed and added to by the installer's."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from siteward.model.alarms import Severity
from siteward.model.watch import AlarmRule, Figure, Supply, Watched
from siteward.settings.alarm_tables import AlarmTable

_SHIPPED = Path(__file__).parent / "alarms" / "standard.toml"


def shipped() -> Mapping[str, AlarmTable]:
    """The rules that every site starts with, by id."""
    raw = tomllib.loads(_SHIPPED.read_text("utf-8"))
    return {row["id"]: AlarmTable.model_validate(row) for row in raw["alarm"]}


def merged(table: AlarmTable, standard: Mapping[str, AlarmTable]) -> AlarmTable:
    """A rule of the file with what it leaves to the shipped rule of its id."""
    base = standard.get(table.id)
    if base is None:
        return table
    return base.model_copy(update={name: getattr(table, name) for name in table.model_fields_set})


def rules(tables: Iterable[AlarmTable], nominal_v: float) -> tuple[AlarmRule, ...]:
    """Every rule in force, the shipped ones first; one whose band leaves out the site's own voltage is not."""
    standard = shipped()
    own = {table.id: table for table in tables}
    found: list[AlarmRule] = []
    for table in [*(own.get(name, table) for name, table in standard.items()), *own.values()]:
        whole = merged(table, standard)
        foreign = table.id not in own and not holds_nominal(whole, nominal_v)
        if not whole.off and not foreign and table.id not in {rule.id for rule in found}:
            found.append(_rule(whole, table.id in own))
    return tuple(found)


def holds_nominal(table: AlarmTable, nominal_v: float) -> bool:
    """Whether a rule about voltages finds nothing wrong with the site's own."""
    if table.what != Figure.VOLTAGE_V.value:
        return True
    return (table.below is None or table.below < nominal_v) and (table.above is None or table.above > nominal_v)


def _rule(table: AlarmTable, own: bool) -> AlarmRule:
    given: dict[str, Any] = {
        name: value
        for name in (
            "above",
            "below",
            "hysteresis",
            "after_s",
            "clear_after_s",
            "least",
            "profile",
            "device",
            "latched",
        )
        if (value := getattr(table, name)) is not None
    }
    return AlarmRule(
        id=table.id,
        on=Watched(table.on or ""),
        what=Figure(table.what or ""),
        severity=Severity(table.severity or ""),
        supply=None if table.supply is None else Supply(table.supply),
        own=own,
        **given,
    )
