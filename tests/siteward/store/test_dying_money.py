"""No session is lost or doubled, and no Wh of it, over SIGKILL at every journal write of a session with its bill."""

import sys
from pathlib import Path

import pytest

from tests.siteward.store.test_dying import run


@pytest.mark.station
async def test_a_session_survives_a_kill_at_each_of_its_writes(tmp_path: Path) -> None:
    """Fault 49, I5, S-25: before, inside and after each commit; the bill holds, segments add up, one is finished."""
    status, said = await run(sys.executable, "-m", "tests.fixtures.dying_money", str(tmp_path), "1", "1")
    assert status == 0, said
    assert int(said.split()[-1]) >= 30, said
