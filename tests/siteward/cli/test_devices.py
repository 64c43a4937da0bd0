"""S-32, S-69: the list of supported devices, and a site's own profiles beside site.toml."""

import json
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward_drivers.catalogue import SHIPPED
from siteward_drivers.devices import NO_WATCHDOG, device_rows, devices_page
from siteward_drivers.registry import load_profiles

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "config" / "demo" / "site.toml"
Output = pytest.CaptureFixture[str]


def test_the_list_of_devices_is_fresh() -> None:
    """`make docs` after each change of a profile."""
    assert (ROOT / "config" / "devices.md").read_text(encoding="utf-8") == devices_page(load_profiles())


def test_every_profile_is_listed_with_fall_back_and_how_it_was_tested() -> None:
    """R3: those without a watchdog are named as such."""
    profiles = load_profiles()
    rows = device_rows(profiles)
    assert len(rows) == len(profiles.by_id) >= 40
    for row in rows:
        facts = profiles.charger(row.profile)
        assert (row.kind == "charger") == (facts is not None)
        if facts is not None:
            assert row.watchdog == (facts.failsafe is not None) == (row.fallback != NO_WATCHDOG)


def test_devices_for_people_and_for_programs(capsys: Output) -> None:
    assert run_cli(["devices"]) == 0
    text = capsys.readouterr().out
    assert "eastron_sdm630" in text
    assert "without a watchdog: abl_em4, alpitronic_hyc" in text
    assert run_cli(["devices", "--json"]) == 0
    rows = {row["profile"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["keba_p30"]["watchdog"]
    assert not rows["abl_em4"]["watchdog"]
    assert rows["eastron_sdm120"]["phases"] == 1


def _own(folder: Path, kind: str, name: str, text: str) -> None:
    path = folder / "profiles" / kind / f"{name}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _site(folder: Path, **changes: str) -> Path:
    text = DEMO.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert f'profile = "{old}"' in text
        text = text.replace(f'profile = "{old}"', f'profile = "{new}"')
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_site_can_bring_its_own_profile(tmp_path: Path, capsys: Output) -> None:
    """A file in `profiles/<kind>/` beside site.toml is a device like any other."""
    site = _site(tmp_path, eastron_sdm630="acme_one")
    assert run_cli(["check", str(site)]) == 1
    assert "acme_one" in capsys.readouterr().err
    _own(tmp_path, "meter", "acme_one", (SHIPPED / "meter" / "eastron_sdm630.toml").read_text(encoding="utf-8"))
    assert run_cli(["check", str(site)]) == 0
    assert "acme_one" in capsys.readouterr().out
    assert run_cli(["devices", "--profiles", str(tmp_path / "profiles"), "--json"]) == 0
    assert "acme_one" in {row["profile"] for row in json.loads(capsys.readouterr().out)}


def test_a_fault_in_a_sites_own_profile_names_file_and_key(tmp_path: Path, capsys: Output) -> None:
    text = (SHIPPED / "meter" / "eastron_sdm630.toml").read_text(encoding="utf-8")
    _own(tmp_path, "meter", "acme_one", text.replace("refresh_s = 0.5", "refresh_s = -1"))
    assert run_cli(["check", str(_site(tmp_path))]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "acme_one.toml: meter.refresh_s: " in told


def test_a_meter_without_three_phases_guards_no_fuse(tmp_path: Path, capsys: Output) -> None:
    """I4: a fuse is guarded phase by phase."""
    assert run_cli(["check", str(_site(tmp_path, eastron_sdm630="eastron_sdm120"))]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "(eastron_sdm120) shows one phase only; a fuse needs a meter that shows three phases" in told


def test_check_says_what_a_charger_without_watchdog_costs(tmp_path: Path, capsys: Output) -> None:
    """R3: its fuses keep its hardware maximum for ever."""
    site = _site(tmp_path, phoenix_charx_sec="alpitronic_hyc")
    run_cli(["check", str(site), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert any("alpitronic_hyc has no watchdog; every fuse above it keeps" in note for note in report["notes"])
