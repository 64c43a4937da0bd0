"""Prices and bills."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from siteward.cli.grammar import Folders, Json, Wait, app, argument, ask, option, tariff_app
from siteward.cli.paint import Screen
from siteward.cli.shelf import with_records


class Language(StrEnum):
    """Of a bill."""

    EN = "en"
    ZH = "zh"


@app.command()
def bill(
    session: Annotated[str, argument(help="The session's id.")],
    recompute: Annotated[
        bool, option("--recompute", help="Say whether the journal alone makes the same bill.")
    ] = False,
    language: Annotated[Language, option("--lang", help="Language of the bill.")] = Language.EN,
    json: Json = False,
) -> int:
    """Show what a session costs, every line explained.

    Each amount comes with its energy, price and register values. With --recompute the exit status is 1 when the bill
    does not follow from the journal.

    Example: siteward bill 01JZ0000000000000000000000 --recompute
    """
    from siteward.cli import bill as bills

    return with_records(
        Folders.paths,
        Screen(json),
        lambda shelf, screen: bills.bill(shelf, screen, session, recompute, language.value),
    )


@app.command()
def signed(
    session: Annotated[str, argument(help="The session's id.")],
    out: Annotated[
        Path | None, option("--out", help="Write a file: .xml for the transparency software, else the record as it is.")
    ] = None,
    key: Annotated[str | None, option("--key", help="Public key on the meter's plate, DER in hexadecimal.")] = None,
    language: Annotated[Language, option("--lang", help="Language of the words.")] = Language.EN,
    json: Json = False,
) -> int:
    """Show what the meter of a session signed, and whether it holds.

    The records are those that the meter handed over, byte for byte. Without --key they are judged by the key in the
    journal. The exit status is 1 when there is none, or one does not hold.

    Example: siteward signed 01JZ0000000000000000000000 --out session.xml
    """
    from siteward.cli import signed as signatures

    return with_records(
        Folders.paths,
        Screen(json),
        lambda shelf, screen: signatures.signed(shelf, screen, session, out, key, language.value),
    )


@tariff_app.command()
def show(
    tariff: Annotated[str | None, argument(help="One tariff, whole; else the list.")] = None,
    json: Json = False,
) -> int:
    """List the tariffs that were installed.

    Example: siteward tariff show
    """
    from siteward.cli import tariffs

    return with_records(Folders.paths, Screen(json), lambda shelf, screen: tariffs.show(shelf, screen, tariff))


@tariff_app.command()
def install(
    file: Annotated[Path, argument(help="A tariff as JSON.")],
    wait: Wait = 10.0,
    json: Json = False,
) -> int:
    """Install a tariff from a file.

    A fault says its place and how to mend it.

    Example: siteward tariff install summer.json
    """
    from siteward.cli import tariffs

    params = tariffs.read_file(file)
    return ask(Screen(json), lambda client, screen: tariffs.install(client, screen, params, wait))


@tariff_app.command(name="import")
def import_table(
    file: Annotated[Path, argument(help="A table as CSV: prices of 尖峰平谷, and 48 half hours.")],
    tariff: Annotated[str, option("--id", help="Id of the tariff.")],
    valid_from: Annotated[str, option("--from", help="From when it counts, such as 2026-07-01T00:00:00+08:00.")],
    version: Annotated[int, option("--version", min=1, help="Its version.")] = 1,
    timezone: Annotated[str, option("--zone", help="The site's time zone.")] = "Asia/Shanghai",
    currency: Annotated[str, option("--currency", help="ISO 4217.")] = "CNY",
    out: Annotated[Path | None, option("--out", help="Write the tariff here; else to the terminal.")] = None,
    json: Json = False,
) -> int:
    """Make a tariff of a half-hour table.

    Every cell that is wrong is named by row and column.

    Example: siteward tariff import peaks.csv --id SZ-TOU --from 2026-07-01T00:00:00+08:00 --out tou.json
    """
    from siteward.cli import tariffs
    from siteward.client.half_hours import Head

    head = Head(tariff, version, valid_from, timezone, currency)
    return tariffs.import_file(Screen(json), file, head, out)
