"""What looks at the wires: frames, scan, probe, doctor."""

from pathlib import Path
from typing import Annotated

from siteward.cli import frames
from siteward.cli.grammar import Folders, Json, OwnProfiles, SiteFile, Yes, app, argument, ask, confirm, option
from siteward.cli.paint import Screen
from siteward.model.site import Parity


@app.command(name="frames")
def line_frames(
    line: Annotated[str, argument(help="The line.")],
    output: Annotated[Path, option("-o", "--output", help="File to write; .csv or .pcap says the form.")],
    last: Annotated[float, option("--last", min=1, max=3600, help="Seconds of the past.")] = 300.0,
    json: Json = False,
) -> int:
    """Write what travelled on a wire lately: CSV for a spreadsheet, pcap for Wireshark.

    Example: siteward frames rs485-1 -o rs485-1.pcap
    """
    return ask(Screen(json), lambda client, screen: frames.frames(client, screen, line, output, last))


@app.command(name="scan")
def scan_wire(
    target: Annotated[str, argument(metavar="LINE|PORT", help="A wire of the site file, or a serial port.")],
    wide: Annotated[bool, option("--wide", help="Every speed, parity and address: about ten minutes.")] = False,
    units: Annotated[str, option("--units", help="Only these addresses, such as 1-32,100.")] = "",
    baud: Annotated[list[int] | None, option("--baud", help="Only this speed; may be repeated.")] = None,
    parity: Annotated[list[Parity] | None, option("--parity", help="Only this parity; may be repeated.")] = None,
    answer_ms: Annotated[int, option("--answer-ms", min=20, max=2000, help="Time to begin an answer.")] = 100,
    chargers: Annotated[bool, option("--chargers", help="Ask the site file's chargers too.")] = False,
    site: SiteFile = None,
    profiles: OwnProfiles = None,
    yes: Yes = False,
    json: Json = False,
) -> int:
    """Find the devices on a wire: speed, parity, address and what they are; every frame only reads.

    On a wire of the running core, core sends each call when control has had its share: it takes five times as long.

    Example: siteward scan /dev/ttyUSB0
    """
    from siteward.cli import scan
    from siteward.cli.scan_wish import Wish, parse_units
    from siteward.cli.wires import read_plant

    wish = Wish(
        target,
        wide,
        parse_units(units) if units else (),
        tuple(baud or ()),
        tuple(parity or ()),
        answer_ms / 1000,
        chargers,
    )
    plant = read_plant(site, profiles, Path.cwd())
    return scan.scan(Folders.paths, plant, Screen(json), wish, confirm(yes))


@app.command(name="probe")
def probe_device(
    device: Annotated[str, argument(help="A meter, charger or connector of the site file.")],
    raw: Annotated[bool, option("--raw", help="Show the registers too, read just now.")] = False,
    capture: Annotated[Path | None, option("--capture", help="Record all documented registers here.")] = None,
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
    return probe.probe(Folders.paths, plant, Screen(json), wish, SystemClock(), confirm(yes))


@app.command(name="doctor")
def doctor_now(
    seconds: Annotated[
        float, option("--seconds", min=0, max=3600, help="Watch from now for so long; 0 = since core's start.")
    ] = 0.0,
    json: Json = False,
) -> int:
    """Judge the wires: latency, losses, damage and load of each device, the likely cause and what to do.

    Example: siteward doctor --seconds 10
    """
    from siteward.cli import doctor

    return ask(Screen(json), lambda client, screen: doctor.doctor(client, screen, seconds))
