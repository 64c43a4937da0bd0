"""Nothing acknowledged is lost or doubled when the writer dies: SIGKILL, power cut, full disk, I/O error."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fixtures.dying import acknowledged, judge

KILLS, CUTS = 25, 12
"""Per change; `make dying` runs many more with the same script."""

ROOT = Path(__file__).parents[3]


async def run(*command: str, **env: str) -> tuple[int, str]:
    """Exit status and everything that a command said."""
    paths = ":".join(str(ROOT / part) for part in ("edge", "drivers", "cloud_sync", "."))
    child = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, **env},
    )
    said, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, said.decode(errors="replace")


@pytest.mark.station
async def test_sigkill_at_any_instant_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Fault 49, I5, I8: 25 kills of a writer that is always in mid-commit."""
    acks = tmp_path / "acks"
    status, said = await run(
        sys.executable, "-m", "tests.fixtures.dying", "kill", str(KILLS), "1", str(tmp_path / "core"), str(acks)
    )
    assert status == 0, said
    counted = await judge(tmp_path / "core", acks)
    assert counted["finish"] > 10 * KILLS
    assert counted["accept"] > KILLS
    assert counted["ack"] > KILLS


@asynccontextmanager
async def cut_or_kill(tmp_path: Path) -> AsyncIterator[str]:
    """`cut` where file systems may be mounted, else `kill`; what was mounted is taken away, whatever happened."""
    probe = tmp_path / "probe"
    probe.mkdir()
    status, _ = await run("mount", "-t", "tmpfs", "-o", "size=1m", "none", str(probe))
    try:
        yield "kill" if status else "cut"
    finally:
        for folder in (probe, tmp_path / "core"):
            await run("umount", "-q", str(folder))


def test_a_torn_line_of_what_was_acknowledged_counts_as_none() -> None:
    """Fault 49: what the killed writer had said in full is held against it, and the next one's word, too."""
    text = "finish 10\nack 7\nfinish 12finish 20\nacaccept 3\nfinish 3"
    assert acknowledged(text) == {"finish": [10, 20], "accept": [3], "ack": [7]}


@pytest.mark.station
async def test_power_cut_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Faults 50, 51: 12 cuts of an ext4 file system without a journal flush; the database opens clean each time."""
    acks = tmp_path / "acks"
    folder = tmp_path / "core"
    async with cut_or_kill(tmp_path) as how:
        status, said = await run(
            sys.executable, "-m", "tests.fixtures.dying", how, str(CUTS), "2", str(folder), str(acks)
        )
        assert status == 0, said
        counted = await judge(folder, acks)
    assert counted["finish"] > 10 * CUTS


DISK_SAYS = {
    "fault 54: EIO on fsync": "fdatasync:error=EIO:when=20..24",
    "fault 52: disk full": "pwrite64:error=ENOSPC:when=60..75",
    "fault 53: read-only": "pwrite64:error=EROFS:when=60..65",
}


@pytest.mark.station
@pytest.mark.parametrize("what", DISK_SAYS)
async def test_disk_errors_in_mid_life_lose_and_double_nothing(tmp_path: Path, what: str) -> None:
    """Injected into real system calls: every failed commit says so, is whole after its retry, and stands once."""
    assert shutil.which("strace"), "this test needs strace: apt-get install strace"
    acks = tmp_path / "acks"
    log = tmp_path / "strace"
    inject = DISK_SAYS[what]
    status, said = await run(
        *("strace", "-f", "-qq", "-o", str(log), "-e", f"trace={inject.split(':')[0]}", "-e", f"inject={inject}"),
        *(sys.executable, "-m", "tests.fixtures.dying", "stubborn", "40", "0", str(tmp_path / "core"), str(acks)),
    )
    assert status == 0, said
    assert "INJECTED" in log.read_text()
    assert int(said.split("failures ")[1]) > 0
    assert (await judge(tmp_path / "core", acks))["finish"] == 40


@pytest.mark.station
async def test_full_disk_is_survived_by_the_ballast(tmp_path: Path) -> None:
    """Fault 52 on a real file system: commits go on out of the reserve, a full disk still opens, room heals."""
    own_mounts = ("unshare", "-m") if os.geteuid() == 0 else ("unshare", "-rm")
    status, said = await run(
        *own_mounts, sys.executable, "-m", "tests.fixtures.dying", "full", "0", "0", str(tmp_path / "core"), "-"
    )
    assert status == 0, said
