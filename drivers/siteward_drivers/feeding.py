"""Which other watchdogs a frame may feed (R2): neighbours in the device, listeners on the line."""

from collections.abc import Iterable, Sequence

from siteward.model.facts import ResetBy
from siteward.model.ports import WireLog
from siteward.model.site import Charger, Connector
from siteward.model.wire import FrameKind, FrameStage, WireEvent

_SHARED = (ResetBy.ANY_REQUEST, ResetBy.ANY_TRAFFIC, ResetBy.UNKNOWN)
_SURE = (ResetBy.ANY_REQUEST, ResetBy.ANY_TRAFFIC)


def reset_by(connector: Connector) -> ResetBy | None:
    """What re-arms the connector's watchdog, None where it has none."""
    failsafe = connector.facts.failsafe
    return None if failsafe is None else failsafe.reset_by


def listeners(chargers: Iterable[Charger]) -> tuple[Connector, ...]:
    """Connectors whose watchdog any traffic on the line feeds."""
    return tuple(c for charger in chargers for c in charger.connectors if reset_by(c) is ResetBy.ANY_TRAFFIC)


def also_fed(connector: Connector, device: Charger, line: Sequence[Charger]) -> tuple[Connector, ...]:
    """Connectors other than this one whose watchdog a frame to this one may feed."""
    neighbours = [c for c in device.connectors if c is not connector and reset_by(c) in _SHARED]
    others = [c for c in listeners(line) if c not in device.connectors]
    return (*neighbours, *others)


class Feeding:
    """Logs a frame for the watchdogs that it may feed: its sending for all, its answer where that surely feeds.

    `strange` frames are noise to those who listen (another language or speed), so that nothing is sure of them.
    """

    def __init__(self, fed: Sequence[Connector], log: WireLog, strange: bool = False) -> None:
        self._fed = fed
        self._strange = strange
        self._log = log

    @property
    def anybody(self) -> bool:
        """Whether any watchdog may be fed."""
        return bool(self._fed)

    def stage(self, stage: FrameStage, at: float, sent_at: float | None, reason: str) -> None:
        """Take a stage of a frame whose failure needs no words here."""
        self(stage, at, sent_at)

    def __call__(self, stage: FrameStage, at: float, sent_at: float | None) -> None:
        """Take a stage of a frame."""
        for connector in self._fed:
            sure = not self._strange and reset_by(connector) in _SURE
            if stage is FrameStage.SENT or (stage is FrameStage.ANSWERED and sure):
                self._log(WireEvent(connector.id, FrameKind.OTHER, stage, at, sent_at=sent_at))
