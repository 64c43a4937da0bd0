"""A loaded profile of a relay board: the file's numbers, checked, with the facts that settings need."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from siteward.model.facts import RelayFacts, WireFacts
from siteward_drivers.profile_files import read_file
from siteward_drivers.profile_points import Table
from siteward_drivers.relay_schema import PairPart, RelayFile


@dataclass(frozen=True, slots=True)
class RelayProfile:
    """One kind of relay board. `id` is the file's name without ending, `file` the numbers as written."""

    id: str
    file: RelayFile

    def relay_facts(self) -> RelayFacts:
        """What settings must know of it."""
        file = self.file
        return RelayFacts(
            profile=self.id,
            inputs=tuple(file.inputs.points),
            outputs=tuple(file.outputs),
            pairs=tuple((f"open_{n}", f"close_{n}") for n in range(1, len(file.pairs) + 1)),
            pulses=file.pulse is not None,
            watchdog=file.watchdog is not None,
        )

    def wire_facts(self) -> WireFacts:
        """How the board can be wired."""
        wire, serial = self.file.wire, self.file.wire.serial
        return WireFacts(
            transports=tuple(str(t) for t in wire.transports),
            bauds=serial.bauds if serial else (),
            parities=tuple(str(p) for p in serial.parities) if serial else (),
            stop_bits=tuple(int(s) for s in serial.stop_bits_supported) if serial else (),
            channels=1,
        )

    def pair(self, name: str) -> tuple[PairPart, bool] | None:
        """The pair that a point `open_n` or `close_n` belongs to and whether it opens, None for any other point."""
        for n, (opens, closes) in enumerate(self.relay_facts().pairs):
            if name in (opens, closes):
                return self.file.pairs[n], name == opens
        return None

    def coil(self, name: str) -> int:
        """Address of an output's coil. KeyError for a strange name."""
        found = self.pair(name)
        if found is None:
            return self.file.outputs[name]
        return found[0].open if found[1] else found[0].close

    def place(self, name: str) -> int:
        """Place of a plain output among the board's, from 0. ValueError for a strange name."""
        return list(self.file.outputs).index(name)


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring bits that one request reads."""

    table: Table
    first: int
    count: int


def input_runs(profile: RelayProfile, names: Iterable[str]) -> tuple[Run, ...]:
    """Reads for some inputs, over documented bits only; for none an output is read, to feed the board's watchdog."""
    inputs = profile.file.inputs
    wanted = sorted({inputs.points[name] for name in names})
    if not wanted:
        return (Run(Table.COIL, min(profile.file.outputs.values()), 1),)
    known = set(inputs.points.values())
    runs: list[Run] = []
    for address in wanted:
        last = runs[-1] if runs else None
        if last is not None and all(a in known for a in range(last.first + last.count, address)):
            runs[-1] = Run(last.table, last.first, address - last.first + 1)
        else:
            runs.append(Run(inputs.table, address, 1))
    return tuple(runs)


def load_relay(path: Path) -> RelayProfile:
    """Read and check one file. Raises ConfigError whose text is `file: key: what is wrong`."""
    return RelayProfile(path.stem, read_file(path, RelayFile))
