"""`schema`: the declaration of site.toml for editors and for people, and the list of supported devices."""

from pathlib import Path

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.settings.export import site_reference, site_schema
from siteward_drivers.devices import devices_page
from siteward_drivers.registry import load_profiles


def show_schema(screen: Screen, reference: bool, write: bool, here: Path) -> int:
    """Write the schema or the reference to stdout, or both and the list of devices into the folder config."""
    if not write:
        screen.text(site_reference() if reference else site_schema())
        return 0
    folder = here / "config"
    if not folder.is_dir():
        raise CommandFailed(f"there is no folder {folder}", "run it in the root of the project")
    (folder / "site.schema.json").write_text(site_schema(), encoding="utf-8")
    (folder / "site.reference.md").write_text(site_reference(), encoding="utf-8")
    (folder / "devices.md").write_text(devices_page(load_profiles()), encoding="utf-8")
    return 0
