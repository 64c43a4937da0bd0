"""UNLOCK_CONNECTOR over random lives of a box: judged by its truth, never by what was told (I10, R2, R19)."""

from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from siteward.model.requests import Request
from tests.siteward.control.lock_rig import A1, LockRig


class _Life(NamedTuple):
    """What happens in one second of a random life."""

    what: str
    value: float


_LIVES = st.lists(
    st.builds(
        _Life,
        st.sampled_from(("unlock", "start", "stop", "plug", "stuck", "silent", "deaf", "answers", "crash", "wait")),
        st.sampled_from((0.0, 6.0, 16.0)),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lives=_LIVES)
def test_whatever_happens_no_cable_is_let_go_in_a_session_or_under_load(lives: list[_Life]) -> None:
    """I10, R2, R19: no write into an open session, under load, or to somebody silent; one final answer for each."""
    rig = LockRig()
    rig["A1"].plugged = True
    open_requests: dict[str, Request] = {}
    for number, life in enumerate(lives):
        asked = _happen(rig, life, number)
        if asked is not None and asked.name == "UNLOCK_CONNECTOR":
            open_requests[asked.id] = asked
        for name in [n for n in open_requests if any(r.command == n and r.stage.final for _, r in rig.log.replies)]:
            del open_requests[name]
        if life.what == "crash":
            rig.crash(unfinished=tuple(open_requests.values()))
        before = len(rig.writes)
        rig.step(*([] if asked is None else [asked]))
        _judge(rig, before)
    rig["A1"].silent = False
    rig.steps(40)
    for number, life in enumerate(lives):
        if life.what == "unlock":
            assert rig.log.final(f"u-{number}")


def _happen(rig: LockRig, life: _Life, number: int) -> Request | None:
    """Let it happen; the request that comes with it."""
    box, on = rig["A1"], life.value > 0.0
    if life.what == "unlock":
        return rig.request("UNLOCK_CONNECTOR", f"u-{number}", target="A1")
    if life.what == "start":
        return rig.start("A1", f"s-{number}", order=f"O-{number}")
    if life.what == "stop":
        session = rig.memory.posts[A1].session
        return None if session is None else rig.stop(f"e-{number}", sessionId=session.record.id)
    if life.what == "plug":
        box.plugged = on
    elif life.what == "stuck":
        box.stuck_a = life.value
    elif life.what in ("silent", "deaf"):
        setattr(box, life.what, on)
    elif life.what == "answers":
        rig.answers = on
    return None


def _judge(rig: LockRig, before: int) -> None:
    """By the truth of the box: what was written in this turn was allowed in this turn."""
    if len(rig.writes) == before:
        return
    box, session = rig["A1"], rig.memory.posts[A1].session
    assert not box.silent
    assert box.amps < 0.5
    assert session is None or session.ending is not None
