"""The front door of the drivers: profiles of a site and, from them, its lines."""

from siteward_drivers.catalogue import Profiles, load_profiles
from siteward_drivers.site_lines import SiteLines, build_lines

__all__ = ["Profiles", "SiteLines", "build_lines", "load_profiles"]
