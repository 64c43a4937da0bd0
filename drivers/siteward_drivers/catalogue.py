"""All device profiles that a site may name: the shipped ones and the installer's own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from siteward.model.errors import ConfigError
from siteward.model.facts import ChargerFacts, MeterFacts, RelayFacts, WireFacts
from siteward_drivers.profile import Profile, load_profile
from siteward_drivers.profile_schema import Kind

if TYPE_CHECKING:
    # Most sites have no relay board: its schema is loaded with the first profile of one (goal 14).
    from siteward_drivers.relay_profile import RelayProfile

RELAY = "relay"
"""Folder and class name of the profiles of relay boards."""

SHIPPED = Path(__file__).parent / "profiles"
"""Folder of the profiles that come with the package: `<kind>/<vendor>_<model>.toml`."""


class Files(Mapping[str, Profile]):
    """Profiles by id out of files, each read when first asked for: a site has a few of many kinds (goal 14)."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = dict(paths)
        self._read: dict[str, Profile] = {}

    def __getitem__(self, profile: str) -> Profile:
        """The profile of that id. KeyError when there is none, ConfigError when its file is wrong."""
        found = self._read.get(profile)
        if found is None:
            path = self.paths[profile]
            found = load_profile(path)
            if path.parent.name != found.kind:
                raise ConfigError(f"{path}: kind: is {found.kind!s}, so it belongs in the folder {found.kind!s}/")
            self._read[profile] = found
        return found

    def __iter__(self) -> Iterator[str]:
        """Ids."""
        return iter(self.paths)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.paths)


class RelayFiles(Mapping[str, "RelayProfile"]):
    """Profiles of relay boards out of files, each read when first asked for."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = dict(paths)
        self._read: dict[str, RelayProfile] = {}

    def __getitem__(self, profile: str) -> "RelayProfile":
        """The profile of that id. KeyError when there is none, ConfigError when its file is wrong."""
        if profile not in self._read:
            path = self.paths[profile]
            from siteward_drivers.relay_profile import load_relay

            self._read[profile] = load_relay(path)
        return self._read[profile]

    def __iter__(self) -> Iterator[str]:
        """Ids."""
        return iter(self.paths)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class Profiles:
    """Profiles by id, those of relay boards apart; implements model.ports.ProfileCatalogue."""

    by_id: Files
    relays: "Mapping[str, RelayProfile]" = field(default_factory=dict)

    def __getitem__(self, profile: str) -> Profile:
        """The profile of that id. Raises ConfigError when there is none."""
        found = self.by_id.get(profile)
        if found is None:
            raise ConfigError(f"no profile {profile!r}; known: {', '.join(sorted(self.by_id))}")
        return found

    def names(self, kind: str) -> Sequence[str]:
        """Profile ids of a class ("meter", "charger" or "relay"), sorted."""
        if kind == RELAY:
            return sorted(self.relays)
        return sorted(name for name, path in self.by_id.paths.items() if path.parent.name == kind)

    def charger(self, profile: str) -> ChargerFacts | None:
        """Facts of a charger profile, None when there is none of that name."""
        found = self.by_id.get(profile)
        return found.charger_facts() if found is not None and found.kind is Kind.CHARGER else None

    def meter(self, profile: str) -> MeterFacts | None:
        """Facts of a meter profile, None when there is none of that name."""
        found = self.by_id.get(profile)
        return found.meter_facts() if found is not None and found.kind is Kind.METER else None

    def relay(self, profile: str) -> RelayFacts | None:
        """Points of a relay board's profile, None when there is none of that name."""
        found = self.relays.get(profile)
        return found.relay_facts() if found is not None else None

    def wire(self, profile: str) -> WireFacts | None:
        """How the device can be wired, None when there is no profile of that name."""
        found = self.by_id.get(profile) or self.relays.get(profile)
        return found.wire_facts() if found is not None else None


def load_profiles(extra: Path | None = None) -> Profiles:
    """The shipped profiles and those in `extra` (same layout); one of the same id there wins.

    Raises ConfigError naming file and key when one of `extra` is wrong or lies in the folder of another kind.
    """
    own = {} if extra is None else {path.stem: path for path in sorted(extra.glob("*/*.toml"))}
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*/*.toml"))}
    everything = {**shipped, **own}
    files = Files({name: path for name, path in everything.items() if path.parent.name != RELAY})
    boards = RelayFiles({name: path for name, path in everything.items() if path.parent.name == RELAY})
    for name in own:
        # What an installer wrote is judged at once, used or not.
        (boards if name in boards.paths else files).__getitem__(name)
    return Profiles(files, boards)
