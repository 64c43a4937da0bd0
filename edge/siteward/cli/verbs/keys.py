"""Whose signed commands the station takes."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

from siteward.cli import keys as work
from siteward.cli.grammar import Folders, Json, Yes, argument, confirm, keys_app, option
from siteward.cli.paint import Screen

KeyFile = Annotated[Path | None, option("--file", help="The file of keys; the running core's own if left out.")]


def _change(file: Path | None, json: bool, change: Callable[[Path], Mapping[str, bytes]]) -> int:
    place = work.file_of(file, None if file is not None else asyncio.run(work.in_force(Folders.paths)))
    keys = change(place)
    return work.tell(Screen(json), keys, place, asyncio.run(work.in_force(Folders.paths)))


@keys_app.command(name="list")
def keys_list(file: KeyFile = None, json: Json = False) -> int:
    """Show the keys whose commands are taken, with their thumbprints.

    Example: siteward keys list
    """
    core = asyncio.run(work.in_force(Folders.paths))
    return work.listing(Screen(json), core, work.file_of(file, core))


@keys_app.command(name="add")
def keys_add(
    source: Annotated[Path, argument(help="The public key: PEM, JWK, JWK Set, or base64.")],
    kid: Annotated[str | None, option("--kid", help="Name that the platform signs with.")] = None,
    file: KeyFile = None,
    json: Json = False,
) -> int:
    """Trust a key besides those that are trusted: the first half of a change of keys.

    Example: siteward keys add platform-2027.pem --kid platform-2027
    """
    return _change(file, json, lambda place: work.add(place, source, kid))


@keys_app.command(name="remove")
def keys_remove(
    kid: Annotated[str, argument(help="Name of the key.")], file: KeyFile = None, yes: Yes = False, json: Json = False
) -> int:
    """Trust a key no more; what it signed is refused at once, also what was sent before.

    Example: siteward keys remove platform-2026
    """
    return _change(file, json, lambda place: work.remove(place, kid, confirm(yes)))


@keys_app.command(name="undo")
def keys_undo(file: KeyFile = None, json: Json = False) -> int:
    """Take the last change of the keys back; once more brings it again.

    Example: siteward keys undo
    """
    return _change(file, json, work.undo)
