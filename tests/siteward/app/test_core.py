"""A second core is refused before it opens a wire, a socket or the trace of the first (fault 65)."""

import subprocess
import sys
from pathlib import Path

import pytest

from siteward.store.lock import InstanceLock
from siteward.store.open import lock_path
from tests.fixtures.site_files import ONE_SILENT_CHARGER

pytestmark = pytest.mark.station


def test_fault_65_a_second_core_leaves_the_first_alone(tmp_path: Path):
    site = tmp_path / "site.toml"
    site.write_text(ONE_SILENT_CHARGER)
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
