"""A life of core: a second one is refused before it opens anything (fault 65), and each tells its begin (S-26)."""

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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


def _life(folder: Path, ready: int) -> list[dict[str, Any]]:
    """One core that is killed as soon as the journal holds that many starts; returns all of them."""
    places = ["--config", folder / "site.toml", "--state", folder, "--run", folder / "run"]
    core = subprocess.Popen([sys.executable, "-m", "siteward", "core", *places], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            time.sleep(0.1)
            if len(found := _starts(folder / "core" / "siteward.db")) == ready:
                return found
    finally:
        core.kill()
        core.wait()
    raise AssertionError("no start was told")


def _starts(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db, suppress(sqlite3.OperationalError):
        rows = db.execute("SELECT text FROM journal WHERE type = 'audit.started' ORDER BY seq").fetchall()
        return [json.loads(text) for (text,) in rows]
    return []


def test_each_life_tells_its_begin_and_the_end_of_the_last(tmp_path: Path) -> None:
    """S-26: after kill -9, too, a report knows from when to when nobody looked."""
    (tmp_path / "site.toml").write_text(ONE_SILENT_CHARGER)
    (first,) = _life(tmp_path, 1)
    killed = datetime.now(UTC)
    time.sleep(1.5)
    _, second = _life(tmp_path, 2)
    assert "aliveAt" not in first["data"]
    began, alive, again = (
        datetime.fromisoformat(text) for text in (first["occurredAt"], second["data"]["aliveAt"], second["occurredAt"])
    )
    assert began - timedelta(seconds=1) < alive <= killed + timedelta(seconds=0.1)
    assert again - alive > timedelta(seconds=1.4)
    assert second["data"]["siteHash"] == first["data"]["siteHash"]
