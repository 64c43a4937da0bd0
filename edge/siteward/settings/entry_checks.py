"""Whether rules, readers, emergency stops and bays speak of things that are there, and each of them once."""

from siteward.settings.access_tables import BarrierTable, LockTable
from siteward.settings.document import Draft
from siteward.settings.entry_tables import AccessRuleTable, BayTable, EmergencyTable, ReaderTable
from siteward.settings.faults import nearest
from siteward.settings.input_checks import check_meanings
from siteward.settings.positions import Path
from siteward.settings.schema import LineTable


def check_entry(draft: Draft) -> None:
    """Add every fault of the tables about who comes in; the points are `check_access`'s."""
    connectors = draft.names.get("connector", frozenset())
    barriers = frozenset(table.id for _, table in draft.of("barrier", BarrierTable))
    locks = frozenset(table.id for _, table in draft.of("lock", LockTable))
    for path, rule in draft.of("access", AccessRuleTable):
        for index, name in enumerate(rule.opens):
            _refer(draft, (*path, "opens", index), "connector, barrier or lock", name, connectors | barriers | locks)
        if rule.begin == "24:00":
            draft.faults.add((*path, "begin"), "is the end of a day; write 00:00 of the next one")
    for path, stop in draft.of("emergency", EmergencyTable):
        for index, name in enumerate(stop.connectors):
            _refer(draft, (*path, "connectors", index), "connector", name, connectors)
    bays: dict[str, str] = {}
    for path, bay in draft.of("bay", BayTable):
        _refer(draft, (*path, "connector"), "connector", bay.connector, connectors)
        first = bays.setdefault(bay.connector, bay.id)
        if first != bay.id:
            draft.faults.add((*path, "connector"), f"'{bay.connector}' has bay '{first}' already; one car stands there")
    check_meanings(draft)
    _readers(draft, connectors, barriers)


def _readers(draft: Draft, connectors: frozenset[str], barriers: frozenset[str]) -> None:
    ports = {line.port: f"line '{line.id}'" for _, line in draft.of("line", LineTable)}
    for path, reader in draft.of("reader", ReaderTable):
        first = ports.setdefault(reader.port, f"reader '{reader.id}'")
        if first != f"reader '{reader.id}'":
            draft.faults.add((*path, "port"), f"{first} already owns this port; one port has one master")
        for index, name in enumerate(reader.connectors):
            _refer(draft, (*path, "connectors", index), "connector", name, connectors)
            if name in reader.connectors[:index]:
                draft.faults.add((*path, "connectors", index), f"'{name}' stands here twice; take one out")
        if reader.barrier is not None:
            _refer(draft, (*path, "barrier"), "barrier", reader.barrier, barriers)
        if bool(reader.connectors) is (reader.barrier is not None):
            draft.faults.add((*path, "connectors"), "name the connectors that it serves, or the barrier: one of both")
        if reader.kind == "keys" and "baud" in reader.model_fields_set:
            draft.faults.add((*path, "baud"), "means nothing for a reader that types; take it out")


def _refer(draft: Draft, path: Path, kind: str, name: str, known: frozenset[str]) -> None:
    if name in known:
        return
    near = nearest(name, known)
    hint = f"nearest is '{near}'" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    draft.faults.add(path, f"there is no {kind} '{name}'; {hint}")
