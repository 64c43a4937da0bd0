"""Runs command lines as a person would, against one station."""

import asyncio
import json
from typing import Any

import pytest

from siteward.cli.app import run_cli
from tests.fixtures.core import FakeCore


class Shell:
    """A terminal at a station."""

    def __init__(self, core: FakeCore, capsys: pytest.CaptureFixture[str]) -> None:
        self._run = str(core.run_dir)
        self._capsys = capsys

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        status = await asyncio.to_thread(run_cli, ["--run", self._run, *words])
        out, err = self._capsys.readouterr()
        return status, out, err

    async def said(self, *words: str) -> tuple[int, str]:
        """Exit status, and all that was said."""
        status, out, err = await self(*words)
        return status, out + err

    async def json(self, *words: str) -> Any:
        """The JSON of a command that held."""
        status, out, _ = await self(*words, "--json")
        assert status == 0, out
        return json.loads(out)
