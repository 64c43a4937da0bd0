"""A visit: one call of a bus tool on a line in service; it comes last, and takes a bounded share of the wire's time."""

from dataclasses import dataclass

from siteward.model.serial import SerialSettings
from siteward_drivers.answer import Answer
from siteward_drivers.line_job import Job, Rank
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.slave import Ghost, Role, Slave

HOME_SHARE = 0.20
"""Share of a wire's time that visits may take at the wire's own settings: with 70 % planned there is air left."""

FOREIGN_SHARE = 0.10
"""The same at other settings, where every frame is noise to the devices in service."""

LONGEST_S = 0.5
"""Longest that a visit may wait for an answer: no longer than a silent device keeps the wire anyway (ruling 4)."""


@dataclass(slots=True, eq=False)
class Visit(Job):
    """One call. `resident` is the device in service at the same address, `heard` all bytes that came."""

    answer_s: float = 0.1
    patient: bool = False
    resident: Slave | None = None
    heard: bytes = b""

    @property
    def pace(self) -> Slave:
        """The resident's: it needs its rest after its own polls too."""
        return self.resident or self.slave

    def ready_at(self, visits_from: float) -> float:
        """Not before others had their share of the wire."""
        return max(visits_from, Job.ready_at(self, visits_from))

    @property
    def urgency(self) -> Rank:
        """Always the last."""
        return Rank.VISIT

    @property
    def pause_factor(self) -> float:
        """How many times its own length the wire belongs to others afterwards."""
        share = FOREIGN_SHARE if self.slave.settings is not None else HOME_SHARE
        return 1.0 / share - 1.0

    def left(self, now: float, answer: Answer | None, late_s: float) -> None:
        """Tell the resident what became of the call: it needs its rest, and a late answer may still come.

        Its counts stay as they are: a tool that asks for what a device does not have must not make it look ill.
        """
        known = self.resident
        if known is None:
            return
        known.last = self.request
        known.rest_until = max(known.rest_until, now + known.timing.rest_s)
        if answer is None and late_s > 0:
            known.ghosts = [ghost for ghost in known.ghosts if ghost.until > now]
            known.ghosts.append(Ghost(self.request, now + late_s))


def visitor(unit: int, resident: Slave | None, settings: SerialSettings | None) -> Slave:
    """The address as the visit sees it: with the resident's times, none of its counts."""
    if resident is None:
        return Slave("bus tool", unit, Role.OTHER, TimingPart(gap_s=0.01), settings)
    return Slave("bus tool", unit, Role.OTHER, resident.timing, settings)
