"""S-50, S-63, fault 62, I17: each process is a unit with its own user, limits and hardening, always restarted."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from siteward.api.rights import SOCKETS
from siteward.app.main import run
from siteward.settings.services import PanelTable, ShareTable

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "systemd"
SERVICES = ("core", "sync", "panel", "share")
LISTENS = {"panel": "8443", "share": "1502"}
"""The default port of each unit that strangers can reach: the default of its key in site.toml."""

MOST_EXPOSURE = 20
"""systemd's own score times ten: at most 2.0 for each unit; a bare one has 9.6."""

HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "MemoryDenyWriteExecute": "yes",
    "RestrictNamespaces": "yes",
    "RestrictSUIDSGID": "yes",
    "LockPersonality": "yes",
    "CapabilityBoundingSet": "",
    "DevicePolicy": "closed",
    "SocketBindDeny": "any",
    "SystemCallArchitectures": "native",
    "Restart": "always",
    "UMask": "0077",
}


class _Many(dict[str, str]):
    """Keys of a unit may stand several times: their values are joined."""

    def __setitem__(self, key: str, value: object) -> None:
        if isinstance(value, list) and key in self and isinstance(self[key], list):
            value = [*self[key], *value]
        super().__setitem__(key, value)  # type: ignore[assignment]


def unit(name: str) -> dict[str, str]:
    """The [Service] section of a unit."""
    parser = configparser.RawConfigParser(strict=False, dict_type=_Many, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(UNITS / f"siteward-{name}.service", encoding="utf-8")
    return dict(parser["Service"])


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_hardened_and_comes_back(name: str) -> None:
    """IEC 62443 in the small, S-63: least rights, its own user, never given up."""
    service = unit(name)
    assert {key: service.get(key) for key in HARDENED} == HARDENED
    assert service["User"] == service["Group"] == f"siteward-{name}"
    assert service["ExecStart"].split()[1] == name
    assert "StartLimitIntervalSec=0" in (UNITS / f"siteward-{name}.service").read_text(encoding="utf-8")
    # share holds no key: it knows nobody by more than an address.
    assert service.get("LoadCredential") == (None if name == "share" else f"{name}:/etc/siteward/credentials/{name}")


def test_core_is_watched_and_back_before_a_watchdog_of_a_charger_ends() -> None:
    """Ruling 12: WatchdogSec = 10, back in control at most 3 s after a kill."""
    service = unit("core")
    assert (service["Type"], service["WatchdogSec"]) == ("notify", "10")
    assert float(service["RestartSec"]) <= 1
    assert int(service["TimeoutStopSec"]) <= 5


def test_core_comes_first_and_the_panel_may_be_sacrificed() -> None:
    """Fault 61, I17: when memory or time run out, the control loop is the last to suffer."""
    killed = {name: int(unit(name)["OOMScoreAdjust"]) for name in SERVICES}
    assert killed["core"] < 0 < killed["sync"] < killed["panel"] < killed["share"]
    assert int(unit("core")["CPUWeight"]) > 100
    assert all(unit(name)["MemoryMax"].endswith("M") for name in SERVICES)


def test_only_core_sees_wires_and_only_panel_and_share_listen() -> None:
    """Architecture, processes: one direction of trust; each listener has one port, the one that site.toml means."""
    assert "char-ttyUSB rw" in unit("core")["DeviceAllow"]
    assert all("DeviceAllow" not in unit(name) for name in ("sync", "panel", "share"))
    ports = {name: unit(name).get("SocketBindAllow") for name in SERVICES}
    assert {name: port for name, port in ports.items() if port} == {n: f"tcp:{port}" for n, port in LISTENS.items()}
    defaults = {"panel": PanelTable().listen, "share": ShareTable().listen}
    assert {name: listen.rpartition(":")[2] for name, listen in defaults.items()} == LISTENS


def test_every_socket_belongs_to_the_group_of_its_caller() -> None:
    """API rights: the socket is the caller, so no process may open the socket of another."""
    lines = (UNITS / "siteward-core.service").read_text(encoding="utf-8").splitlines()
    given = dict(line.split()[-2:] for line in lines if "chgrp" in line)
    assert given == {
        "siteward-cli": "/run/siteward/cli.sock",
        "siteward-panel": "/run/siteward/panel.sock",
        "siteward-sync": "/run/siteward/sync.sock",
        "siteward-share": "/run/siteward/field.sock",
    }
    assert {Path(path).stem for path in given.values()} == set(SOCKETS)
    known = (UNITS / "siteward.sysusers.conf").read_text(encoding="utf-8")
    assert all(re.search(rf"^[gu] {group}\s", known, re.MULTILINE) for group in given)


@pytest.mark.parametrize(("table", "status"), [("", 1), ("[share]\n", 0)])
def test_share_is_passed_over_where_nothing_is_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, status: int
) -> None:
    """Decision 0021: systemd asks before it starts the unit; 1 means skip, no port is opened, nothing fails."""
    condition, start = (unit("share")[key].split() for key in ("ExecCondition", "ExecStart"))
    assert condition == [*start, "--configured"]
    site = tmp_path / "site.toml"
    site.write_text((ROOT / "config" / "demo" / "site.toml").read_text(encoding="utf-8") + table, encoding="utf-8")
    assert run(["share", "--config", str(site), "--configured"]) == status
    assert capsys.readouterr() == ("", "")


def test_the_target_wants_every_unit() -> None:
    """S-50: one word starts the station."""
    wants = next(line for line in (UNITS / "siteward.target").read_text().splitlines() if line.startswith("Wants="))
    assert wants.removeprefix("Wants=").split() == [f"siteward-{name}.service" for name in SERVICES]


def test_no_secret_stands_in_a_unit() -> None:
    """Fault 67: keys come as credentials, never by environment."""
    for path in UNITS.iterdir():
        assert not re.search(r"(?i)password|secret|token", path.read_text(encoding="utf-8")), path


def runnable(folder: Path) -> list[Path]:
    """The units with a program that exists, as systemd-analyze wants it."""
    copies = []
    for path in sorted(UNITS.glob("siteward*.*e*")):
        if path.suffix in (".service", ".target"):
            text = path.read_text(encoding="utf-8").replace("/opt/siteward/current/bin/siteward", sys.executable)
            copies.append(folder / path.name)
            copies[-1].write_text(text, encoding="utf-8")
    return copies


def test_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    """S-50: unknown keys and bad values are told by systemd where it is there, else found against the keys above."""
    copies = runnable(tmp_path)
    assert len(copies) == len(SERVICES) + 1
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        known = set(HARDENED) | _OTHER_KEYS
        assert {key for name in SERVICES for key in unit(name)} <= known
        return
    done = subprocess.run([analyze, "verify", *copies], capture_output=True, text=True)
    # It exits 0 on unknown keys: its words count.
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "siteward" in line]
    assert not ours, ours


@pytest.mark.parametrize("name", SERVICES)
def test_the_exposure_is_at_most_2(name: str, tmp_path: Path) -> None:
    """Figures to reach: exposure <= 2.0 for each unit; else the switches that make it so."""
    runnable(tmp_path)
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert len(set(unit(name)) & _OTHER_KEYS) > 20
        return
    path = tmp_path / f"siteward-{name}.service"
    words = [analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSURE}", str(path)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


_OTHER_KEYS = {
    "AmbientCapabilities",
    "CPUWeight",
    "DeviceAllow",
    "Environment",
    "ExecCondition",
    "ExecStart",
    "ExecStartPost",
    "Group",
    "IOWeight",
    "KeyringMode",
    "LimitNOFILE",
    "LoadCredential",
    "MemoryMax",
    "NotifyAccess",
    "OOMScoreAdjust",
    "PrivateDevices",
    "PrivateMounts",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "RemoveIPC",
    "RestartSec",
    "RestrictAddressFamilies",
    "RestrictRealtime",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "SocketBindAllow",
    "StateDirectory",
    "StateDirectoryMode",
    "SupplementaryGroups",
    "SystemCallFilter",
    "TasksMax",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "Type",
    "User",
    "WatchdogSec",
}
