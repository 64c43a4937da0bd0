"""A store on a real disk and the clock it takes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from siteward.store.open import open_store
from siteward.store.store import Store
from tests.fixtures.clock import RealClock


@pytest.fixture
def clock() -> RealClock:
    """The computer's clock."""
    return RealClock()


@pytest.fixture
async def store(tmp_path: Path, clock: RealClock) -> AsyncIterator[Store]:
    """An empty store."""
    made = await open_store(tmp_path / "core" / "siteward.db", clock)
    yield made
    await made.close()
