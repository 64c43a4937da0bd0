"""The MQTT 5 connection, one client object a connection: the only file that knows paho."""

import asyncio
import contextlib
import secrets
import socket
import ssl
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from siteward_sync.errors import LinkDown
from siteward_sync.link_options import LinkOptions, tls_context
from siteward_sync.progress import WINDOW, Progress, Received, settle

__all__ = ["Link", "Received"]

_CLOSE_S = 1.0
_KEEP_FOR_S = 0xFFFFFFFF


class Link:
    """Keeps one connection to a broker. All methods belong to the event loop's thread.

    Nothing is queued while the connection is down: what must not be lost is kept and sent again by its owner.
    `on_message` is called in the loop for every message and must not block; QoS 1 messages stay the broker's
    until `ack`. The constructor raises UnsafeLink.
    """

    def __init__(self, options: LinkOptions, on_message: Callable[[Received], None]) -> None:
        self._options = options
        self._context = tls_context(options)
        self._on_message = on_message
        self._session: _Session | None = None
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._down.set()
        self.epoch = 0
        """Number of the newest connection; 0 before the first."""
        self.max_packet = 1 << 28
        """Largest message in bytes that this broker takes."""
        self.last_error: LinkDown | None = None
        """Why the newest connection ended or was not made, for the status page."""

    @property
    def up(self) -> bool:
        """Whether the connection stands and its subscriptions are confirmed."""
        return self._up.is_set()

    async def until_up(self) -> int:
        """Wait for a connection and return its epoch."""
        await self._up.wait()
        return self.epoch

    async def until_down(self) -> None:
        """Wait until the connection that stands now has ended."""
        await self._down.wait()

    async def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, expiry_s: int | None = None
    ) -> None:
        """Send; returns when the broker has it (QoS 1) or it was written to the socket (QoS 0).

        Raises LinkDown when the connection is down or ends first (the message may or may not have arrived),
        PublishRefused when the broker answered no.
        """
        session = self._session
        if session is None or not self._up.is_set():
            raise LinkDown("not connected")
        await session.publish(topic, payload, qos, retain, expiry_s)

    def ack(self, message: Received) -> bool:
        """Give the broker leave to forget a QoS 1 message; False when its connection is gone: it will come again."""
        session = self._session
        if session is None or message.epoch != self.epoch or session.progress.ended.done():
            return False
        return session.ack(message)

    async def run(self, stop: asyncio.Event) -> None:
        """Connect, and again whenever the connection ends, until `stop`; then say goodbye."""
        halted = asyncio.create_task(stop.wait())
        failures = 0
        try:
            while not stop.is_set():
                lasted = await self._one_connection(halted)
                failures = 0 if lasted else failures + 1
                await asyncio.wait({halted}, timeout=self._options.pause_s(failures, secrets.SystemRandom().random()))
        finally:
            halted.cancel()

    async def _one_connection(self, halted: "asyncio.Task[Any]") -> bool:
        """Live through one connection. Return whether it stood long enough to trust the broker again."""
        loop = asyncio.get_running_loop()
        self.epoch += 1
        session = self._session = _Session(self._options, self._context, self.epoch, self._deliver)
        began = loop.time()
        opening = asyncio.ensure_future(session.open())
        try:
            await asyncio.wait({opening, halted}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                return False
            self.max_packet = opening.result()
            self._down.clear()
            self._up.set()
            await asyncio.wait({session.progress.ended, halted}, return_when=asyncio.FIRST_COMPLETED)
            self.last_error = session.progress.why
        except LinkDown as error:
            self.last_error = session.progress.why or error
        finally:
            opening.cancel()
            self._up.clear()
            self._down.set()
            self._session = None
            await session.close()
        return loop.time() - began >= self._options.stable_s

    def _deliver(self, message: Received) -> None:
        if message.epoch == self.epoch:
            self._on_message(message)


class _Session:
    """One connection with its own paho client: packet ids and un-acked messages never outlive it."""

    def __init__(
        self, options: LinkOptions, context: ssl.SSLContext | None, epoch: int, deliver: Callable[[Received], None]
    ) -> None:
        self._options = options
        self._epoch = epoch
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self.progress = Progress()
        self._closed = False
        self._client = self._make(context)

    def _make(self, context: ssl.SSLContext | None) -> Client:
        options = self._options
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.suppress_exceptions = True  # an exception in a callback would kill the network thread unseen
        client.connect_timeout = options.connect_s
        if context is not None:
            client.tls_set_context(context)
        if options.will is not None:
            delay = _properties(PacketTypes.WILLMESSAGE)
            delay.WillDelayInterval = options.will_delay_s
            client.will_set(options.will.topic, options.will.payload, 1, options.will.retain, delay)
        client.on_socket_open = self._no_delay
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._suback
        client.on_publish = self._puback
        client.on_message = self._message
        return client

    async def open(self) -> int:
        """Connect and subscribe; return the broker's largest packet. Raises LinkDown."""
        options = self._options
        dialled: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._dial, args=(dialled,), daemon=True, name="mqtt-dial").start()
        try:
            async with asyncio.timeout(options.connect_s * 2):
                await dialled
                self._client.loop_start()
                largest = await self.progress.accepted
                if options.subscriptions:
                    self._subscribe()
                    await self.progress.subscribed
        except TimeoutError as error:
            raise LinkDown(f"{options.host}:{options.port} did not answer in time") from error
        return largest

    def _dial(self, dialled: "asyncio.Future[None]") -> None:
        """Name look-up, TCP and TLS may each block for seconds: they get a thread that nobody waits for at exit."""
        options = self._options
        properties = _properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = min(options.session_expiry_s, _KEEP_FOR_S)
        properties.ReceiveMaximum = options.receive_maximum
        error: LinkDown | None = None
        try:
            self._client.connect(
                options.host, options.port, options.keepalive_s, clean_start=False, properties=properties
            )
        except (OSError, ValueError) as reason:
            error = LinkDown(f"{options.host}:{options.port}: {reason}")
        raw = self._client.socket()
        if self._closed and raw is not None:
            raw.close()
        self._call(settle, dialled, error)

    def _subscribe(self) -> None:
        wanted = [
            (
                topic,
                SubscribeOptions(qos=1, retainAsPublished=True, retainHandling=0 if self._options.want_retained else 1),
            )
            for topic in self._options.subscriptions
        ]
        self._client.subscribe(wanted)

    async def publish(self, topic: str, payload: bytes, qos: int, retain: bool, expiry_s: int | None) -> None:
        """Hand over to paho and wait for its report."""
        properties = _properties(PacketTypes.PUBLISH)
        if expiry_s is not None:
            properties.MessageExpiryInterval = expiry_s
        async with self.progress.window if qos else contextlib.nullcontext():
            info = self._client.publish(topic, payload, qos, retain, properties)
            if self.progress.ended.done() or info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise LinkDown(f"not sent: {info.rc.name}")
            await self.progress.confirmed(info.mid, topic)

    def ack(self, message: Received) -> bool:
        """Send the PUBACK of a message of this connection."""
        return self._client.ack(message.mid, message.qos) == MQTTErrorCode.MQTT_ERR_SUCCESS

    async def close(self) -> None:
        """Say goodbye, at most for a second; then cut the socket so that paho's thread ends."""
        client = self._client
        self._closed = True
        if client.disconnect() == MQTTErrorCode.MQTT_ERR_SUCCESS and not self.progress.ended.done():
            await asyncio.wait({self.progress.ended}, timeout=_CLOSE_S)
        self.progress.end(LinkDown("closed"))
        raw: Any = client.socket()
        if raw is not None:
            with contextlib.suppress(OSError):  # already closed by the peer: that is what is wanted
                raw.shutdown(socket.SHUT_RDWR)
        reaped: asyncio.Future[None] = self._loop.create_future()
        threading.Thread(target=self._reap, args=(reaped,), daemon=True, name="mqtt-reap").start()
        await reaped

    def _reap(self, reaped: "asyncio.Future[None]") -> None:
        """Join paho's thread without holding up the loop."""
        self._client.loop_stop()
        self._call(settle, reaped, None)

    # --- in paho's thread: hand over, nothing else -------------------------------------------------------------

    def _call(self, function: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to tell
            self._loop.call_soon_threadsafe(function, *args)

    def _no_delay(self, _client: Client, _userdata: Any, sock: Any) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _connected(
        self, _client: Client, _userdata: Any, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._call(self.progress.end, LinkDown(f"the broker refused the connection: {reason}"))
            return
        window = getattr(properties, "ReceiveMaximum", WINDOW)
        self._call(self.progress.accept, window, getattr(properties, "MaximumPacketSize", 1 << 28))

    def _disconnected(
        self, _client: Client, _userdata: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        self._call(self.progress.end, LinkDown(f"the connection ended: {reason}"))

    def _suback(self, _client: Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        bad = next((reason for reason in reasons if reason.is_failure), None)
        if bad is not None:
            self._call(self.progress.end, LinkDown(f"the broker refused a subscription: {bad}"))
        else:
            self._call(settle, self.progress.subscribed, None)

    def _puback(self, _client: Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Any) -> None:
        self._call(self.progress.published, mid, int(reason.value), str(reason))

    def _message(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        received = Received(
            message.topic, bytes(message.payload), message.qos, message.retain, message.mid, self._epoch
        )
        self._call(self._deliver, received)


def _properties(packet: int) -> Properties:
    """Empty MQTT 5 properties of a kind of packet; paho leaves their constructor untyped."""
    return Properties(packet)  # type: ignore[no-untyped-call]
