"""Goal 14: memory, import time and wake-ups of core with nothing to do, at a site whose one wire is unplugged."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.rows import Row
from tests.fixtures.site_files import ONE_SILENT_CHARGER

_ROUNDS = 5
_SETTLE_S = 8.0
_WATCH_S = 20.0
_PEER = (
    "import pymodbus.client, serial_asyncio, paho.mqtt.client, aiosqlite, transitions, gpiozero, fastapi, uvicorn, "
    "pydantic"
)
_OURS = "from siteward.app.lean import leave_out; leave_out(); from siteward.app.main import load; load('core')"
"""The import as `python -m siteward core` does it: without what core leaves out, and the collector at rest (0017)."""


def measure() -> list[Row]:
    """Start processes of our own and look at them through /proc; all run compiled, as a wheel is installed."""
    with TemporaryDirectory() as cache:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = cache
        ours_s, peer_s = _import_seconds(_OURS, environment), _import_seconds(_PEER, environment)
        _idle_core(environment, watch_s=0.0)
        rss_mib, wakes = _idle_core(environment, _WATCH_S)
        peer_mib = _peer_rss_mib(environment)
    peer = "all customer packages in one process"
    return [
        Row(14, "core RSS, idle", round(rss_mib, 1), 45.0, "MiB", "less", round(peer_mib, 1), peer),
        Row(14, "core import", round(ours_s, 3), 0.35, "s", "less", round(peer_s, 3), peer),
        Row(14, "core wake-ups, idle", round(wakes, 1), 15.0, "1/s", "less", 10.0, "one bare uvicorn server"),
    ]


def _import_seconds(statement: str, environment: Mapping[str, str]) -> float:
    """Median of what the statement adds to a bare interpreter; one run before, unmeasured, compiles."""
    _seconds(statement, environment)
    whole = statistics.median(_seconds(statement, environment) for _ in range(_ROUNDS))
    return whole - statistics.median(_seconds("pass", environment) for _ in range(_ROUNDS))


def _seconds(statement: str, environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    return time.perf_counter() - started


def _peer_rss_mib(environment: Mapping[str, str]) -> float:
    code = f"{_PEER}\nprint(open('/proc/self/status').read())"
    command = [sys.executable, "-c", code]
    status = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return _field(status, "VmRSS") / 1024


def _idle_core(environment: Mapping[str, str], watch_s: float) -> tuple[float, float]:
    """Its memory and wake-ups; a run that is not watched only compiles, which would leave its own memory behind."""
    with TemporaryDirectory() as folder:
        site = Path(folder) / "site.toml"
        site.write_text(ONE_SILENT_CHARGER)
        process = subprocess.Popen(
            [sys.executable, "-m", "siteward", "core", "--config", str(site), "--state", folder, "--run", folder],
            env=environment,
        )
        try:
            time.sleep(_SETTLE_S)
            before = _switches(process.pid)
            time.sleep(watch_s)
            wakes = (_switches(process.pid) - before) / watch_s if watch_s else 0.0
            status = Path(f"/proc/{process.pid}/status").read_text()
            return _field(status, "VmRSS") / 1024, wakes
        finally:
            process.terminate()
            process.wait(10)


def _switches(pid: int) -> int:
    tasks = Path(f"/proc/{pid}/task")
    return sum(_field((task / "status").read_text(), "voluntary_ctxt_switches") for task in tasks.iterdir())


def _field(status: str, name: str) -> int:
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name + ":"))
