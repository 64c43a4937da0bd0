"""What a scan found as tables for site.toml, ready to paste; pure."""

from collections.abc import Sequence

from siteward_drivers.catalogue import Profiles
from siteward_drivers.scan import Book, Found
from siteward_drivers.scan_plan import Setting, Stranger


def site_tables(book: Book, port: str, line: str, profiles: Profiles, serial: bool = True) -> str:
    """The [[line]], [[meter]] and [[charger]] tables; what a person must still decide stands in comments.

    A wire of the site has one setting: the one that most devices speak. The others come with what to do first.
    """
    proven = book.proven()
    if not proven:
        return ""
    main = max(proven, key=lambda setting: len(book.at(setting)))
    parts = [_line(line, port, main, serial)]
    for setting in (main, *(s for s in proven if s != main)):
        for found in book.at(setting):
            first = [] if setting == main else [_first(found, main, profiles)]
            parts.append("\n".join([*first, *_device(book, found, line, profiles)]))
    parts += ["\n".join(_stranger(setting, stranger, line)) for setting, stranger in book.strangers]
    return "\n\n".join(parts) + "\n"


def _stranger(setting: Setting, stranger: Stranger, line: str) -> list[str]:
    if stranger.profile is None:
        return [f"# {stranger.protocol} {stranger.address}: {stranger.text}"]
    rows = ["[[meter]]", f'id = "{line}-{stranger.address}"', f'line = "{line}"', f'address = "{stranger.address}"']
    return [*rows, f'profile = "{stranger.profile}"', f"baud = {setting.baud}", f'parity = "{setting.parity}"']


def _line(line: str, port: str, setting: Setting, serial: bool) -> str:
    rows = ["[[line]]", f'id = "{line}"', f'port = "{port}"']
    if serial:
        rows += [f"baud = {setting.baud}", f'parity = "{setting.parity}"']
    if serial and setting.stop_bits != 1:
        rows.append(f"stop_bits = {setting.stop_bits}")
    return "\n".join(rows)


def _first(found: Found, main: Setting, profiles: Profiles) -> str:
    """What to do with a device that speaks at another setting than the wire."""
    best = found.likeness.best if found.likeness is not None else None
    wire = profiles.wire(best) if best is not None else None
    able = wire is None or (main.baud in wire.bauds and str(main.parity) in wire.parities)
    if able:
        return f"# speaks at {found.setting}: set it to {main} first"
    return f"# speaks at {found.setting} and cannot be set to {main}: it needs a wire of its own"


def _device(book: Book, found: Found, line: str, profiles: Profiles) -> list[str]:
    name = f"{line}-{found.unit}"
    if (found.setting, found.unit) in book.clashing:
        return [f"# unit {found.unit}: two devices answer; give one of them another number"]
    if found.likeness is None:
        return [f"# unit {found.unit}: answers Modbus; not asked what it is"]
    likely = found.likeness.profiles
    if not likely:
        return [f"# unit {found.unit}: answers Modbus, but like no known profile"]
    rows = [f"# or: {', '.join(likely[1:])}"] if len(likely) > 1 else []
    where = [f'line = "{line}"', f"unit = {found.unit}", f'profile = "{likely[0]}"']
    file = profiles[likely[0]].file
    if file.charger is not None:
        return [*rows, "[[charger]]", f'id = "{name}"', *where, *_outlets(name, file.channels.count)]
    if file.meter is not None:
        return [*rows, "[[meter]]", f'id = "{name}"', *where]
    return [*rows, f"# unit {found.unit}: {likely[0]} ({file.kind})"]


def _outlets(name: str, channels: int) -> Sequence[str]:
    rows = ['feeder = "grid"  # the fuse that feeds it']
    for channel in range(1, channels + 1):
        rows += ["[[charger.connector]]", f'id = "{name}-{channel}"', 'type = "type2"']
        rows += [f"channel = {channel}"] if channels > 1 else []
    return rows
