"""The uplink's arithmetic: window of 1,000, batches of 500 or 64 kB, pace on bad lines."""

import json

from siteward_sync.pace import FLIGHT, Pace
from siteward_sync.window import WINDOW, Window, batches


def test_at_most_a_thousand_events_are_on_the_way() -> None:
    """Contract: window 1,000; an ack opens it; after resend_s everything unacked is due again."""
    window = Window("J", 10, 0.0)
    assert window.room == WINDOW
    window.pushed(1010, 5.0)
    assert window.room == 0
    assert window.left_s(30.0, 20.0) == 15.0
    window.acknowledged(510, 21.0)
    assert window.room == 500
    assert window.left_s(30.0, 22.0) == 29.0
    window.rewind(60.0)
    assert (window.sent, window.room) == (510, WINDOW)
    assert window.left_s(30.0, 500.0) == 30.0, "nothing on the way: nothing is due"


def test_an_ack_ahead_of_us_is_believed_and_an_old_one_changes_nothing() -> None:
    """A restarted uplink hears acks for what its predecessor sent."""
    window = Window("J", 10, 0.0)
    window.acknowledged(40, 1.0)
    assert (window.acked, window.sent) == (40, 40)
    window.acknowledged(20, 2.0)
    assert window.acked == 40


def test_batches_are_cut_by_count_and_by_size_and_lose_nothing() -> None:
    """Ruling 20; an event larger than a batch goes alone."""
    small = [{"seq": n, "data": {}} for n in range(1, 1202)]
    assert [last for last, _ in batches(small, 1 << 20)] == [500, 1000, 1201]
    mixed = [{"seq": n, "data": {"x": "y" * (5000 if n == 3 else 300)}} for n in range(1, 40)]
    cut = list(batches(mixed, 2000))
    assert [event for _, text in cut for event in json.loads(text)] == mixed
    assert all(len(text) <= 2000 or len(json.loads(text)) == 1 for _, text in cut)
    assert list(batches([], 2000)) == []


def test_pieces_shrink_on_a_slow_line_and_grow_back() -> None:
    """Fault 41: heartbeats and commands overtake, because never more than about a second is on the way."""
    pace = Pace(65_000)
    assert pace.flight == FLIGHT
    for _ in range(4):
        pace.confirmed(8.0)
    assert (pace.batch_bytes, pace.flight) == (4062, 1)
    for _ in range(20):
        pace.confirmed(8.0)
    assert pace.batch_bytes == 2048
    for _ in range(6):
        pace.confirmed(0.1)
    assert (pace.batch_bytes, pace.flight) == (65_000, FLIGHT)


def test_a_metered_line_rests_between_batches() -> None:
    """cloud.backfill_share = 0.2: four fifths of the time belong to others."""
    pace = Pace(65_000, 0.2)
    assert pace.flight == 1
    assert abs(pace.confirmed(0.5) - 2.0) < 1e-9
    assert Pace(65_000).confirmed(0.5) == 0.0
