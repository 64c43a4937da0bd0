"""The front door of the drivers: profiles of a site and, from them, its lines."""

from siteward_drivers.catalogue import Profiles, load_profiles

__all__ = ["Profiles", "load_profiles"]
