"""A device as core last read it: what `probe` shows while core owns the wires."""

from siteward.cli.paint import Grid, Screen
from siteward.client.messages import ConnectorMessage, LiveMessage, MeterMessage

SILENT = "never answered"
"""Age of a device that core has never heard."""


def from_core(live: LiveMessage, name: str) -> list[tuple[str, str, str]]:
    """Quantity, value and unit of a device as core last read it; empty for one that core does not know."""
    rows: list[tuple[str, str, str]] = []
    for meter in live.meters:
        if meter.id == name:
            rows += _meter(meter)
    for connector in live.connectors:
        if name in (connector.id, connector.charger):
            rows += _connector(connector)
    for line in live.lines:
        for slave in line.slaves:
            if rows and slave.device in (name, *(c.charger for c in live.connectors if c.id == name)):
                rows.append(("answered", f"{slave.answered} of {slave.sent}", f"frames on {line.id}"))
    return rows


def _meter(meter: MeterMessage) -> list[tuple[str, str, str]]:
    rows = [("age", SILENT if meter.age_s is None else f"{meter.age_s:.1f}", "s")]
    rows += phases("current", meter.current_a, "A") + phases("voltage", meter.voltage_v, "V")
    return rows + numbers((("active power", meter.power_w, "W"), ("energy", meter.energy_wh, "Wh")))


def _connector(connector: ConnectorMessage) -> list[tuple[str, str, str]]:
    rows = [
        ("connector", connector.id, ""),
        ("age", SILENT if connector.age_s is None else f"{connector.age_s:.1f}", "s"),
        ("status", connector.status, ""),
        ("pilot", connector.pilot or "not known", ""),
    ]
    rows += phases("current", connector.current_a, "A") + phases("voltage", connector.voltage_v, "V")
    return rows + numbers(
        (
            ("active power", connector.power_w, "W"),
            ("energy", connector.energy_wh, "Wh"),
            ("temperature", connector.temperature_c, "degC"),
            ("state of charge", connector.soc_percent, "%"),
            ("limit", connector.grant.limit_a, "A"),
            ("limit read back", connector.grant.confirmed_a, "A"),
        )
    )


def phases(name: str, values: tuple[float, float, float] | None, unit: str) -> list[tuple[str, str, str]]:
    """One row a phase, none where they are not known."""
    if values is None:
        return []
    return [(f"{name} L{n}", f"{value:.1f}", unit) for n, value in enumerate(values, 1)]


def numbers(rows: tuple[tuple[str, float | None, str], ...]) -> list[tuple[str, str, str]]:
    """One row a number that is known."""
    return [
        (name, f"{value:g}" if isinstance(value, float) else str(value), unit)
        for name, value, unit in rows
        if value is not None
    ]


def show_rows(screen: Screen, name: str, rows: list[tuple[str, str, str]], source: str = "core") -> None:
    """Show what is known of a device, and whence."""
    if screen.as_json:
        values = [{"quantity": quantity, "value": value, "unit": unit} for quantity, value, unit in rows]
        screen.data({"device": name, "from": source, "values": values})
        return
    said = "as core read it" if source == "core" else "read from the wire just now"
    screen.show([f"{name}: {said}", Grid("", ("quantity", "value", "unit"), rows, frozenset({"value"}))])
