"""The whole file is read behind control, not before it: the first turn never waits for a large database."""

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from siteward.model.alarms import STATION, Alarm, AlarmCode
from siteward.model.errors import StoreError
from siteward.runtime.station import STORE_OPEN_S
from siteward.store.open import open_store
from siteward.store.soundness import AGAIN_S, Soundness, mark_path, marked
from tests.fixtures.clock import RealClock
from tests.fixtures.store import batch, status

from .test_dying import run

DELAY_S = 0.002
"""What one read of the slow disk takes."""


async def large(path: Path, clock: RealClock) -> int:
    """A database of some thousand pages; how many."""
    store = await open_store(path, clock)
    for number in range(40):
        await store.commit(batch(*(status(number * 25 + n, filler="x" * 20_000) for n in range(25))))
    await store.close()
    return path.stat().st_size // 4096


@pytest.mark.station
async def test_control_has_its_state_long_before_a_large_file_on_a_slow_disk_is_read(
    tmp_path: Path, clock: RealClock
) -> None:
    """Faults 55, 56, ruling 12: reading it all would take longer than control waits, and it waits for none of it."""
    assert shutil.which("strace"), "this test needs strace: apt-get install strace"
    path = tmp_path / "siteward.db"
    pages = await large(path, clock)
    assert pages * DELAY_S > 2 * STORE_OPEN_S
    code, said = await run(
        *("strace", "-f", "-qq", "-o", str(tmp_path / "strace"), "-P", str(path)),
        *("-e", "trace=pread64", "-e", f"inject=pread64:delay_enter={round(DELAY_S * 1e6)}"),
        *(sys.executable, "-m", "tests.fixtures.slow_disk", str(path)),
    )
    assert code == 0, said
    told = json.loads(said)
    assert not told["checked"]
    assert told["ready_s"] < STORE_OPEN_S / 2
    assert told["commit_s"] < 1.0
    assert told["close_s"] < 1.0
    assert told["alarms"] == 0


async def test_a_sound_file_is_read_once_and_left_alone(tmp_path: Path, clock: RealClock) -> None:
    """Fault 55: no alarm, no mark, and commits go on meanwhile."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, clock)
    await store.commit(batch(status(1)))
    assert await store.checked() == ""
    assert store.alarms == frozenset()
    await store.close()
    assert not mark_path(path).exists()


class Patient(RealClock):
    """A clock whose waits end at once; the database comes while one waits."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS t (x)")


async def test_a_check_that_could_not_be_made_is_made_again(tmp_path: Path) -> None:
    """Fault 54: a disk that cannot be read, or a repair that had to go first, says nothing about the file."""
    path = tmp_path / "siteward.db"
    clock = Patient(path)
    soundness = Soundness(path)
    soundness.stand_aside()
    await soundness.watch(clock)
    assert clock.waited == [AGAIN_S]
    assert soundness.checked.is_set()
    assert soundness.damage == ""
    await soundness.close()
    assert soundness._read_all() == ""


async def test_damage_that_a_reader_stumbles_over_is_marked_too(tmp_path: Path, clock: RealClock) -> None:
    """Fault 55: no second start is needed to learn what this one already knows."""
    path = tmp_path / "siteward.db"
    store = await open_store(path, clock)
    await store.checked()
    store._parts.soundness.found("page 7 is no page")
    store._parts.soundness.found("neither is page 9")
    assert store.alarms == {Alarm(AlarmCode.STORE_DAMAGED, STATION)}
    await store.close()
    assert marked(path) == "page 7 is no page"
    again = await open_store(path, clock)
    assert again.alarms == {Alarm(AlarmCode.STORE_SALVAGED, STATION)}
    assert [p.name for p in tmp_path.glob("damaged-*/*.damaged")] == ["siteward.damaged"]
    await again.close()


async def test_a_mark_without_a_file_means_nothing(tmp_path: Path, clock: RealClock) -> None:
    """Fault 51: the power went between setting the file aside and taking the mark along."""
    path = tmp_path / "siteward.db"
    mark_path(path).write_text("quick_check: something")
    store = await open_store(path, clock)
    assert store.alarms == frozenset()
    await store.close()
    assert not mark_path(path).exists()


async def test_a_mark_that_cannot_be_read_is_a_disk_that_fails(tmp_path: Path, clock: RealClock) -> None:
    """Fault 53: bare protection, not a guess about the file."""
    path = tmp_path / "siteward.db"
    path.write_bytes(b"")
    mark_path(path).mkdir()
    with pytest.raises(StoreError, match=r"siteward\.damaged"):
        await open_store(path, clock)


async def test_the_reserve_that_a_full_disk_took_is_an_alarm(tmp_path: Path, clock: RealClock) -> None:
    """Fault 52: until the room is there again."""
    store = await open_store(tmp_path / "siteward.db", clock)
    store._parts.ballast.drop()
    assert store.alarms == {Alarm(AlarmCode.STORE_NEARLY_FULL, STATION)}
    await store.tidy()
    assert store.alarms == frozenset()
    await store.close()
