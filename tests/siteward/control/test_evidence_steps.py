"""Step 2 (R2, R3b, R4, R16): what one frame changes of what is known, field by field."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from siteward.control.evidence import (
    apply_wire,
    count_misses,
    doubt,
    hear,
)
from siteward.control.memory import Watch
from siteward.control.phasing import AS_BUILT
from siteward.control.tree import Outlet, tree_of
from siteward.model.facts import ResetBy
from siteward.model.wire import FrameKind, FrameStage, WireEvent
from tests.siteward.control.bench import AT, flight, watch
from tests.siteward.control.sites import Box, feeder, site

SENT, ANSWERED, FAILED = FrameStage.SENT, FrameStage.ANSWERED, FrameStage.FAILED


def outlet(box: Box | None = None) -> Outlet:
    """A box that rests at 6 A."""
    return tree_of(site([feeder("grid", 63.0)], [box or Box()])).outlets[0]


def changed(before: Watch, after: Watch) -> dict[str, object]:
    """What is different."""
    names = [f.name for f in fields(Watch)]
    return {n: getattr(after, n) for n in names if getattr(after, n) != getattr(before, n)}


def wired(
    seen: Watch,
    kind: FrameKind,
    stage: FrameStage,
    value_a: float | None = None,
    box: Box | None = None,
    **more: object,
) -> dict[str, object]:
    """What a step of a frame, sent a tenth of a second ago, changes."""
    o = outlet(box)
    event = WireEvent(o.id, kind, stage, AT, value_a, AT - 0.1, None)
    before = seen.clone()
    apply_wire(o, seen, replace(event, **more))  # type: ignore[arg-type]
    return changed(before, seen)


HEARD = {"answered": AT - 0.1, "heard": AT - 0.1, "spoke": AT - 0.1}
NOT_FED = {"answered": AT - 0.1, "spoke": AT - 0.1}


@pytest.mark.parametrize(
    ("kind", "stage", "value_a", "box", "changes"),
    [
        (FrameKind.READ, ANSWERED, None, Box(), HEARD),
        (FrameKind.READ, SENT, None, Box(), {"spoke": AT - 0.1}),
        (FrameKind.READ, FAILED, None, Box(), {"spoke": AT - 0.1, "misses": 2}),
        (FrameKind.READ, FrameStage.QUEUED, None, Box(), {}),
        (FrameKind.READ, ANSWERED, None, Box(reset_by=ResetBy.LIMIT_WRITE), {"answered": AT - 0.1}),
        (FrameKind.READ, ANSWERED, None, Box(reset_by=ResetBy.UNKNOWN), {"answered": AT - 0.1, "spoke": AT - 0.1}),
        (FrameKind.READ, ANSWERED, None, Box(tw_s=None), {"answered": AT - 0.1}),
        (
            FrameKind.FAILSAFE,
            ANSWERED,
            9.0,
            Box(reset_by=ResetBy.LIMIT_WRITE),
            {"answered": AT - 0.1, "spoke": AT - 0.1},
        ),
        (FrameKind.OTHER, ANSWERED, None, Box(reset_by=ResetBy.HEARTBEAT), {"heard": AT - 0.1, "spoke": AT - 0.1}),
        (FrameKind.OTHER, FAILED, None, Box(reset_by=ResetBy.HEARTBEAT), {"spoke": AT - 0.1}),
        (FrameKind.OTHER, ANSWERED, None, Box(), {"spoke": AT - 0.1}),
    ],
)
def test_what_a_frame_may_have_fed_and_surely_fed(
    kind: FrameKind, stage: FrameStage, value_a: float | None, box: Box, changes: dict[str, object]
) -> None:
    """R2, R16: an answer ends the misses; a neighbour's is none."""
    found = wired(watch(misses=1), kind, stage, value_a, box)
    quiet = {"misses": 0} if "answered" in changes else {}
    assert found == changes | quiet


@pytest.mark.parametrize(
    ("value_a", "may_feed"), [(6.0, False), (6.01, False), (6.02, True), (0.0, False), (None, True)]
)
def test_a_limit_that_is_not_above_the_fall_back_keeps_nothing_high(value_a: float | None, may_feed: bool) -> None:
    """R2: heard it is no higher, not heard it feeds nothing."""
    assert ("spoke" in wired(watch(), FrameKind.LIMIT, SENT, value_a)) is may_feed


def test_times_of_older_frames_move_nothing_back() -> None:
    """R2: a log may come late."""
    seen = watch(answered=AT, heard=AT, spoke=AT, limit_sent=AT)
    assert wired(seen, FrameKind.LIMIT, ANSWERED, 16.0, sent_at=AT - 9.0, turn=3).keys() == {"flights"}
    assert wired(watch(), FrameKind.READ, ANSWERED, sent_at=None) == {"answered": AT, "heard": AT, "spoke": AT}


@pytest.mark.parametrize(
    ("stage", "event_turn", "value_a", "after"),
    [
        (SENT, 6, 8.0, {"sent_at": AT - 0.1, "sends": 1}),
        (SENT, None, 8.009, {"sent_at": AT - 0.1, "sends": 1}),
        (ANSWERED, 6, 8.0, {"sent_at": AT - 0.1, "answered_at": AT, "sends": 1}),
        (FAILED, 6, 8.0, {"sent_at": AT - 0.1, "late": True, "sends": 1}),
        (FrameStage.QUEUED, 6, 8.0, {}),
        (FrameStage.WITHDRAWN, 6, 8.02, {}),
    ],
)
def test_a_flight_follows_its_frame(
    stage: FrameStage, event_turn: int | None, value_a: float, after: dict[str, object]
) -> None:
    """R4: by value and turn; the newest that fits."""
    older, mine = flight(8.0, turn=5), flight(8.0, turn=6)
    seen = watch(16.0, flights=(older, mine, flight(3.0, turn=6)))
    wired(seen, FrameKind.LIMIT, stage, value_a, turn=event_turn)
    assert seen.flights == (older, mine._replace(**after), flight(3.0, turn=6))


def test_a_second_sending_counts_and_an_answer_keeps_the_count() -> None:
    """R4: what was sent twice may arrive twice."""
    seen = watch(16.0, flights=(flight(8.0, turn=6, sends=2),))
    wired(seen, FrameKind.LIMIT, SENT, 8.0, turn=6)
    assert seen.flights[0].sends == 3
    wired(seen, FrameKind.LIMIT, ANSWERED, 8.0, turn=6)
    assert seen.flights[0].sends == 3
    wired(seen, FrameKind.LIMIT, FrameStage.WITHDRAWN, 8.0, turn=6)
    assert len(seen.flights) == 1


def test_a_withdrawn_write_that_was_never_sent_is_gone() -> None:
    """R4: the others stay in their order."""
    left, right = flight(9.0, turn=5), flight(7.0, turn=6)
    seen = watch(16.0, flights=(left, flight(8.0, turn=6), right))
    wired(seen, FrameKind.LIMIT, FrameStage.WITHDRAWN, 8.0, turn=6)
    assert seen.flights == (left, right)


@pytest.mark.parametrize(("turn", "kept"), [(None, -1), (4, 4)])
def test_a_write_that_nobody_decided_is_a_flight_once_it_is_sent(turn: int | None, kept: int) -> None:
    """R4: the line's own last word; a frame of ours that is only withdrawn is none."""
    seen = watch(16.0)
    wired(seen, FrameKind.LIMIT, FrameStage.WITHDRAWN, 6.0, turn=turn)
    assert seen.flights == ()
    wired(seen, FrameKind.LIMIT, SENT, 6.0, turn=turn)
    assert seen.flights == (flight(6.0, turn=kept, deadline=AT, sent_at=AT - 0.1, sends=1),)
    assert seen.limit_sent == AT - 0.1


@pytest.mark.parametrize(("silent_s", "doubts"), [(3.0, False), (3.1, True)])
def test_an_answer_after_silence_makes_everything_unknown(silent_s: float, doubts: bool) -> None:
    """R3b: it may have restarted."""
    seen = watch(16.0, answered=AT - silent_s, quiet=(None, 3.0, 4.0))
    before = seen.clone()
    hear(outlet(), seen, AT)
    assert seen.answered == AT
    known = {"conf_a": None, "booked_a": 16.0, "unread": True, "unread_since": AT, "verified": False}
    known |= {"unverified_since": AT, "phases_known_at": AT + 10.0, "quiet": (None, None, None)}
    known |= {"phasing": AS_BUILT._replace(known_at=AT + 10.0)}
    assert changed(before, seen) == {"answered": AT} | (known if doubts else {})


def test_doubt_keeps_what_was_booked_and_when_it_became_unverified() -> None:
    """R3b: for one that was unknown already."""
    seen = watch(None, booked_a=9.0, verified=False, unverified_since=5.0)
    doubt(seen, AT)
    assert (seen.booked_a, seen.unverified_since, seen.verified) == (9.0, 5.0, False)


@pytest.mark.parametrize(
    ("misses", "seen_misses", "known", "after"),
    [(3, 2, 0, (3, 3)), (2, 2, 0, (0, 2)), (3, 1, 5, (5, 3)), (0, 4, 1, (1, 0))],
)
def test_misses_of_the_poller_count_where_they_grew(
    misses: int, seen_misses: int, known: int, after: tuple[int, int]
) -> None:
    """R16: never down."""
    seen = watch(misses=known, seen_misses=seen_misses)
    count_misses(seen, misses)
    assert (seen.misses, seen.seen_misses) == after
