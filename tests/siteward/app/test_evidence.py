"""S-24: what the wire said when an alarm rose is kept beside it, in a bounded number of files."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from siteward.app.evidence import FILES_MAX, Evidence
from siteward.model.live import LiveView
from tests.fixtures.core import FakeCore, running_core


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[FakeCore]:
    async with running_core(tmp_path / "run") as station:
        yield station


async def _view(core: FakeCore) -> LiveView:
    view = await core.next_live(-1, 5.0)
    assert view is not None
    return view


async def test_a_new_alarm_of_a_wire_keeps_its_frames_once(core: FakeCore, tmp_path: Path) -> None:
    """S-24: a standing alarm is written once; one that went and rose again gets its own file."""
    evidence = Evidence(core, tmp_path / "frames")
    view = await _view(core)
    await evidence.look(view)
    await evidence.look(view)
    (file,) = (tmp_path / "frames").glob("*.pcap")
    assert "CHARGER_UNREACHABLE" in file.name
    assert file.read_bytes().startswith(b"pcap of rs485-")
    await evidence.look(replace(view, alarms=()))
    later = replace(view.alarms[0], raised_at=view.alarms[0].raised_at + timedelta(minutes=1))
    await evidence.look(replace(view, alarms=(later,)))
    assert len(list((tmp_path / "frames").glob("*"))) == 2


async def test_alarms_that_no_wire_causes_keep_nothing(core: FakeCore, tmp_path: Path) -> None:
    """S-24: only what a technician can read out of frames."""
    view = await _view(core)
    other = replace(view.alarms[0], code="CLOCK_UNTRUSTED", subject="station")
    await Evidence(core, tmp_path / "frames").look(replace(view, alarms=(other,)))
    assert not (tmp_path / "frames").exists()


async def test_the_number_of_files_is_bounded_and_the_newest_stay(core: FakeCore, tmp_path: Path) -> None:
    """S-24: a flapping charger fills no disk."""
    evidence = Evidence(core, tmp_path / "frames")
    view = await _view(core)
    first = view.alarms[0]
    for minute in range(FILES_MAX + 5):
        risen = replace(first, raised_at=first.raised_at + timedelta(minutes=minute))
        await evidence.look(replace(view, alarms=(risen,)))
        await evidence.look(replace(view, alarms=()))
    names = sorted(path.name for path in (tmp_path / "frames").iterdir())
    assert len(names) == FILES_MAX
    newest = first.raised_at + timedelta(minutes=FILES_MAX + 4)
    assert names[-1].startswith(f"{newest:%Y%m%dT%H%M%S}Z")


async def test_a_disk_that_takes_nothing_costs_only_the_file(core: FakeCore, tmp_path: Path) -> None:
    """Fault 52: evidence is a help, never a cause of trouble."""
    (tmp_path / "frames").write_text("in the way")
    evidence = Evidence(core, tmp_path / "frames")
    await evidence.look(await _view(core))
    assert evidence.lost == 1
