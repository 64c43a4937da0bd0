"""What a connector wants from the load turn: the seam between sessions and fuses."""

from dataclasses import dataclass

from siteward.model.site import Priority


@dataclass(frozen=True, slots=True)
class Demand:
    """One connector's wish. Without `wants` its target is 0 A (pause).

    max_a bounds the target (already min of order, cable and own limits); waiting_since orders equals in a class;
    must_run keeps the floor as long as any other can be paused instead; stop forces a pause at once, breaking every
    ramp and minimum-on time; need_a is what it must get on average to leave with its energy in time (0: nobody said);
    may_switch: the car stands switching between one and three phases (B14).
    """

    wants: bool
    max_a: float
    priority: Priority
    waiting_since: float
    must_run: bool = False
    stop: bool = False
    need_a: float = 0.0
    may_switch: bool = False


IDLE = Demand(wants=False, max_a=0.0, priority=Priority.NORMAL, waiting_since=0.0)
