"""A station without wires for the tests of verbs, and a shell at it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fixtures.core import FakeCore, running_core
from tests.siteward.cli.shell import Shell


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[FakeCore]:
    """A station with twelve connectors, two of them charging."""
    async with running_core(tmp_path / "run") as station:
        yield station


@pytest.fixture
def shell(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell at the station."""
    return Shell(core, capsys)
