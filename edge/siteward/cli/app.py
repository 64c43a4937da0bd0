"""The commands of `siteward`: the one file that knows typer."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from siteward.cli import act, frames, records, status
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.cli.paths import Paths, find_paths
from siteward.cli.shelf import with_records
from siteward.cli.talk import Verb, with_core
from siteward.model.errors import ConfigError, SitewardError
from siteward.model.requests import CommandName, Role
from siteward.model.site import Parity

app = typer.Typer(
    name="siteward",
    help="The controller of one EV charging site. Processes: core, sync, panel, up, demo (each has its own --help).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    result_callback=lambda status, **_: _end(status),
)
journal_app = typer.Typer(help="The journal: every fact, chained by hash.", no_args_is_help=True)
user_app = typer.Typer(help="Who may use the panel.", no_args_is_help=True)
app.add_typer(journal_app, name="journal")
app.add_typer(user_app, name="user")

Json = Annotated[bool, typer.Option("--json", help="Write JSON for programs.")]
RunFolder = Annotated[Path | None, typer.Option("--run", help="Folder of core's sockets (SITEWARD_RUN).")]
StateFolder = Annotated[Path | None, typer.Option("--state", help="Folder of the station's state (SITEWARD_STATE).")]
Wait = Annotated[float, typer.Option("--wait", min=0, max=600, help="Seconds to wait for the final answer.")]


class _Folders:
    """Folders given before the command, shared by all of them."""

    paths: Paths = find_paths(None, None, {}, Path())


def run_cli(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit status: 0 good, 1 did not hold, 2 bad use."""
    as_json = "--json" in arguments
    try:
        app(args=list(arguments), prog_name="siteward")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except CommandFailed as error:
        Screen(as_json).trouble(error.sentence, error.advice, error.code)
    except SitewardError as error:
        Screen(as_json).trouble(str(error), code="CONFIG" if isinstance(error, ConfigError) else "")
    return 1


def _end(status: int) -> None:
    """Every command returns its exit status; here it becomes the process's."""
    raise typer.Exit(status)


@app.callback()
def _folders(run: RunFolder = None, state: StateFolder = None) -> None:
    _Folders.paths = find_paths(run, state, os.environ, Path.cwd())


def _ask(screen: Screen, verb: Verb, endless: bool = False) -> int:
    try:
        return with_core(_Folders.paths, screen, verb)
    except KeyboardInterrupt:
        if endless:
            return 0
        raise


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="The site file.")],
    profiles: Annotated[Path | None, typer.Option("--profiles", help="Folder of own device profiles.")] = None,
    json: Json = False,
) -> int:
    """Judge a site file: keys, wiring, load of each wire, and whether its fuses hold when siteward is dead.

    Example: siteward check /etc/siteward/site.toml
    """
    # Only this verb needs drivers and decisions; status should not wait for them.
    from siteward.cli.check import check_file

    return check_file(Screen(json), file, profiles)


@app.command(name="status")
def status_now(
    why: Annotated[bool, typer.Option("--why", help="Say in words why each connector has its current.")] = False,
    json: Json = False,
) -> int:
    """Show fuses, connectors, wires and alarms now; 1 when an alarm of the highest class stands.

    Example: siteward status --why
    """
    return _ask(Screen(json), lambda client, screen: status.status(client, screen, why))


@app.command()
def watch(
    views: Annotated[int, typer.Option("--views", min=0, help="End after so many pages; 0 = Ctrl-C ends.")] = 0,
    json: Json = False,
) -> int:
    """Show the station as it moves.

    Example: siteward watch
    """
    return _ask(Screen(json), lambda client, screen: status.watch(client, screen, views), endless=True)


@app.command()
def start(
    connector: Annotated[str, typer.Argument(help="The connector.")],
    max_a: Annotated[float | None, typer.Option("--max-a", min=6, help="Never more than this current, A.")] = None,
    max_wh: Annotated[int | None, typer.Option("--max-wh", min=1, help="End after this energy, Wh.")] = None,
    max_s: Annotated[int | None, typer.Option("--max-s", min=60, help="End after this time, s.")] = None,
    wait: Wait = 150.0,
    json: Json = False,
) -> int:
    """Start charging at a connector.

    Example: siteward start A01-1 --max-wh 20000
    """
    given: dict[str, Any] = {"maxCurrent_a": max_a, "maxEnergy_wh": max_wh, "maxTime_s": max_s}
    bounds = {name: value for name, value in given.items() if value is not None}
    return _ask(Screen(json), lambda client, screen: act.start(client, screen, connector, bounds, wait))


@app.command()
def stop(
    target: Annotated[str, typer.Argument(help="A connector with a session, or the session's id.")],
    wait: Wait = 60.0,
    json: Json = False,
) -> int:
    """Stop a session.

    Example: siteward stop A01-1
    """
    return _ask(Screen(json), lambda client, screen: act.stop(client, screen, target, wait))


@app.command()
def limit(
    target: Annotated[str, typer.Argument(help="A connector, a feeder, or station.")],
    amps: Annotated[float, typer.Argument(min=0, help="The most that may flow there, A on each phase.")],
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0.1, max=1440, help="How long; else for good.")
    ] = None,
    wait: Wait = 60.0,
    json: Json = False,
) -> int:
    """Limit the current of a connector, a feeder or the whole station.

    Example: siteward limit row-a 32 --minutes 30
    """
    return _ask(Screen(json), lambda client, screen: act.limit(client, screen, target, amps, minutes, wait))


def _arm_verb(verb: str, name: CommandName, text: str) -> None:
    """Add a verb that moves a barrier or a lock; core refuses with the reason when the way is not known to be free."""

    @app.command(name=verb, help=text)
    def move(
        target: Annotated[str, typer.Argument(help="The barrier or lock, as site.toml names it.")],
        wait: Wait = 60.0,
        json: Json = False,
    ) -> int:
        return _ask(Screen(json), lambda client, screen: act.move(client, screen, name, target, wait))


_arm_verb("open", CommandName.OPEN_BARRIER, "Open a barrier.\n\nExample: siteward open gate")
_arm_verb("close", CommandName.CLOSE_BARRIER, "Close a barrier.\n\nExample: siteward close gate")
_arm_verb("raise", CommandName.RAISE_LOCK, "Raise a parking lock.\n\nExample: siteward raise bay-1")
_arm_verb("lower", CommandName.LOWER_LOCK, "Lower a parking lock.\n\nExample: siteward lower bay-1")


@app.command()
def sessions(
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many.")] = 20,
    json: Json = False,
) -> int:
    """List the newest sessions.

    Example: siteward sessions --limit 5
    """
    return with_records(_Folders.paths, Screen(json), lambda shelf, screen: records.sessions(shelf, screen, limit))


@app.command()
def events(
    after: Annotated[int | None, typer.Option("--after", min=0, help="Those after this sequence number.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", help="Wait for more until Ctrl-C.")] = False,
    json: Json = False,
) -> int:
    """List journal events.

    Example: siteward events --follow
    """
    if follow:
        return _ask(Screen(json), lambda core, screen: records.events(core, screen, after, limit, follow), follow)
    return with_records(
        _Folders.paths, Screen(json), lambda shelf, screen: records.events(shelf, screen, after, limit, follow)
    )


@app.command(name="frames")
def line_frames(
    line: Annotated[str, typer.Argument(help="The line.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; .csv or .pcap says the form.")],
    last: Annotated[float, typer.Option("--last", min=1, max=3600, help="Seconds of the past.")] = 300.0,
    json: Json = False,
) -> int:
    """Write what travelled on a wire lately: CSV for a spreadsheet, pcap for Wireshark.

    Example: siteward frames rs485-1 -o rs485-1.pcap
    """
    return _ask(Screen(json), lambda client, screen: frames.frames(client, screen, line, output, last))


@app.command()
def devices(
    profiles: Annotated[Path | None, typer.Option("--profiles", help="Folder of own device profiles.")] = None,
    json: Json = False,
) -> int:
    """List the supported devices: wiring, fall-back when siteward is dead, how they were tested.

    Example: siteward devices --json
    """
    from siteward.cli.devices import list_devices

    return list_devices(Screen(json), profiles)


@app.command()
def schema(
    reference: Annotated[bool, typer.Option("--reference", help="The reference page for people instead.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write both, and devices.md, into ./config.")] = False,
) -> int:
    """Write the JSON Schema of site.toml, for editors.

    Example: siteward schema > site.schema.json
    """
    from siteward.cli.schema import show_schema

    return show_schema(Screen(as_json=False), reference, write, Path.cwd())


SiteFile = Annotated[Path | None, typer.Option("--site", help="The site file; /etc/siteward/site.toml if there.")]
OwnProfiles = Annotated[Path | None, typer.Option("--profiles", help="Folder of own device profiles.")]
Yes = Annotated[bool, typer.Option("--yes", help="Say yes to every question: for scripts.")]


def _confirm(yes: bool) -> Callable[[str], bool]:
    def ask(question: str) -> bool:
        return yes or (sys.stdin.isatty() and typer.confirm(question, err=True))

    return ask


@app.command(name="scan")
def scan_wire(
    target: Annotated[str, typer.Argument(metavar="LINE|PORT", help="A wire of the site file, or a serial port.")],
    wide: Annotated[bool, typer.Option("--wide", help="Every speed, parity and address: about ten minutes.")] = False,
    units: Annotated[str, typer.Option("--units", help="Only these addresses, such as 1-32,100.")] = "",
    baud: Annotated[list[int] | None, typer.Option("--baud", help="Only this speed; may be repeated.")] = None,
    parity: Annotated[list[Parity] | None, typer.Option("--parity", help="Only this parity; may be repeated.")] = None,
    answer_ms: Annotated[int, typer.Option("--answer-ms", min=20, max=2000, help="Time to begin an answer.")] = 100,
    chargers: Annotated[bool, typer.Option("--chargers", help="Ask the site file's chargers too.")] = False,
    site: SiteFile = None,
    profiles: OwnProfiles = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Find the devices on a wire: speed, parity, address and what they are; every frame only reads.

    Example: siteward scan /dev/ttyUSB0
    """
    from siteward.cli import scan
    from siteward.cli.wires import read_plant

    wish = scan.Wish(
        target,
        wide,
        scan.parse_units(units) if units else (),
        tuple(baud or ()),
        tuple(parity or ()),
        answer_ms / 1000,
        chargers,
    )
    plant = read_plant(site, profiles, Path.cwd())
    return scan.scan(_Folders.paths, plant, Screen(json), wish, _confirm(yes))


@app.command(name="probe")
def probe_device(
    device: Annotated[str, typer.Argument(help="A meter, charger or connector of the site file.")],
    raw: Annotated[bool, typer.Option("--raw", help="Show the registers too; straight from the wire.")] = False,
    capture: Annotated[Path | None, typer.Option("--capture", help="Record all documented registers here.")] = None,
    site: SiteFile = None,
    profiles: OwnProfiles = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Read one device now, in words and units: through core while it runs, else from the wire; it only reads.

    Example: siteward probe grid-meter --raw
    """
    from siteward.cli import probe
    from siteward.cli.wires import read_plant
    from siteward.runtime.clock import SystemClock

    plant = read_plant(site, profiles, Path.cwd())
    wish = probe.Wish(device, raw, capture)
    return probe.probe(_Folders.paths, plant, Screen(json), wish, SystemClock(), _confirm(yes))


@app.command(name="doctor")
def doctor_now(
    seconds: Annotated[
        float, typer.Option("--seconds", min=0, max=3600, help="Watch from now for so long; 0 = since core's start.")
    ] = 0.0,
    json: Json = False,
) -> int:
    """Judge the wires: latency, losses, damage and load of each device, the likely cause and what to do.

    Example: siteward doctor --seconds 10
    """
    from siteward.cli import doctor

    return _ask(Screen(json), lambda client, screen: doctor.doctor(client, screen, seconds))


@journal_app.command()
def verify(json: Json = False) -> int:
    """Recompute the hash of every event; 1 at the first one that does not hold.

    Example: siteward journal verify
    """
    return with_records(_Folders.paths, Screen(json), records.verify)


@user_app.command(name="list")
def user_list(json: Json = False) -> int:
    """List the users.

    Example: siteward user list
    """
    from siteward.cli import people

    return _ask(Screen(json), people.listing)


Typed = Annotated[bool, typer.Option("--type", help="Type the password instead of having one made.")]


@user_app.command(name="add")
def user_add(
    name: Annotated[str, typer.Argument(help="Name of the login.")],
    role: Annotated[Role, typer.Option("--role", help="What the user may do.")] = Role.VIEWER,
    typed: Typed = False,
    json: Json = False,
) -> int:
    """Add a user; the password is made and shown once, and must be changed at the first login.

    Example: siteward user add li --role technician
    """
    from siteward.cli import people

    password = people.typed_password() if typed else None
    return _ask(Screen(json), lambda client, screen: people.add(client, screen, name, role.value, password))


@user_app.command(name="passwd")
def user_passwd(
    name: Annotated[str, typer.Argument(help="Name of the login.")],
    typed: Typed = False,
    json: Json = False,
) -> int:
    """Give a user a new password.

    Example: siteward user passwd li
    """
    from siteward.cli import people

    password = people.typed_password() if typed else None
    return _ask(Screen(json), lambda client, screen: people.passwd(client, screen, name, password))
