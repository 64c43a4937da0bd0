"""The MQTT link against a real mosquitto: epochs, acks, will, lost brokers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from siteward_sync.errors import LinkDown, UnsafeLink
from siteward_sync.link import Link, Received
from siteward_sync.link_options import LinkOptions, Will, tls_context
from tests.fixtures.broker import Broker, broker, free_port
from tests.fixtures.one_way import one_way

__all__ = ["broker"]
pytestmark = pytest.mark.station


def options(port: int, client: str, *topics: str, **more: object) -> LinkOptions:
    """Options for tests: short pauses."""
    return LinkOptions(client, "127.0.0.1", port, topics, retry_first_s=0.05, retry_max_s=0.2, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def linked(chosen: LinkOptions, on_message: Callable[[Received], None] = lambda _: None) -> AsyncIterator[Link]:
    """A running link."""
    link = Link(chosen, on_message)
    stop = asyncio.Event()
    task = asyncio.create_task(link.run(stop))
    try:
        yield link
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def test_a_message_goes_through_and_unacked_ones_come_again(broker: Broker) -> None:
    """Without an ack the broker keeps a message and delivers it to the next connection (contract: QoS 1)."""
    got: asyncio.Queue[Received] = asyncio.Queue()
    async with asyncio.timeout(10):
        async with linked(options(broker.port, "reader", "t/#"), got.put_nowait) as reader:
            await reader.until_up()
            async with linked(options(broker.port, "writer")) as writer:
                await writer.until_up()
                await writer.publish("t/1", b"one")
                await writer.publish("t/2", b"two")
                first, second = await got.get(), await got.get()
            assert (first.topic, first.payload, first.qos, first.retain) == ("t/1", b"one", 1, False)
            assert reader.ack(first)
        async with linked(options(broker.port, "reader", "t/#"), got.put_nowait) as again:
            repeated = await got.get()
            assert repeated.payload == b"two"
            assert again.ack(repeated)
            assert not again.ack(Received("t/2", b"two", 1, False, second.mid, 0)), "an ack of another epoch is dropped"


async def test_a_killed_broker_ends_the_connection_and_the_link_returns(broker: Broker) -> None:
    """Fault 36: SIGKILL of the broker fails what is in flight at once; the next connection has a new epoch."""
    async with asyncio.timeout(10), linked(options(broker.port, "station", "t/#")) as link:
        before = await link.until_up()
        await broker.kill()
        await link.until_down()
        with pytest.raises(LinkDown):
            await link.publish("t/1", b"x")
        await broker.start()
        assert await link.until_up() > before
        await link.publish("t/1", b"x")


async def test_the_last_will_is_published_when_the_socket_is_cut(broker: Broker) -> None:
    """A dead station is announced by the broker; a stopped one is not."""
    got: asyncio.Queue[Received] = asyncio.Queue()
    will = Will("t/status", b"gone")
    async with asyncio.timeout(10), linked(options(broker.port, "watch", "t/#"), got.put_nowait) as watch:
        await watch.until_up()
        async with linked(options(broker.port, "polite", will=will, will_delay_s=0)) as polite:
            await polite.until_up()
        async with linked(options(broker.port, "dead", will=will, will_delay_s=0)) as dead:
            await dead.until_up()
            raw = dead._session._client.socket()  # type: ignore[union-attr]
            raw.shutdown(2)  # type: ignore[union-attr]
            await dead.until_down()
            assert (await got.get()).payload == b"gone"
        assert got.empty()


async def test_a_link_that_hears_nothing_ends_and_comes_back(broker: Broker) -> None:
    """Fault 42: the broker is not heard, we are; two keep-alives tell, and a new connection follows."""
    async with (
        asyncio.timeout(15),
        one_way(broker.port) as wire,
        linked(options(wire.port, "station", "t/#", keepalive_s=1, connect_s=0.5)) as link,
    ):
        before = await link.until_up()
        wire.cut = {"down"}
        with pytest.raises(LinkDown):
            await link.publish("t/1", b"never confirmed")
        await link.until_down()
        wire.cut = set()
        assert await link.until_up() > before
        await link.publish("t/1", b"again")


async def test_a_station_that_is_not_heard_is_told_to_all_by_its_will(broker: Broker) -> None:
    """Fault 42: what we say is lost; the broker announces it after its keep-alive, and we find out by ours."""
    got: asyncio.Queue[Received] = asyncio.Queue()
    will = Will("t/status", b"gone")
    async with (
        asyncio.timeout(15),
        one_way(broker.port) as wire,
        linked(options(broker.port, "watch", "t/#"), got.put_nowait) as watch,
        linked(options(wire.port, "station", keepalive_s=1, connect_s=0.5, will=will, will_delay_s=0)) as link,
    ):
        await watch.until_up()
        before = await link.until_up()
        wire.cut = {"up"}
        assert (await got.get()).payload == b"gone"
        await link.until_down()
        wire.cut = set()
        assert await link.until_up() > before


async def test_nobody_listening_is_a_pause_never_an_end() -> None:
    """Fault 35: no broker at all; the link keeps trying and stops at once when told."""
    async with linked(options(free_port(), "station")) as link:
        await asyncio.sleep(0.3)
        assert not link.up
        assert link.epoch >= 2
        assert "refused" in str(link.last_error)


def test_plain_tcp_is_for_this_machine_only() -> None:
    """Contract section 4: no plain fall-back; `insecure` is a decision that somebody wrote down."""
    with pytest.raises(UnsafeLink, match=r"broker\.example"):
        tls_context(LinkOptions("s", "broker.example", 1883))
    assert tls_context(LinkOptions("s", "broker.example", 1883, insecure=True)) is None
    for host in ("127.0.0.1", "::1", "localhost"):
        assert tls_context(LinkOptions("s", host, 1883)) is None


def test_pauses_grow_stay_bounded_and_are_spread() -> None:
    """Fault 40: ten thousand stations do not come back in the same second."""
    chosen = LinkOptions("s", "localhost", 1883)
    assert [chosen.pause_s(n, 1.0) for n in (0, 1, 2, 9, 999)] == [2.0, 4.0, 8.0, 60.0, 60.0]
    assert chosen.pause_s(9, 0.25) == 15.0
