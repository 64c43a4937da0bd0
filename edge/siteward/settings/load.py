"""Reading a site file: every fault at once with file, line and key, or the frozen Site."""

from pathlib import Path

from siteward.model.ports import ProfileCatalogue
from siteward.model.site import Site
from siteward.settings.access_checks import check_access
from siteward.settings.alarm_checks import check_alarms
from siteward.settings.build import build
from siteward.settings.checks import check_plan
from siteward.settings.document import read_draft
from siteward.settings.entry_checks import check_entry
from siteward.settings.output_checks import check_outputs
from siteward.settings.result import Settings
from siteward.settings.wiring import check_wiring

__all__ = ["Settings", "load_settings", "load_site"]


def load_settings(path: Path, catalogue: ProfileCatalogue) -> Settings:
    """Read, judge and build a whole site file.

    Raises ConfigError; its text has one line a fault, `file:line: key: what is wrong and what to do`, in the file's
    order. Nothing is guessed: a file with any fault builds nothing.
    """
    draft = read_draft(path)
    check_plan(draft)
    check_wiring(draft, catalogue)
    check_access(draft, catalogue)
    check_alarms(draft, catalogue)
    check_outputs(draft)
    check_entry(draft)
    draft.faults.check()
    return build(draft, catalogue)


def load_site(path: Path, catalogue: ProfileCatalogue) -> Site:
    """Read a site file for its Site alone. Raises ConfigError as `load_settings` does."""
    return load_settings(path, catalogue).site
