"""`python -m siteward_sync.receiver`: the reference platform from a shell: serve, send a command, show records."""

import argparse
import asyncio
import json
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from siteward.model.requests import CommandName, Stage
from siteward.trust.crypto import CertificateError
from siteward_sync.codec import UP_LIMIT, open_envelope
from siteward_sync.errors import BadMessage, SyncError
from siteward_sync.link import Link, Received
from siteward_sync.link_options import LinkOptions, TlsFiles
from siteward_sync.receiver.clock import PlatformClock
from siteward_sync.receiver.platform import PlatformOptions, new_command, read_signer, run_platform
from siteward_sync.receiver.records import Records
from siteward_sync.speaker import Speaker
from siteward_sync.topics import COMMANDS, HEARTBEAT, REPLIES, SITE, STATUS, topic

_LEAVES = {"status": STATUS, "site": SITE, "heartbeat": HEARTBEAT}


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m siteward_sync.receiver", description=__doc__)
    parser.add_argument("--broker", default="127.0.0.1:1883", help="host:port")
    parser.add_argument("--db", type=Path, default=Path("platform.db"), help="SQLite file of the records")
    parser.add_argument("--ca", type=Path, help="authority of the broker's certificate (with --cert and --key: TLS)")
    parser.add_argument("--cert", type=Path)
    parser.add_argument("--key", type=Path)
    parser.add_argument("--insecure", action="store_true", help="allow plain TCP to another machine")
    verbs = parser.add_subparsers(dest="verb")
    verbs.add_parser("serve", help="store and acknowledge until Ctrl-C (the default)")
    send = verbs.add_parser("send", help="send a command and print its replies")
    send.add_argument("name", choices=[name.value for name in CommandName])
    send.add_argument("target", nargs="?", help="connector, feeder, or nothing for the station")
    send.add_argument("--station", required=True)
    send.add_argument("--param", action="append", default=[], metavar="KEY=JSON")
    send.add_argument("--order")
    send.add_argument("--valid-s", type=float, default=60.0)
    send.add_argument("--wait-s", type=float, default=70.0)
    send.add_argument("--sign-key", type=Path, help="PEM file of the platform's Ed25519 key: sign the command")
    send.add_argument("--kid", default="platform", help="name by which the station knows that key")
    show = verbs.add_parser("show", help="print records as JSON lines")
    show.add_argument("what", choices=["stations", "events", "refused", *_LEAVES])
    show.add_argument("--station", default="")
    return parser.parse_args(words)


def _write(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _where(options: argparse.Namespace) -> tuple[str, int, TlsFiles | None]:
    host, _, port = options.broker.rpartition(":")
    tls = TlsFiles(options.ca, options.cert, options.key) if options.ca and options.cert and options.key else None
    return host or "127.0.0.1", int(port), tls


async def _serve(options: argparse.Namespace) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    host, port, tls = _where(options)
    chosen = PlatformOptions(host, port, options.db, tls=tls, insecure=options.insecure)
    await run_platform(chosen, PlatformClock(), stop)
    return 0


async def _send(options: argparse.Namespace) -> int:
    """Send over a connection of our own and print replies up to the final one; 1 when it is no success."""
    clock, got = PlatformClock(), asyncio.Queue[Received]()
    signer = None if options.sign_key is None else read_signer(options.kid, options.sign_key)
    host, port, tls = _where(options)
    mine = topic(options.station, REPLIES)
    name = f"siteward-cli-{secrets.token_hex(4)}"
    link = Link(
        LinkOptions(name, host, port, (mine,), tls=tls, insecure=options.insecure, session_expiry_s=0), got.put_nowait
    )
    params = {key: json.loads(value) for key, _, value in (item.partition("=") for item in options.param)}
    command = new_command(
        clock, options.station, options.name, options.target, params or None, options.order, options.valid_s
    )
    stop = asyncio.Event()
    running = asyncio.create_task(link.run(stop))
    try:
        async with asyncio.timeout(options.wait_s):
            await link.until_up()
            expiry_s = max(1, int(options.valid_s))
            said = command.to_json() if signer is None else signer.sign(command).to_json()
            await Speaker(link, clock).say(options.station, COMMANDS, said, expiry_s=expiry_s)
            return await _print_replies(got, link, command.command_id)
    except TimeoutError:
        sys.stderr.write(
            f"no final reply within {options.wait_s:.0f} s; {link.last_error or 'the station is silent'}\n"
        )
        return 1
    finally:
        stop.set()
        await running


async def _print_replies(got: "asyncio.Queue[Received]", link: Link, command_id: str) -> int:
    while True:
        message = await got.get()
        link.ack(message)
        try:
            reply = open_envelope(message.payload, limit=UP_LIMIT).value
        except BadMessage:
            continue
        if reply.get("commandId") == command_id and reply.get("stage") in set(Stage):
            _write(reply)
            if Stage(reply["stage"]).final:
                return 0 if reply["stage"] == Stage.DONE else 1


def _show(options: argparse.Namespace) -> int:
    records = Records(options.db)
    try:
        rows: Sequence[Any]
        if options.what == "stations":
            rows = records.stations()
        elif options.what == "refused":
            rows = records.refused()
        elif options.what == "events":
            rows = records.events(options.station, limit=1_000_000)
        else:
            rows = [records.latest(options.station, _LEAVES[options.what])]
        for row in rows:
            _write(row)
    finally:
        records.close()
    return 0


def main(words: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit status: 0, 1 = did not hold, 2 = bad use."""
    options = _arguments(words)
    try:
        if options.verb == "show":
            return _show(options)
        return asyncio.run(_send(options) if options.verb == "send" else _serve(options))
    except (SyncError, CertificateError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
