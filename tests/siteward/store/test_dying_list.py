"""A list of cards that comes in parts is swapped in one step, over SIGKILL at every journal write of it."""

import sys
from pathlib import Path

import pytest

from tests.siteward.store.test_dying import run


@pytest.mark.station
async def test_a_list_in_parts_is_old_or_new_after_a_kill_at_each_of_its_writes(tmp_path: Path) -> None:
    """B17, fault 49, law 4: before, inside and after each commit; nobody is ever judged by half a list."""
    status, said = await run(sys.executable, "-m", "tests.fixtures.dying_list", str(tmp_path))
    assert status == 0, said
    assert int(said.split()[-1]) == 15, said
