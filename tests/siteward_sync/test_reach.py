"""Core hears from sync whether the platform can be reached, and believes it for no longer than a minute (B17)."""

from pathlib import Path

import pytest

from siteward.client.client import Client
from siteward.client.errors import Refused
from siteward.runtime.uplink import FRESH_S, Uplink
from tests.fixtures.broker import Broker, broker
from tests.fixtures.clock import RealClock
from tests.siteward_sync.rig import core_at, synced, until

__all__ = ["broker"]


class HandClock(RealClock):
    """A clock that a test moves."""

    at = 100.0

    def now(self) -> float:
        """What the test says."""
        return self.at


def test_silence_is_a_no_after_a_minute() -> None:
    """Law 5: a sync that died says nothing, and nothing is offline."""
    clock = HandClock()
    uplink = Uplink(clock)
    assert not uplink.online
    uplink.heard(True)
    clock.at += FRESH_S
    assert uplink.online
    clock.at += 0.1
    assert not uplink.online
    uplink.heard(True)
    uplink.heard(False)
    assert not uplink.online


@pytest.mark.station
async def test_core_hears_when_the_platform_comes_and_goes(tmp_path: Path, broker: Broker) -> None:
    """B17: known within a second of the link's own knowledge."""
    async with core_at(tmp_path) as core, synced(core, broker):
        await until(lambda: core.uplinks and core.uplinks[-1][0])
        await broker.stop()
        await until(lambda: not core.uplinks[-1][0])
        assert [connected for connected, _ in core.uplinks].index(True) < len(core.uplinks) - 1


@pytest.mark.parametrize("name", ["cli", "panel", "sync", "field"])
async def test_only_people_see_the_cards(tmp_path: Path, name: str) -> None:
    """S-82, S-86: the socket is the caller."""
    async with core_at(tmp_path) as core, Client(core.run_dir / f"{name}.sock") as client:
        if name in ("cli", "panel"):
            assert (await client.auth_list()).version == 0
            return
        with pytest.raises(Refused) as no:
            await client.auth_list()
        assert no.value.status == 403
