"""What needs no station: judge a site file, list devices, write the schema."""

from pathlib import Path
from typing import Annotated

from siteward.cli.grammar import Json, OwnProfiles, app, argument, option
from siteward.cli.paint import Screen


@app.command()
def check(
    file: Annotated[Path, argument(help="The site file.")],
    profiles: OwnProfiles = None,
    json: Json = False,
) -> int:
    """Judge a site file: keys, wiring, load of each wire, and whether its fuses hold when siteward is dead.

    Example: siteward check /etc/siteward/site.toml
    """
    # Only this verb needs drivers and decisions; status should not wait for them.
    from siteward.cli.check import check_file

    return check_file(Screen(json), file, profiles)


@app.command()
def devices(
    profiles: OwnProfiles = None,
    json: Json = False,
) -> int:
    """List the supported devices: wiring, fall-back when siteward is dead, how they were tested.

    Example: siteward devices --json
    """
    from siteward.cli.devices import list_devices

    return list_devices(Screen(json), profiles)


@app.command()
def schema(
    reference: Annotated[bool, option("--reference", help="The reference page for people instead.")] = False,
    write: Annotated[bool, option("--write", help="Write both, and devices.md, into ./config.")] = False,
) -> int:
    """Write the JSON Schema of site.toml, for editors.

    Example: siteward schema > site.schema.json
    """
    from siteward.cli.schema import show_schema

    return show_schema(Screen(as_json=False), reference, write, Path.cwd())
