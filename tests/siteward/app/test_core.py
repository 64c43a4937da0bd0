"""A second core is refused before it opens a wire, a socket or the trace of the first (fault 65)."""

import subprocess
import sys
from pathlib import Path

import pytest

from siteward.store.lock import InstanceLock
from siteward.store.open import lock_path

pytestmark = pytest.mark.station
SITE = """schema = 1
[site]
id = "T-1"
name = "test"
timezone = "UTC"
phase_voltage_v = 230
[[line]]
id = "tcp-1"
port = "tcp://127.0.0.1:9"
[[feeder]]
id = "grid"
rating_a = [63, 63, 63]
worst_base_load_a = [10, 10, 10]
[[charger]]
id = "C01"
line = "tcp-1"
unit = 1
profile = "phoenix_charx_sec"
feeder = "grid"
max_a = 16
hardware_max_a = 16
[[charger.connector]]
id = "C01-1"
type = "type2"
channel = 1
"""


def test_fault_65_a_second_core_leaves_the_first_alone(tmp_path: Path):
    site = tmp_path / "site.toml"
    site.write_text(SITE)
    socket = tmp_path / "run" / "cli.sock"
    socket.parent.mkdir()
    socket.write_text("the first core's")
    with InstanceLock(lock_path(tmp_path / "core" / "siteward.db")):
        places = ["--config", site, "--state", tmp_path, "--run", socket.parent]
        second = subprocess.run(
            [sys.executable, "-m", "siteward", "core", *places], capture_output=True, text=True, timeout=20
        )
    assert second.returncode == 1
    assert "another siteward core works here" in second.stderr
    assert socket.read_text() == "the first core's"
    assert not (tmp_path / "core" / "trace.db").exists()
