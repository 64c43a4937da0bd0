"""The list of supported devices, made from their profiles: for people as a page, for programs as rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from siteward_drivers.catalogue import Profiles
from siteward_drivers.profile import Profile
from siteward_drivers.profile_schema import Language, Tested, Transport
from siteward_drivers.profile_watchdog import FailsafePart

NO_WATCHDOG = "none known: taken to keep its last limit for ever"

_HEAD = """# Supported devices

Written by `siteward schema --write` from the profiles in `drivers/siteward_drivers/profiles`; edit those.

"Tested" says what the numbers were held against: `hardware` (a unit in our hands), `capture` (recorded answers of a
real device), or `datasheet` (documents and open projects only; verify on a unit before you rely on it). Every profile
is also simulated and spoken to by its own driver in the tests.
"""
_CHARGERS = """
## Chargers

A charger with a watchdog falls back by itself when siteward is dead. One without is taken to keep its last limit for
ever: `siteward check` counts it at its hardware maximum wherever nothing better is known, and says what that costs.

| profile | vendor | model | wiring | fall-back | kept alive by | tested |
|---|---|---|---|---|---|---|
"""
_METERS = """
## Meters

Only a meter that shows all three phases can guard a fuse.

| profile | vendor | model | wiring | phases | tested |
|---|---|---|---|---|---|
"""
_FEEDS = {
    "any_traffic": "any traffic on its line",
    "any_request": "any request to it",
    "limit_write": "a new limit",
    "heartbeat": "its life bit",
    "unknown": "not stated: a new limit at the least",
}
_BY_ADDRESS = {Language.DLT645: "DL/T 645", Language.DLT698: "DL/T 698.45"}
_PHASES = {0: "totals only", 1: "one", 3: "three"}


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One supported device. `fallback` and `kept_alive` are empty for meters, `phases` is 0 for chargers.

    `unlocks`: its cable can be let go, and the lock is "shown" afterwards or "blind"; empty where it cannot.
    """

    profile: str
    kind: str
    vendor: str
    model: str
    wiring: str
    watchdog: bool
    fallback: str
    kept_alive: str
    phases: int
    tested: Tested
    unlocks: str = ""


def device_rows(profiles: Profiles) -> tuple[DeviceRow, ...]:
    """All devices, chargers first, by profile id."""
    return tuple(_row(profiles[name]) for kind in ("charger", "meter") for name in profiles.names(kind))


def devices_page(profiles: Profiles) -> str:
    """The page in Markdown."""
    rows = device_rows(profiles)
    chargers = [r for r in rows if r.kind == "charger"]
    meters = [r for r in rows if r.kind == "meter"]
    guarded = sum(r.watchdog for r in chargers)
    by_test = ", ".join(f"{sum(r.tested is t for r in rows)} {t}" for t in Tested)
    count = (
        f"\n{len(rows)} devices: {len(chargers)} chargers ({guarded} with a watchdog that is counted on), "
        f"{len(meters)} meters. Tested: {by_test}.\n"
    )
    charger_lines = "".join(
        _line(f"`{r.profile}`", r.vendor, r.model, r.wiring, r.fallback, r.kept_alive or "-", r.tested)
        for r in chargers
    )
    meter_lines = "".join(
        _line(f"`{r.profile}`", r.vendor, r.model, r.wiring, _PHASES[r.phases], r.tested) for r in meters
    )
    return _HEAD + count + _CHARGERS + charger_lines + _cables(chargers) + _METERS + meter_lines


def _cables(chargers: Sequence[DeviceRow]) -> str:
    shown = ", ".join(f"`{r.profile}`" for r in chargers if r.unlocks == "shown")
    blind = ", ".join(f"`{r.profile}`" for r in chargers if r.unlocks == "blind")
    return (
        f"\nA cable can be let go from afar (`siteward unlock`) at {shown}, where a register shows the lock, and at "
        f"{blind}, where only a failure shows. No document of the others names a register that does it: what "
        "locks keys or charging is none.\n"
    )


def _line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n"


def _row(profile: Profile) -> DeviceRow:
    file = profile.file
    failsafe = file.charger.failsafe if file.charger is not None else None
    fallback = "" if file.charger is None else _fallback(failsafe)
    return DeviceRow(
        profile=profile.id,
        kind=str(file.kind),
        vendor=file.vendor,
        model=file.model,
        wiring=_wiring(profile),
        watchdog=failsafe is not None,
        fallback=fallback,
        kept_alive=_FEEDS[failsafe.reset_by] if failsafe is not None else "",
        phases=file.meter.phases if file.meter is not None else 0,
        tested=file.tested,
        unlocks=_unlocks(profile),
    )


def _unlocks(profile: Profile) -> str:
    part = None if profile.file.charger is None else profile.file.charger.unlock
    return "" if part is None else ("blind" if part.shows is None else "shown")


def _wiring(profile: Profile) -> str:
    wire = profile.file.wire
    ways = []
    if Transport.RTU in wire.transports and wire.serial is not None:
        serial = wire.serial
        ways.append(f"RTU {serial.baud} 8{str(serial.parity)[0].upper()}{serial.stop_bits}")
    if Transport.TCP in wire.transports:
        ways.append(f"TCP {wire.tcp_port}")
    if profile.file.protocol is not Language.MODBUS:
        return f"{', '.join(ways)}, {_BY_ADDRESS[profile.file.protocol]} by address"
    return f"{', '.join(ways)}, unit {wire.unit}"


def _fallback(part: FailsafePart | None) -> str:
    if part is None:
        return NO_WATCHDOG
    latest_s = part.timeout_s * (1.0 + part.tolerance)
    set_by = "written by siteward" if part.writable else "set in the device's own tool"
    least = "0 A or " if part.encode_stop is not None else ""
    return f"{least}{part.min_a:g} to {part.max_a:g} A within {latest_s:g} s, {set_by}"
