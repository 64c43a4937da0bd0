"""S-89: what waits for an output is gathered, bounded and tried again, on a hand-moved clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from siteward.client.records import AlarmRecordMessage
from siteward.model.alarms import Severity
from siteward_sync.outputs.box import GROUP_MOST_S, NOTICES_MAX, RETRY_MOST_S, Box
from siteward_sync.outputs.options import OutputKind, OutputOptions

OUTPUT = OutputOptions("mail", OutputKind.EMAIL, "smtp://127.0.0.1", group_s=30.0)


def raised(seq: int, severity: str = "high", subject: str = "A01-1", code: str = "CHARGER_FAULT") -> dict[str, Any]:
    """An alarm that rose."""
    data = {"code": code, "subject": subject, "severity": severity, "textEn": f"{subject} broke.", "textZh": "坏了。"}
    return {"seq": seq, "type": "alarm.raised", "occurredAt": "2026-03-01T08:00:00.000Z", "data": data}


def cleared(seq: int, subject: str = "A01-1") -> dict[str, Any]:
    """Its end."""
    data = {"code": "CHARGER_FAULT", "subject": subject, "actor": {"user": "ann"}}
    return {"seq": seq, "type": "alarm.cleared", "occurredAt": "2026-03-01T08:09:00.000Z", "data": data}


def test_what_comes_together_goes_out_together() -> None:
    """S-89: half a minute after the last of it, two minutes after the first at the latest."""
    box = Box(OUTPUT)
    assert box.wait_s(0.0) is None
    box.put(raised(1), 100.0)
    assert box.wait_s(100.0) == 30.0
    box.put(raised(2, subject="A02-1"), 110.0)
    assert box.wait_s(110.0) == 30.0
    for second in range(120, 240, 10):
        box.put(raised(second, subject=f"B{second}"), float(second))
    assert box.wait_s(230.0) == 100.0 + GROUP_MOST_S - 230.0 or box.wait_s(230.0) == 0.0
    batch = box.batch()
    assert [notice.seq for notice in batch][:2] == [1, 2]
    box.put(raised(999), 235.0)
    box.sent(batch, 236.0)
    assert [notice.seq for notice in box.batch()] == [999]


def test_the_highest_severity_waits_for_nothing() -> None:
    """S-89."""
    box = Box(OUTPUT)
    box.put(raised(1), 100.0)
    box.put(raised(2, "highest", subject="grid"), 101.0)
    assert box.wait_s(101.0) == 0.0


@pytest.mark.parametrize(("least", "told"), [(Severity.LOW, 4), (Severity.MEDIUM, 3), (Severity.HIGHEST, 1)])
def test_an_output_sends_from_its_severity_on(least: Severity, told: int) -> None:
    """S-89."""
    box = Box(OutputOptions("mail", OutputKind.EMAIL, "smtp://127.0.0.1", severity=least))
    for seq, severity in enumerate(("low", "medium", "high", "highest"), 1):
        box.put(raised(seq, severity, subject=severity), 0.0)
    assert len(box.batch()) == told


def test_only_the_end_of_what_was_told_is_told() -> None:
    """S-89: with who ended it; an output that wants no ends gets none."""
    box = Box(OUTPUT)
    box.put(cleared(1), 0.0)
    box.put(raised(2, "low", subject="A02-1"), 0.0)
    box.put(cleared(3, "A02-1"), 0.0)
    assert box.batch() == ()
    box.put(raised(4), 0.0)
    box.put(cleared(5), 0.0)
    box.put(cleared(6), 0.0)
    assert [(n.seq, n.ended, n.by) for n in box.batch()] == [(4, False, ""), (5, True, "ann")]
    quiet = Box(OutputOptions("mail", OutputKind.EMAIL, "smtp://127.0.0.1", ends=False))
    quiet.put(raised(7), 0.0)
    quiet.put(cleared(8), 0.0)
    assert [n.seq for n in quiet.batch()] == [7]


def test_an_output_does_not_tell_that_itself_fails() -> None:
    """S-89: others do."""
    box = Box(OUTPUT)
    box.put(raised(1, code="OUTPUT_FAILED", subject="mail"), 0.0)
    assert box.batch() == ()
    box.put(raised(2, code="OUTPUT_FAILED", subject="hook"), 0.0)
    assert len(box.batch()) == 1


def test_a_failed_delivery_comes_again_after_growing_pauses_and_nothing_is_forgotten() -> None:
    """S-89: what comes meanwhile goes out with it, as one message."""
    box = Box(OUTPUT)
    box.put(raised(1, "highest"), 0.0)
    at, pauses = 0.0, []
    for _ in range(12):
        box.failed("no route", at, 1.0)
        pauses.append(box.wait_s(at) or 0.0)
        at += pauses[-1]
    assert pauses[:4] == [5.0, 10.0, 20.0, 40.0]
    assert pauses[-1] == RETRY_MOST_S
    assert box.failing
    box.put(raised(2, "highest", subject="B"), at)
    assert len(box.batch()) == 2
    box.failed("no route", at, 0.0)
    assert box.wait_s(at) == RETRY_MOST_S / 2
    box.sent(box.batch(), at)
    assert (box.failing, box.error, box.wait_s(at)) == (False, "", None)


def test_a_flood_is_bounded_and_says_how_much_is_missing() -> None:
    """I17: the newest stay."""
    box = Box(OUTPUT)
    for seq in range(1, NOTICES_MAX + 51):
        box.put(raised(seq, subject=f"A{seq}"), 0.0)
    assert len(box.batch()) == NOTICES_MAX
    assert (box.left_out, box.batch()[0].seq) == (50, 51)


def test_what_was_delivered_goes_whatever_numbers_follow() -> None:
    """S-89: a journal that began anew counts from 1; what waited from the old one is sent once, not for ever."""
    box = Box(OUTPUT)
    box.put(raised(5000), 0.0)
    box.put(raised(3, subject="A02-1"), 0.0)
    batch = box.batch()
    box.put(raised(4, subject="A03-1"), 1.0)
    box.sent(batch, 2.0)
    assert [notice.seq for notice in box.batch()] == [4]


def test_the_end_of_what_an_earlier_life_told_is_told() -> None:
    """S-89, S-54: the alarm is known by its record; one below the output's severity, or of another rise, is not."""
    at = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
    rows = [
        AlarmRecordMessage(
            code="CHARGER_FAULT", subject=subject, severity=severity, raised_at=at, text_en="x", text_zh="x", number=n
        )
        for n, (subject, severity) in enumerate((("A01-1", "high"), ("A02-1", "low"), ("A03-1", "high")))
    ]
    box = Box(OUTPUT)
    box.recall(rows)
    for seq, (subject, raised_at) in enumerate((("A01-1", "07:30"), ("A02-1", "07:30"), ("A03-1", "07:50"))):
        event = cleared(seq, subject)
        event["data"]["raisedAt"] = f"2026-03-01T{raised_at}:00.000Z"
        box.put(event, 0.0)
    (notice,) = box.batch()
    assert (notice.subject, notice.ended, notice.severity, notice.text_en) == ("A01-1", True, "high", "x")
