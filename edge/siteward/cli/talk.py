"""Talking to core: one connection, and every way in which it can fail said with what to do next."""

import asyncio
from collections.abc import Awaitable, Callable

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.paths import Paths
from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused

Verb = Callable[[Client, Screen], Awaitable[int]]
"""A command that needs core; returns the exit status."""


def with_core(paths: Paths, screen: Screen, verb: Verb) -> int:
    """Run a verb against core. Raises CommandFailed when core is not there or refuses."""
    return asyncio.run(_run(paths, screen, verb))


async def _run(paths: Paths, screen: Screen, verb: Verb) -> int:
    try:
        async with Client(paths.socket) as client:
            return await verb(client, screen)
    except CoreDown as error:
        raise CommandFailed(str(error), _advice(paths), "CORE_DOWN") from error
    except Refused as error:
        raise CommandFailed(error.message, f"core answered {error.code}", error.code) from error


def _advice(paths: Paths) -> str:
    if not paths.socket.exists():
        if paths.demo:
            return "the demo does not run; `make run` starts it"
        return (
            f"core does not run at {paths.run}; start it with `systemctl start siteward-core` or `siteward up`, "
            "or name its folder with --run"
        )
    return "look at `systemctl status siteward-core`; may your user read the socket (group siteward-cli)?"
