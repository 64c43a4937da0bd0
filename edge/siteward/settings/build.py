"""From the well-formed tables of a site file to the frozen Site and the settings of the processes."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from siteward.model.alarms import Severity
from siteward.model.errors import WeAreWrong
from siteward.model.facts import ChargerFacts, MeterFacts
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.points import PointName
from siteward.model.ports import ProfileCatalogue
from siteward.model.serial import LinkKind, SerialSettings
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Parity, Priority, Site
from siteward.model.tariff import Pricing
from siteward.model.units import ZERO, Phase
from siteward.settings import entry_build as entry
from siteward.settings.access_build import barrier, board, lock
from siteward.settings.access_tables import BarrierTable, LockTable, RelayTable
from siteward.settings.alarm_build import rules as alarm_rules
from siteward.settings.alarm_tables import AlarmTable
from siteward.settings.document import Draft
from siteward.settings.limit_build import rules, standing, three
from siteward.settings.limit_tables import LimitTable
from siteward.settings.output_tables import OutputTable
from siteward.settings.result import (
    CloudSettings,
    OutputSettings,
    PanelSettings,
    Settings,
    ShareSettings,
    StorageSettings,
)
from siteward.settings.schema import (
    ChargerTable,
    ConnectorTable,
    FeederTable,
    LineTable,
    MeterTable,
    SiteTable,
)
from siteward.settings.services import CloudTable, PanelTable, ShareTable, StorageTable
from siteward.settings.tariff_table import TariffTable, pricing

_TLS_PORT, _PLAIN_PORT = 8883, 1883


def build(draft: Draft, catalogue: ProfileCatalogue) -> Settings:
    """Build from a draft without faults. Raises WeAreWrong when a check let something through."""
    cloud = [table for _, table in draft.of("cloud", CloudTable)]
    panel = [table for _, table in draft.of("panel", PanelTable)]
    storage = [table for _, table in draft.of("storage", StorageTable)]
    share = [table for _, table in draft.of("share", ShareTable)]
    return Settings(
        _site(draft, catalogue),
        _cloud(cloud[0]) if cloud else None,
        _panel(panel[0]) if panel else PanelSettings(),
        StorageSettings(storage[0].trace_hours) if storage else StorageSettings(),
        _share(share[0]) if share else None,
        tuple(_output(table) for _, table in draft.of("output", OutputTable)),
    )


def config_hash(tables: Mapping[str, object]) -> str:
    """SHA-256, lower-case hex, over the merged configuration: defaults filled in, keys sorted, no blanks."""
    text = json.dumps(tables, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _merged(draft: Draft) -> dict[str, object]:
    merged: dict[str, object] = {}
    for section, placed in draft.tables.items():
        rows = [p.table.model_dump(mode="json") for p in placed if isinstance(p.table, BaseModel)]
        merged[section] = rows
    return merged


def _site(draft: Draft, catalogue: ProfileCatalogue) -> Site:
    head = next(table for _, table in draft.of("site", SiteTable))
    volts = head.phase_voltage_v
    lines = {table.id: table for _, table in draft.of("line", LineTable)}
    feeders = _parents_first([_feeder(table) for _, table in draft.of("feeder", FeederTable)])
    limits = [table for _, table in draft.of("limit", LimitTable)]
    chargers = tuple(_charger(table, catalogue, volts) for _, table in draft.of("charger", ChargerTable))
    locks = tuple(lock(table) for _, table in draft.of("lock", LockTable))
    return Site(
        id=SiteId(head.id),
        name=head.name,
        timezone=head.timezone,
        phase_voltage_v=volts,
        start_delay_s=head.start_delay_s,
        pricing=next((pricing(table) for _, table in draft.of("tariff", TariffTable)), Pricing()),
        lines=tuple(_line(table) for _, table in draft.of("line", LineTable)),
        meters=tuple(_meter(table, lines, catalogue) for _, table in draft.of("meter", MeterTable)),
        feeders=feeders,
        chargers=chargers,
        limits=standing(limits),
        hash=config_hash(_merged(draft)),
        relays=tuple(board(table, catalogue) for _, table in draft.of("relay", RelayTable)),
        barriers=tuple(barrier(table) for _, table in draft.of("barrier", BarrierTable)),
        locks=locks,
        rules=rules(limits, feeders),
        zone=ZoneInfo(head.timezone),
        alarms=alarm_rules((table for _, table in draft.of("alarm", AlarmTable)), volts),
        cloud=bool(draft.tables.get("cloud")),
        auth=entry.auth_rules(draft, platform=any(True for _ in draft.of("cloud", CloudTable))),
        emergencies=entry.emergencies(draft, (c.id for charger in chargers for c in charger.connectors)),
        bays=entry.bays(draft, locks),
        readers=entry.readers(draft),
    )


def _line(table: LineTable) -> Line:
    parity = Parity(table.parity)
    return Line(
        LineId(table.id),
        table.port,
        table.baud,
        parity,
        table.stop_bits,
        table.simulated,
        table.rs485,
        LinkKind(table.link),
        table.real_time,
    )


def _meter(table: MeterTable, lines: Mapping[str, LineTable], catalogue: ProfileCatalogue) -> Meter:
    facts: MeterFacts | None = catalogue.meter(table.profile)
    if facts is None:
        raise WeAreWrong(f"meter profile {table.profile} passed the checks but is not there")
    unit, serial = table.unit or 0, _serial(table, lines, catalogue)
    plate = None if table.public_key is None else bytes.fromhex(table.public_key)
    return Meter(MeterId(table.id), LineId(table.line), unit, table.profile, facts, table.address, serial, plate)


def _serial(table: MeterTable, lines: Mapping[str, LineTable], catalogue: ProfileCatalogue) -> SerialSettings | None:
    """Serial settings of a meter's own: those of DL/T meters, unless a gateway keeps the wire at one setting."""
    wire = catalogue.wire(table.profile)
    if table.address is None or wire is None or wire.serial is None or "://" in lines[table.line].port:
        return None
    parity = wire.serial.parity if table.parity is None else Parity(table.parity)
    return SerialSettings(table.baud or wire.serial.baud, parity, wire.serial.stop_bits)


def _feeder(table: FeederTable) -> Feeder:
    return Feeder(
        id=FeederId(table.id),
        name=table.name or table.id,
        parent=FeederId(table.parent) if table.parent is not None else None,
        rating_a=three(table.rating_a),
        meter=MeterId(table.meter) if table.meter is not None else None,
        worst_base_load_a=three(table.worst_base_load_a) if table.worst_base_load_a else ZERO,
        chargers_only=table.chargers_only,
        generation=table.generation,
        trip=PointName(table.trip) if table.trip is not None else None,
        neutral_a=table.neutral_a,
        neutral_base_a=_neutral_base(table),
        imbalance_a=table.imbalance_a,
    )


def _neutral_base(table: FeederTable) -> float:
    """Other load on the neutral; unless said, all of the highest phase may come back through it."""
    if table.neutral_base_a is not None:
        return table.neutral_base_a
    return max(table.worst_base_load_a, default=0.0) if table.worst_base_load_a else 0.0


def _parents_first(feeders: list[Feeder]) -> tuple[Feeder, ...]:
    """Order the tree so that every parent stands before its children, the file's order kept among equals."""
    ordered: list[Feeder] = []
    waiting = list(feeders)
    while waiting:
        placed = {f.id for f in ordered}
        ready = [f for f in waiting if f.parent is None or f.parent in placed]
        if not ready:
            raise WeAreWrong("a fuse tree with a circle passed the checks")
        ordered += ready
        waiting = [f for f in waiting if f not in ready]
    return tuple(ordered)


def _charger(table: ChargerTable, catalogue: ProfileCatalogue, nominal_v: float) -> Charger:
    facts = catalogue.charger(table.profile)
    if facts is None:
        raise WeAreWrong(f"charger profile {table.profile} passed the checks but is not there")
    return Charger(
        ChargerId(table.id),
        LineId(table.line),
        table.unit,
        table.profile,
        tuple(_connector(table, outlet, facts.at_voltage(nominal_v)) for outlet in table.connector),
    )


def _connector(table: ChargerTable, outlet: ConnectorTable, facts: ChargerFacts) -> Connector:
    hardware = table.hardware_max_a if table.hardware_max_a is not None else facts.rated_a
    return Connector(
        id=ConnectorId(outlet.id),
        charger=ChargerId(table.id),
        feeder=FeederId(table.feeder),
        type=outlet.type,
        channel=outlet.channel,
        wiring=tuple(Phase(phase) for phase in table.phases),
        max_a=table.max_a if table.max_a is not None else min(hardware, facts.limit.max_a),
        hardware_max_a=hardware,
        failsafe_a=table.failsafe_a,
        priority=Priority(outlet.priority),
        meter=MeterId(outlet.meter) if outlet.meter is not None else None,
        facts=facts,
        phase_switching=outlet.phase_switching,
    )


def _cloud(table: CloudTable) -> CloudSettings:
    parts = urlsplit(table.url)
    tls = parts.scheme == "mqtts"
    return CloudSettings(
        host=parts.hostname or "",
        port=parts.port or (_TLS_PORT if tls else _PLAIN_PORT),
        tls=tls,
        insecure=table.insecure,
        ca_file=_file(table.ca_file),
        certificate_file=_file(table.certificate_file),
        key_file=_file(table.key_file),
        heartbeat_s=table.heartbeat_s,
        backfill_share=table.backfill_share,
        command_keys=_file(table.command_keys),
        require_signed=table.command_keys is not None if table.require_signed is None else table.require_signed,
    )


def _share(table: ShareTable) -> ShareSettings:
    parts = urlsplit(f"modbus://{table.listen}")
    return ShareSettings(parts.hostname or "", parts.port or 0, table.clients, table.writable, table.limit_hold_s)


def _panel(table: PanelTable) -> PanelSettings:
    parts = urlsplit(f"https://{table.listen}")
    return PanelSettings(
        host=parts.hostname or "",
        port=parts.port or 0,
        certificate_file=_file(table.certificate_file),
        key_file=_file(table.key_file),
        names=table.names,
        language=table.language,
    )


def _output(table: OutputTable) -> OutputSettings:
    return OutputSettings(
        id=table.id,
        kind=table.kind,
        url=table.url,
        severity=Severity(table.severity),
        ends=table.ends,
        group_s=table.group_s,
        language=table.language,
        sender=table.sender or "",
        recipients=table.to,
        user=table.user,
        secret_file=_file(table.secret_file),
        insecure=table.insecure,
        ca_file=_file(table.ca_file),
    )


def _file(text: str | None) -> Path | None:
    return Path(text) if text is not None else None
