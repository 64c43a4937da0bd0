"""What independent devices refuse, or do not say at all, is an error by name and never a value (S-34, I3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import LineId
from siteward.model.site import Line
from siteward_drivers.line import LineOwner
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.links import open_link
from siteward_drivers.modbus import Answer, Request
from siteward_drivers.profile_schema import TimingPart, Transport
from siteward_drivers.sim.virtual import VirtualClock
from siteward_drivers.slave import Role, Slave

from .peering import PEERS, command, process, registers, until_up
from .wiring import free_port, joined_ptys

pytestmark = pytest.mark.station

HOLDING = {address: 1000 + address for address in range(10, 20)}
ILLEGAL_ADDRESS = 2
SHORT = "jsmodbus"
"""It answers a read beyond its last register with fewer registers than were asked for, and at every address."""

REFUSING = [peer for peer in PEERS if peer != "mbtoolcli"]
"""mbtoolcli has every register; what it is told to refuse or to drop is in test_peers.py."""


class Bus:
    """One line of ours and its requests."""

    def __init__(self, owner: LineOwner) -> None:
        self._owner = owner
        self._slaves: dict[int, Slave] = {}

    async def ask(self, request: Request) -> Answer:
        timing = TimingPart(response_timeout_s=0.4, gap_s=0.01)
        slave = self._slaves.get(request.unit)
        if slave is None:
            slave = self._owner.add_slave(Slave(f"unit {request.unit}", request.unit, Role.OTHER, timing))
            self._slaves[request.unit] = slave
        return await self._owner.perform(Job(slave, request, Rank.REST))


@asynccontextmanager
async def bus(port: str, framing: Transport) -> AsyncIterator[Bus]:
    """An open line to a peer."""
    line = Line(LineId("peer"), port, 19200)
    owner = LineOwner(line, open_link(line), framing, VirtualClock(asyncio.get_running_loop()))
    await owner.open()
    await until_up(owner)
    try:
        yield Bus(owner)
    finally:
        await owner.close()


async def _holds(it: Bus, peer: str) -> None:
    """Right values, an exception for what is not there, and right values again."""
    assert (await it.ask(Request(7, 3, 10, 10))).values == tuple(HOLDING.values())
    with pytest.raises(DeviceUnreachable if peer == SHORT else DeviceRefused):
        await it.ask(Request(7, 3, 15, 10))
    assert (await it.ask(Request(7, 3, 12, 4))).values == (1012, 1013, 1014, 1015)
    with pytest.raises(DeviceRefused) as refused:
        await it.ask(Request(7, 16, 60, 2, (1, 2)))
    assert refused.value.code == ILLEGAL_ADDRESS
    await it.ask(Request(7, 6, 11, 1, (4711,)))
    await it.ask(Request(7, 16, 12, 2, (1, 65535)))
    assert (await it.ask(Request(7, 3, 10, 5))).values == (1010, 4711, 1, 65535, 1014)


@pytest.mark.parametrize("peer", REFUSING)
async def test_what_a_serial_slave_has_not_is_refused_and_a_dead_unit_is_silent(peer: str, tmp_path: Path) -> None:
    file = registers(tmp_path / "map.json", {}, HOLDING)
    with joined_ptys() as (ours, theirs):
        async with process(command(peer, "rtu", theirs, 7, file)), bus(ours, Transport.RTU) as it:
            await _holds(it, peer)
            if peer != SHORT:
                # umodbus speaks for units that it does not have; the others keep silent.
                with pytest.raises(DeviceRefused if peer == "umodbus" else DeviceUnreachable):
                    await it.ask(Request(8, 3, 10, 1))
            assert (await it.ask(Request(7, 3, 18, 1))).values == (1018,)


@pytest.mark.parametrize("peer", REFUSING)
async def test_what_a_server_has_not_is_refused(peer: str, tmp_path: Path) -> None:
    file = registers(tmp_path / "map.json", {}, HOLDING)
    port = free_port()
    async with (
        process(command(peer, "tcp", str(port), 7, file)),
        bus(f"tcp://127.0.0.1:{port}", Transport.TCP) as it,
    ):
        await _holds(it, peer)
        assert (await it.ask(Request(7, 3, 11, 1))).values == (4711,)
