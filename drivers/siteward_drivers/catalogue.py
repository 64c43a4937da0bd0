"""All device profiles that a site may name: the shipped ones and the installer's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from siteward.model.errors import ConfigError
from siteward.model.facts import ChargerFacts, MeterFacts, WireFacts
from siteward_drivers.profile import Profile, load_profile
from siteward_drivers.profile_schema import Kind

SHIPPED = Path(__file__).parent / "profiles"
"""Folder of the profiles that come with the package: `<kind>/<vendor>_<model>.toml`."""


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles by id; implements model.ports.ProfileCatalogue."""

    by_id: Mapping[str, Profile]

    def __getitem__(self, profile: str) -> Profile:
        """The profile of that id. Raises ConfigError when there is none."""
        found = self.by_id.get(profile)
        if found is None:
            raise ConfigError(f"no profile {profile!r}; known: {', '.join(sorted(self.by_id))}")
        return found

    def names(self, kind: str) -> Sequence[str]:
        """Profile ids of a class ("meter" or "charger"), sorted."""
        return sorted(p.id for p in self.by_id.values() if p.kind == kind)

    def charger(self, profile: str) -> ChargerFacts | None:
        """Facts of a charger profile, None when there is none of that name."""
        found = self.by_id.get(profile)
        return found.charger_facts() if found is not None and found.kind is Kind.CHARGER else None

    def meter(self, profile: str) -> MeterFacts | None:
        """Facts of a meter profile, None when there is none of that name."""
        found = self.by_id.get(profile)
        return found.meter_facts() if found is not None and found.kind is Kind.METER else None

    def wire(self, profile: str) -> WireFacts | None:
        """How the device can be wired, None when there is no profile of that name."""
        found = self.by_id.get(profile)
        return found.wire_facts() if found is not None else None


def load_profiles(extra: Path | None = None) -> Profiles:
    """Load the shipped profiles and those in `extra` (same layout); one of the same id there wins.

    Raises ConfigError naming file and key when any of them is wrong or lies in the folder of another kind.
    """
    by_id: dict[str, Profile] = {}
    for root in (SHIPPED, extra):
        if root is None:
            continue
        for path in sorted(root.glob("*/*.toml")):
            profile = load_profile(path)
            if path.parent.name != profile.kind:
                raise ConfigError(f"{path}: kind: is {profile.kind!s}, so it belongs in the folder {profile.kind!s}/")
            by_id[profile.id] = profile
    return Profiles(by_id)
