"""A small platform that runs: stores what stations send, acknowledges after the commit, sends commands."""

import asyncio
import json
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from siteward.client.jws import put_together
from siteward.model.ids import ulid
from siteward.model.ports import Clock
from siteward.model.requests import Stage
from siteward.trust.crypto import SigningKey, private_key
from siteward_sync.errors import LinkDown, PublishRefused
from siteward_sync.link import Link, Received
from siteward_sync.link_options import LinkOptions, TlsFiles
from siteward_sync.protocol.v1 import Ack, Command, SignedCommand
from siteward_sync.receiver.records import Records, Stored
from siteward_sync.speaker import Speaker
from siteward_sync.topics import ACKS, COMMANDS, EVERY_STATION

_TOGETHER = 200
_BACKLOG = 2000


@dataclass(frozen=True, slots=True)
class Signer:
    """The platform's key and the name by which its stations know it."""

    kid: str
    key: SigningKey

    def sign(self, command: Command) -> SignedCommand:
        """The command as a JWS; its bytes are what is signed."""
        return SignedCommand(jws=put_together(command.to_json(), self.kid, self.key.sign))


@dataclass(frozen=True, slots=True)
class PlatformOptions:
    """Where the broker is, where the records go; client_id must be another one for each platform on a broker.

    signer: with it every command is signed.
    """

    host: str
    port: int
    db: Path
    client_id: str = "siteward-platform"
    tls: TlsFiles | None = None
    insecure: bool = False
    retry_first_s: float = 0.5
    signer: Signer | None = None


class Platform:
    """Use `run` as a task; everything else may be called while it runs."""

    def __init__(self, options: PlatformOptions, clock: Clock) -> None:
        self._clock = clock
        self._box: asyncio.Queue[Received] = asyncio.Queue()
        self.link = Link(
            LinkOptions(
                options.client_id,
                options.host,
                options.port,
                (EVERY_STATION,),
                tls=options.tls,
                insecure=options.insecure,
                retry_first_s=options.retry_first_s,
                receive_maximum=_TOGETHER,
                want_retained=True,
            ),
            self._take,
        )
        self._speaker = Speaker(self.link, clock)
        self._signer = options.signer
        self.records = Records(options.db)
        self._thread = ThreadPoolExecutor(1, "platform-records")
        self._news = asyncio.Condition()

    def _take(self, message: Received) -> None:
        if message.qos > 0 or self._box.qsize() < _BACKLOG:
            self._box.put_nowait(message)

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until stop. Raises RecordsFailed: what is not stored is not acknowledged, and comes again."""
        halted = asyncio.create_task(stop.wait())
        hang_up = asyncio.Event()
        linked = asyncio.create_task(self.link.run(hang_up))
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait({halted, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            halted.cancel()
            working.cancel()
            hang_up.set()
            await asyncio.gather(halted, working, linked, return_exceptions=True)
            await asyncio.to_thread(self._thread.shutdown)
            self.records.close()

    async def _work(self) -> None:
        while True:
            messages = [await self._box.get()]
            while len(messages) < _TOGETHER and not self._box.empty():
                messages.append(self._box.get_nowait())
            stored = await self._in_thread(self.records.store, [(m.topic, m.payload) for m in messages])
            for message in messages:
                if message.qos > 0:
                    self.link.ack(message)
            await self._acknowledge(stored)
            async with self._news:
                self._news.notify_all()

    async def _acknowledge(self, stored: Stored) -> None:
        """Say how far each journal is stored. A lost ack does no harm: the batch comes again, and so does the ack."""
        for (station, journal), seq in stored.positions.items():
            try:
                await self._speaker.say(station, ACKS, Ack(journal_id=journal, seq=seq).to_json(), expiry_s=3600)
            except (LinkDown, PublishRefused):
                continue

    async def _in_thread(self, function: Any, *values: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *values)

    async def send(
        self,
        station: str,
        name: str,
        target: str | None = None,
        params: Mapping[str, Any] | None = None,
        *,
        order_id: str | None = None,
        valid_s: float = 60.0,
        command_id: str | None = None,
    ) -> str:
        """Send one command and return its id. Raises LinkDown, PublishRefused; sending again the same id is safe."""
        command = new_command(self._clock, station, name, target, params, order_id, valid_s, command_id)
        said = command if self._signer is None else self._signer.sign(command)
        await self._speaker.say(station, COMMANDS, said.to_json(), expiry_s=max(1, int(valid_s)))
        return command.command_id

    async def replies(self, station: str, command: str, stage: Stage | None = None) -> list[dict[str, Any]]:
        """Replies to a command, once the stage is there (None: a final one). Bound it with asyncio.timeout."""

        async def look() -> tuple[list[dict[str, Any]], bool]:
            found: list[dict[str, Any]] = await self._in_thread(self.records.replies, station, command)
            stages = {Stage(reply["stage"]) for reply in found}
            return found, (stage in stages if stage is not None else any(s.final for s in stages))

        async with self._news:
            found, there = await look()
            while not there:
                await self._news.wait()
                found, there = await look()
            return found


def new_command(
    clock: Clock,
    station: str,
    name: str,
    target: str | None = None,
    params: Mapping[str, Any] | None = None,
    order_id: str | None = None,
    valid_s: float = 60.0,
    command_id: str | None = None,
) -> Command:
    """Return a command that is issued now."""
    now = clock.wall()
    return Command(
        command_id=command_id or ulid(int(now.timestamp() * 1000), secrets.token_bytes(10)),
        station_id=station,
        name=name,
        target=target,
        params=None if params is None else json.loads(json.dumps(dict(params))),
        order_id=order_id,
        issued_at=now,
        expires_at=now + timedelta(seconds=valid_s),
    )


def read_signer(kid: str, pem: Path) -> Signer:
    """The signer of a PEM file. Raises CertificateError, OSError."""
    return Signer(kid, private_key(pem.read_bytes()))


async def run_platform(options: PlatformOptions, clock: Clock, stop: asyncio.Event) -> None:
    """Run the reference platform until stop is set. Raises UnsafeLink, RecordsFailed."""
    await Platform(options, clock).run(stop)
