"""Time that jumped: a turn that came late, or a wall clock that ran ahead of the boot-time clock (step 1, R17)."""

from siteward.control.memory import NEVER
from siteward.control.work import Work
from siteward.model.alarms import AlarmCode
from siteward.model.ids import MeterId

GAP_S, WALL_JUMP_S = 3.0, 2.0
ROUND_S = 5.0
ALARM_S = 10.0


def judge_time(work: Work) -> None:
    """After a gap or a jump no raise and no lease until one full poll round that began later was read."""
    memory, at = work.memory, work.at
    passed = at - memory.at
    jump = 0.0
    if memory.wall is not None:
        jump = (work.snapshot.wall - memory.wall).total_seconds() - passed
    first = memory.wall is None
    work.gap = not first and (passed > GAP_S or jump > WALL_JUMP_S)
    work.gap_at = at if work.gap else memory.gap_at
    if work.gap_at is not None and not work.gap and _round_done(work, work.gap_at):
        work.gap_at = None
    if work.gap:
        _drop_queued_raises(work)
    if at - (at if work.gap else memory.gap_alarm_at) < ALARM_S:
        work.alarm(AlarmCode.TURN_GAP, "station")


def _round_done(work: Work, since: float) -> bool:
    """Whether everything that answers was asked after the gap; what does not answer is waited for 5 s."""
    if work.at - since >= ROUND_S:
        return True
    chargers = all(w.read_at >= since or w.misses >= 2 or w.read_at == NEVER for w in work.watches)
    meters = all(node.feeder.meter is None or _meter_at(work, node.feeder.meter) >= since for node in work.tree.fuses)
    return chargers and meters


def _meter_at(work: Work, meter: MeterId) -> float:
    reading = work.snapshot.meters.get(meter)
    return NEVER if reading is None else reading.sent_at


def _drop_queued_raises(work: Work) -> None:
    for w in work.watches:
        w.flights = tuple(f for f in w.flights if f.sends or not f.raises)
