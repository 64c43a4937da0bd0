"""Profiles: what the shipped ones declare, and how a wrong file is told."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from siteward.model.errors import ConfigError
from siteward.model.facts import ResetBy
from siteward_drivers.catalogue import SHIPPED, load_profiles
from siteward_drivers.profile import load_profile
from siteward_drivers.profile_schema import ProfileFile
from siteward_drivers.quantities import Quantity, Unit

PROFILES = load_profiles()


def test_the_catalogue_knows_names_facts_and_wires() -> None:
    assert {"eastron_sdm630", "abb_b23", "carlo_gavazzi_em340"} <= set(PROFILES.names("meter"))
    assert {"heidelberg_energy_control", "phoenix_charx_sec", "keba_p30"} <= set(PROFILES.names("charger"))
    assert PROFILES.names("charger") == sorted(PROFILES.names("charger"))
    assert PROFILES.charger("eastron_sdm630") is None
    assert PROFILES.meter("phoenix_charx_sec") is None
    assert PROFILES.wire("unknown") is None
    wire = PROFILES.wire("phoenix_charx_sec")
    assert wire is not None
    assert (wire.transports, wire.channels) == (("tcp",), 12)
    with pytest.raises(ConfigError, match="eastron_sdm630"):
        PROFILES["eastron_sdm360"]


def test_one_charger_alone_hides_its_pause_while_it_has_no_car() -> None:
    """R5: it shows a pause as a state that needs a car; the others by set point or by a register of their own."""
    facts = {name: PROFILES.charger(name) for name in PROFILES.names("charger")}
    assert {name for name, f in facts.items() if f is not None and not f.limit.pause_shows} == {"foxess_evc"}


def test_heidelberg_declares_its_watchdog_and_bills_no_apparent_energy() -> None:
    """Rulings 1, 7, 9; turn.md 4: hardware setting until tested on hardware, Tw 15 s."""
    facts = PROFILES.charger("heidelberg_energy_control")
    assert facts is not None
    assert facts.failsafe is not None
    assert (facts.failsafe.timeout_s, facts.failsafe.reset_by) == (15.0, ResetBy.ANY_REQUEST)
    assert not facts.failsafe.persists
    assert facts.boot.boot_a is None
    assert facts.limit.write_hold_s == 20.0
    assert not facts.bills_energy
    file = PROFILES["heidelberg_energy_control"].file
    assert Quantity.ENERGY_IMPORT_TOTAL not in file.points
    assert file.points[Quantity.APPARENT_ENERGY_TOTAL].unit is Unit.VAH


def test_charx_watchdog_counts_as_worst_where_the_sources_are_silent() -> None:
    facts = PROFILES.charger("phoenix_charx_sec")
    assert facts is not None
    assert facts.failsafe is not None
    assert facts.failsafe.reset_by is ResetBy.UNKNOWN
    assert (facts.boot.boot_a, facts.boot.hold_s, facts.boot.watchdog_at_start) == (None, None, False)
    assert (facts.limit.min_a, facts.limit.max_a, facts.limit.step_a) == (6.0, 80.0, 1.0)


def test_an_installers_profile_adds_to_the_shipped_ones_and_wins(tmp_path: Path) -> None:
    folder = tmp_path / "meter"
    folder.mkdir()
    text = (SHIPPED / "meter" / "eastron_sdm630.toml").read_text()
    (folder / "eastron_sdm630.toml").write_text(text.replace("refresh_s = 0.5", "refresh_s = 0.9"))
    (folder / "acme_one.toml").write_text(text)
    found = load_profiles(tmp_path)
    assert set(found.names("meter")) == {"acme_one", *PROFILES.names("meter")}
    facts = found.meter("eastron_sdm630")
    assert facts is not None
    assert facts.refresh_s == 0.9


def test_a_profile_in_the_folder_of_another_kind_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "charger"
    folder.mkdir()
    (folder / "x.toml").write_text((SHIPPED / "meter" / "eastron_sdm630.toml").read_text())
    with pytest.raises(ConfigError, match="belongs in the folder meter/"):
        load_profiles(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('vendor = "Heidelberg / Amperfied"', "vender = 1", "vender"),
        ('type = "u16", unit = "V"', 'type = "u17", unit = "V"', "points.voltage_l1.type"),
        ("volatile = true", 'volatile = true\nstep_b = "x"', "charger.limit.step_b"),
        ('reset_by = "any_request"', 'reset_by = "prayer"', "charger.failsafe.reset_by"),
        ("timeout_s = 15.0", "timeout_s = 99.0", "charger.failsafe"),
        ("status = { table", "statos = { table", "points.statos"),
        ("first = 100, count = 2", "first = 100, count = 1", "points.current_min_hw lies in no span"),
        ("address = 262", "address = 261", "overlaps"),
        ('slow = ["apparent_energy_total"', 'slow = ["uptime"', "no point for uptime"),
        ('table = "holding", address = 261', 'table = "input", address = 261', "cannot be written"),
        ("schema = 1", "schema = 1\nschema = 2", "is no TOML"),
        ('reset_by = "any_request"', 'reset_by = "heartbeat"', "reset_by heartbeat needs the part heartbeat"),
        ("volatile = true", "volatile = true\nno_limit_code = 0", "it can neither pause nor stop"),
        ('"watchdog_timeout", "standby_disable",\n]', '"standby_disable",\n]', "never polled: watchdog_timeout"),
        ("encode_stop = 0", "encode_stop = 0\noff_current = 0", "the same number"),
        ('charging = ["7", "8"]', "charging = []", "no state in which energy flows"),
        ('order = ["failsafe_current", ', 'order = ["standby_disable", ', "order must name failsafe_current"),
        ("address = 5, type", 'address = 5, mask = 7, access = "rw", type', "points.status"),
    ],
)
def test_a_wrong_profile_is_told_with_file_and_key(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (SHIPPED / "charger" / "heidelberg_energy_control.toml").read_text()
    assert old in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as error:
        load_profile(path)
    assert str(path) in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("shows_one = 1\n", "", "together"),
        ("switchable = true", "switchable = false", "only a device of three phases"),
        ("wired = 3", "wired = 1", "only a device of three phases"),
        ('contactor_state = "phases_active"', 'contactor_state = "phase_switch"', "what was written"),
        ('quantity = "phase_switch", raw = 1', 'quantity = "phase_switch"', "need raw"),
        ('"enable", "phases_active",', '"enable",', "never polled: phases_active"),
        ("phase_switch = { table", "uptime = { table", "no point for phase_switch"),
    ],
)
def test_a_profile_that_switches_phases_must_show_what_it_did(tmp_path: Path, old: str, new: str, told: str) -> None:
    """B14, R9: half a declaration would switch blindly."""
    text = (SHIPPED / "charger" / "mennekes_amtron_compact_2_0s.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_profile(path)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('quantity = "unlock", raw = 0', 'quantity = "unlock"', "need raw"),
        ("locked = [17, 273]\nunlocked = [1, 257]\n", "", "belong together"),
        ('shows = "cable_state"\n', "", "belong together"),
        ('shows = "cable_state"', 'shows = "unlock"', "what was written"),
        ("none = [0]", "none = [0, 17]", "means one thing only"),
        (
            '"current_limit_echo", "failsafe_current_actual", "cable_state",',
            '"current_limit_echo", "failsafe_current_actual",',
            "never polled: cable_state",
        ),
        ("unlock = { table", "uptime = { table", "no point for unlock"),
    ],
)
def test_a_profile_that_unlocks_must_say_what_its_lock_shows(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Law 4: a success that nobody could read is declared as one, never guessed."""
    text = (SHIPPED / "charger" / "abb_terra_ac.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "wrong.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_profile(path)
    assert told in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_profile(tmp_path / "gone.toml")


def _drop(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw.pop(key)


@pytest.mark.parametrize("change", [_drop("charger"), _drop("points"), _drop("documented"), _drop("identify")])
def test_a_profile_without_a_part_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    raw = tomllib.loads((SHIPPED / "charger" / "heidelberg_energy_control.toml").read_text())
    change(raw)
    with pytest.raises(ValueError, match="validation error"):
        ProfileFile.model_validate(raw)


DATA_METER = SHIPPED / "meter" / "dlt645_2007.toml"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('protocol = "dlt645"', 'protocol = "modbus"', "[data] and [[block]] belong to protocol dlt645"),
        ('protocol = "dlt645"\n', "", "[data] and [[block]] belong to protocol dlt645"),
        ("frequency = { id", "current_min_hw = { id", "no point for frequency"),
        ('transports = ["rtu"]', 'transports = ["rtu", "tcp"]', "meters on a serial wire"),
        ('id = "0201FF00"', 'id = "0201ff00"', "block.0.id"),
        ('scale = 10.0, unit = "Wh"', 'scale = 0.01, unit = "W"', "energy_import_total: unit must be Wh"),
        ("[data]", 'documented = [{ table = "input", first = 0, count = 1 }]\n[data]', "documented"),
    ],
)
def test_a_wrong_profile_of_a_data_meter_is_told(tmp_path: Path, old: str, new: str, told: str) -> None:
    """S-32: file and key, and which protocol the keys belong to."""
    text = DATA_METER.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "x.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_profile(path)
    assert told in str(caught.value)
