"""S-54: the record of alarms over the local API, and sync's word about its connection."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.client.client import Client
from siteward.client.errors import Refused
from siteward.client.messages import UplinkMessage
from siteward.model.alarm_log import AlarmRecord, Handling
from tests.fixtures.core import running_core

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


async def test_the_record_comes_in_pages(tmp_path: Path) -> None:
    """flows.md: history is paged, newest first."""
    note = Handling(AT, "panel", "ann", "technician", "on my way")
    async with running_core(tmp_path) as core, Client(tmp_path / "cli.sock") as client:
        core.alarm_rows = [
            AlarmRecord("LINE_LOST", "rs485-1", "high", AT, "en", "中文", notes=(note,), number=n, value=3.0)
            for n in range(1, 6)
        ]
        page = await client.alarm_log(limit=2)
        assert [row.number for row in page] == [5, 4]
        assert (page[0].notes[0].user, page[0].notes[0].note, page[0].value) == ("ann", "on my way", 3.0)
        assert [row.number for row in await client.alarm_log(limit=9, before=4)] == [3, 2, 1]


async def test_only_sync_says_how_it_is_connected(tmp_path: Path) -> None:
    """flows.md: the socket is the caller."""
    async with running_core(tmp_path) as core:
        async with Client(tmp_path / "sync.sock") as sync:
            await sync.uplink(UplinkMessage(connected=True, failing=("mail",)))
        assert core.uplinks == [(True, ("mail",))]
        async with Client(tmp_path / "panel.sock") as panel:
            with pytest.raises(Refused, match="may not"):
                await panel.uplink(UplinkMessage(connected=False))
        assert len(core.uplinks) == 1
