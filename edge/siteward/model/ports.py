"""The ports: how runtime reaches the computer, the devices and the disk. Plain values only go through them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from siteward.model.alarms import Alarm
from siteward.model.batch import Batch
from siteward.model.events import ClockQuality
from siteward.model.facts import ChargerFacts, MeterFacts, RelayFacts, WireFacts
from siteward.model.frames import FrameFormat
from siteward.model.ids import ConnectorId, LineId, MeterId, ReaderId
from siteward.model.live import LineView
from siteward.model.points import Drive, InputReading, PointName, PointPlan
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.recovered import Recovered
from siteward.model.requests import Reply, Request
from siteward.model.signed import SignAnswer, SignOrder
from siteward.model.visit import WireCall, WireHeard
from siteward.model.wire import WireEvent, Write

WireLog = Callable[[WireEvent], None]
"""Takes every step of every frame to a charger; must not raise and must not block."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A token that was shown: by a card at a reader, or at one connector by the vehicle plugged in there."""

    token: str
    connector: ConnectorId | None = None


class TokenSource(Protocol):
    """Anything that shows tokens.

    Card readers are such; a charger that hears a vehicle's contract id (plug and charge) is one that names the
    connector. What is shown takes the one road of all requests.
    """

    @property
    def id(self) -> ReaderId:
        """Its name in site.toml."""
        ...

    async def shown(self) -> Shown:
        """The next token. Raises DeviceUnreachable when it is gone; asked again, it is looked for again."""
        ...

    async def close(self) -> None:
        """Let it go."""
        ...


class Clock(Protocol):
    """Time (law 9): `now` is CLOCK_BOOTTIME in seconds, `wall` is UTC."""

    def now(self) -> float:
        """Seconds since boot, suspend included."""
        ...

    def wall(self) -> datetime:
        """UTC wall-clock time."""
        ...

    def quality(self) -> ClockQuality:
        """How far `wall` may be trusted."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after that much of `now` has passed."""
        ...


class Gate(Protocol):
    """The right to speak, asked at the instant of sending. Never blocks."""

    def may_send(self, write: Write, at: float) -> bool:
        """Whether this write is still the newest, in time, and inside the room of its fuses (turn.md step 14)."""
        ...

    def may_speak(self, connector: ConnectorId, at: float) -> bool:
        """Whether any other request may go to this charger now (R2, R7, ruling 1)."""
        ...


class Meter(Protocol):
    """A meter on some wire."""

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        ...

    async def read(self) -> MeterReading:
        """Poll once. Raises DeviceUnreachable or DeviceRefused."""
        ...


@runtime_checkable
class QuickMeter(Protocol):
    """A meter whose currents alone can be read between its polls, out of time that nobody else wants."""

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        ...

    async def glance(self) -> MeterReading:
        """Read the currents only, after everything else but every other poll. Raises like a poll, and Withdrawn."""
        ...


@runtime_checkable
class SigningMeter(Protocol):
    """A meter that hands over signed values."""

    @property
    def id(self) -> MeterId:
        """Its name in site.toml."""
        ...

    async def sign(self, order: SignOrder) -> SignAnswer:
        """Have one reading of a session signed; asked for the same again, it hands over the same record.

        Raises DeviceUnreachable, DeviceRefused, Withdrawn.
        """
        ...


class Charger(Protocol):
    """One connector of a charger on some wire."""

    @property
    def id(self) -> ConnectorId:
        """The connector's name in site.toml."""
        ...

    async def read(self) -> ChargerReading:
        """Poll once, set point and watchdog included. Raises DeviceUnreachable, DeviceRefused, Withdrawn."""
        ...

    async def write(self, write: Write) -> None:
        """Perform one write by the profile's verbs. Raises DeviceUnreachable, DeviceRefused, Withdrawn.

        Returning means that the device answered; it is NOT confirmed: only a later read is.
        """
        ...


class DriveGate(Protocol):
    """The right to drive an output, asked at the instant of sending. Never blocks."""

    def may_drive(self, drive: Drive, at: float) -> bool:
        """Whether the reason for this risky command still holds (I11, I12)."""
        ...


class PointDevice(Protocol):
    """Inputs and outputs of one device: a relay board on a wire, or a chip of the computer's own lines."""

    @property
    def id(self) -> str:
        """The board's id in site.toml, or `gpio:chip`."""
        ...

    async def prepare(self, plan: PointPlan) -> None:
        """Write the safe level (off) to every output before anything else, then load what guards it without us.

        May be repeated; nothing is driven before it has succeeded. Raises DeviceUnreachable, DeviceRefused, Withdrawn.
        """
        ...

    async def read(self, urgent: bool, wanted: Collection[PointName] = ()) -> Mapping[PointName, InputReading]:
        """Read the planned inputs, at least the wanted ones; urgent while something moves (ruling 3).

        Nothing wanted means all of them. Raises like `prepare`.
        """
        ...

    async def drive(self, drive: Drive) -> None:
        """Perform one command; returning means that the device acknowledged it. Raises like `prepare`."""
        ...

    async def close(self) -> None:
        """Let the outputs go, off where the device can."""
        ...


class ProfileCatalogue(Protocol):
    """What the settings must know of device profiles to build and judge a site."""

    def names(self, kind: str) -> Sequence[str]:
        """Profile ids of a class ("meter" or "charger")."""
        ...

    def charger(self, profile: str) -> ChargerFacts | None:
        """Facts of a charger profile, None when there is none of that name."""
        ...

    def meter(self, profile: str) -> MeterFacts | None:
        """Facts of a meter profile, None when there is none of that name."""
        ...

    def relay(self, profile: str) -> RelayFacts | None:
        """Points of a relay board's profile, None when there is none of that name."""
        ...

    def wire(self, profile: str) -> WireFacts | None:
        """How the device can be wired, None when there is no profile of that name."""
        ...


class Lines(Protocol):
    """The wires of the site with their devices, opened and closed together."""

    @property
    def meters(self) -> Sequence[Meter]:
        """Meters in the order of site.toml."""
        ...

    @property
    def chargers(self) -> Sequence[Charger]:
        """Connectors in the order of site.toml."""
        ...

    @property
    def points(self) -> Mapping[str, PointDevice]:
        """Devices with inputs and outputs by id: relay boards and `gpio:chip`."""
        ...

    async def open(self) -> None:
        """Start every line's task; a wire that is missing keeps retrying in the background, it never raises."""
        ...

    async def close(self) -> None:
        """Stop every task and close every port."""
        ...

    def views(self) -> tuple[LineView, ...]:
        """Statistics of every line, now."""
        ...

    def alarms(self) -> frozenset[Alarm]:
        """What is wrong with the wires themselves, now."""
        ...

    async def frames(self, line: LineId, form: FrameFormat, last_s: float) -> bytes | None:
        """What travelled on a wire in the last seconds, as a file; None for a line without a record."""
        ...

    async def call(self, line: LineId, call: WireCall) -> WireHeard | None:
        """One call of a bus tool, after everything that control wants of the wire; None on a strange line.

        Raises ValueError for what is no read, Withdrawn when the wire has no time, DeviceUnreachable without a port.
        """
        ...

    def line_of(self, connector: ConnectorId) -> LineId:
        """The wire that a connector hangs on."""
        ...


class Journal(Protocol):
    """The durable side, as the turn sees it."""

    @property
    def alarms(self) -> frozenset[Alarm]:
        """What is wrong with the records, as far as it is known now; asking takes no time."""
        ...

    async def recover(self) -> Recovered:
        """State to go on from, read once at start."""
        ...

    async def commit(self, batch: Batch) -> int:
        """Make a batch durable, all or nothing, and return the last sequence number. Raises StoreError."""
        ...

    async def accept(self, request: Request, raw: bytes) -> Reply | None:
        """Put a request into the inbox, durably. A known id returns its latest reply and has no second effect."""
        ...
