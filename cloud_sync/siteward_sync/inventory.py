"""`up/site`: the inventory as core tells it, in the contract's words."""

from collections.abc import Mapping
from typing import Any

from siteward_sync.protocol.v1 import (
    SiteBarrier,
    SiteCharger,
    SiteConnector,
    SiteFeeder,
    SiteInventory,
    SiteLock,
    SiteMeter,
)

_DC_WORDS = ("ccs", "chademo", "dc", "nacs")


def _connector(raw: Mapping[str, Any], voltage_v: float) -> SiteConnector:
    phases = len(raw.get("wiring") or ()) or None
    rated_a = float(raw["hardware_max_a"])
    kind = str(raw["type"])
    return SiteConnector(
        id=raw["id"],
        code=raw["id"],
        current_type="DC" if any(word in kind.lower() for word in _DC_WORDS) else "AC",
        type=kind,
        feeder=raw.get("feeder"),
        phases=phases,
        rated_v=round(voltage_v),
        rated_a=rated_a,
        rated_w=round(rated_a * voltage_v * phases) if phases else None,
    )


def _rating(raw: Mapping[str, Any]) -> tuple[float, float, float]:
    first, second, third = (float(value) for value in raw["rating_a"])
    return first, second, third


def inventory(site: Mapping[str, Any], software: str) -> SiteInventory:
    """Inventory of GET /v1/site. Raises KeyError when core speaks of a site without what every site has."""
    voltage_v = float(site["phase_voltage_v"])
    return SiteInventory(
        name=site["name"],
        timezone=site.get("timezone"),
        software=software,
        site_hash=site["hash"],
        chargers=tuple(
            SiteCharger(
                id=charger["id"],
                profile=charger.get("profile"),
                connectors=tuple(_connector(raw, voltage_v) for raw in charger["connectors"]),
            )
            for charger in site["chargers"]
        ),
        meters=tuple(SiteMeter(id=raw["id"], profile=raw.get("profile")) for raw in site["meters"]),
        feeders=tuple(
            SiteFeeder(id=raw["id"], name=raw.get("name"), parent=raw.get("parent"), rating_a=_rating(raw))
            for raw in site["feeders"]
        ),
        barriers=tuple(SiteBarrier(id=raw["id"], name=raw.get("name")) for raw in site.get("barriers") or ()),
        locks=tuple(
            SiteLock(id=raw["id"], name=raw.get("name"), connector_id=raw.get("connector"))
            for raw in site.get("locks") or ()
        ),
    )
