"""`tariff show`, `install` and `import`: prices by hand, by the same road as the platform's."""

import json
from pathlib import Path
from typing import Any

from siteward.cli.act import done, order
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen
from siteward.cli.shelf import Records
from siteward.client.client import Client
from siteward.client.half_hours import Head, read_table
from siteward.client.tariff_form import BadTariff, read_tariff
from siteward.model.requests import CommandName

_MOST_BYTES = 60_000


async def show(records: Records, screen: Screen, name: str | None) -> int:
    """List every tariff that was installed, or write one whole: its highest version."""
    found = await records.tariffs()
    if name is None:
        if screen.as_json:
            screen.data(list(found))
            return 0
        columns = ("tariff", "version", "valid from", "currency", "periods")
        rows = [(t["tariffId"], str(t["version"]), t["validFrom"], t["currency"], _periods(t)) for t in found]
        screen.show([Grid("", columns, rows, frozenset({"version"}))])
        return 0
    chosen = next((tariff for tariff in found if tariff["tariffId"] == name), None)
    if chosen is None:
        raise CommandFailed(f"{name}: no such tariff was installed", "`siteward tariff show` lists them", "NO_TARIFF")
    screen.data(chosen)
    return 0


def _periods(tariff: dict[str, Any]) -> str:
    return ", ".join(f"{p['name']} {p['energyPrice']}+{p['servicePrice']}" for p in tariff["periods"])


def read_file(file: Path) -> dict[str, Any]:
    """Params of SET_TARIFF out of a file: a tariff, or {tariff, signature}. Raises CommandFailed with every fault."""
    try:
        document = json.loads(_text(file))
    except (ValueError, RecursionError) as error:
        raise CommandFailed(f"{file}: is no JSON: {error}", "`siteward tariff import` makes it from a table") from error
    params = document if isinstance(document, dict) and "tariff" in document else {"tariff": document}
    _judge(file, params["tariff"])
    return params


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise CommandFailed(
                f"{file}: has more than {_MOST_BYTES} bytes", "a tariff of a year of days is far smaller"
            )
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise CommandFailed(f"{file}: cannot be read: {error.strerror}", "check the path and the rights") from error
    except UnicodeDecodeError as error:
        raise CommandFailed(f"{file}: is not UTF-8 text", "save it as CSV UTF-8") from error


def _judge(file: Path, document: object) -> None:
    try:
        read_tariff(document)
    except BadTariff as bad:
        raise CommandFailed("\n".join(f"{file}: {line}" for line in str(bad).splitlines()), "", "BAD_PARAMS") from bad


def import_file(screen: Screen, file: Path, head: Head, out: Path | None) -> int:
    """Make a tariff document of a half-hour table and write it. Raises CommandFailed with every cell that is wrong."""
    try:
        document = read_table(_text(file), head)
    except BadTariff as bad:
        raise CommandFailed("\n".join(f"{file}: {line}" for line in str(bad).splitlines()), "", "BAD_PARAMS") from bad
    _judge(file, document)
    if out is None:
        screen.data(document)
        return 0
    try:
        out.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise CommandFailed(f"{out}: cannot be written: {error.strerror}", "choose another --out") from error
    screen.show(
        [f"{out}: {head.tariff_id} version {head.version}; `siteward tariff install {out}` brings it into force"]
    )
    return 0


async def install(client: Client, screen: Screen, params: dict[str, Any], wait_s: float) -> int:
    """Hand a tariff in and wait until it is durable."""
    reply = await order(client, CommandName.SET_TARIFF, None, params, wait_s)
    return done(screen, CommandName.SET_TARIFF, str(params["tariff"]["tariffId"]), reply)
