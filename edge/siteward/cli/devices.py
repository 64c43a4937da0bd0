"""`devices`: which devices are supported, how they are wired, what they fall back to, how they were tested."""

from dataclasses import asdict
from pathlib import Path

from siteward.cli.paint import Grid, Screen
from siteward_drivers.devices import device_rows
from siteward_drivers.registry import load_profiles


def list_devices(screen: Screen, own: Path | None) -> int:
    """List the devices of the shipped profiles and of those in `own`. Raises ConfigError for a faulty one."""
    rows = device_rows(load_profiles(own))
    if screen.as_json:
        screen.data([asdict(row) for row in rows])
        return 0
    columns = ("profile", "class", "vendor", "model", "wiring", "fall-back", "tested")
    table = [(r.profile, r.kind, r.vendor, r.model, r.wiring, r.fallback or "-", str(r.tested)) for r in rows]
    alone = [r.profile for r in rows if r.kind == "charger" and not r.watchdog]
    screen.show(
        [
            Grid("devices", columns, table),
            f"{len(rows)} devices; without a watchdog: {', '.join(alone) or 'none'}",
        ]
    )
    return 0
