"""The doctor's judgement of wires: S-20 and contract section 3; faults 1, 3, 9 and 19 as an installer sees them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.cli.doctor import doctor
from siteward.cli.line_health import Trouble, judge, judge_line, judge_with_silence, since
from siteward.cli.paint import Screen
from siteward.client.client import Client
from siteward.client.messages import LineMessage, SlaveMessage
from tests.fixtures.core import running_core


def slave(unit: int, sent: int = 1000, **changes: float | None) -> SlaveMessage:
    """A healthy device, but for the changes."""
    lost = int(changes.get("timeouts") or 0) + int(changes.get("garbled") or 0) + int(changes.get("refused") or 0)
    healthy = {"timeouts": 0, "garbled": 0, "refused": 0, "latency_ms": 40.0, "latency_p99_ms": 60.0}
    return SlaveMessage.model_validate(
        {"device": f"d{unit}", "unit": unit, "sent": sent, "answered": sent - lost, **healthy, **changes}
    )


def line(*slaves: SlaveMessage, is_open: bool = True, load: float = 0.3, early: int = 0) -> LineMessage:
    """A wire with these devices."""
    return LineMessage(id="row", port="/dev/x", open=is_open, load=load, early_frames=early, slaves=slaves)


DEAD = slave(9, timeouts=1000, latency_ms=None, latency_p99_ms=None)


@pytest.mark.parametrize(
    ("wire", "found"),
    [
        (line(slave(1), slave(2)), []),
        (line(), []),
        (line(slave(1), is_open=False), [(Trouble.NOT_OPEN, None)]),
        (line(DEAD, slave(8, timeouts=990)), [(Trouble.ALL_SILENT, None)]),
        (line(slave(1), DEAD), [(Trouble.SILENT, "d9")]),
        (line(slave(1), slave(2), slave(3, garbled=80)), [(Trouble.COLLISIONS, "d3")]),
        (line(slave(1, garbled=60), slave(2, garbled=90), slave(3)), [(Trouble.NOISE, None)]),
        (line(slave(1, garbled=60)), [(Trouble.NOISE, "d1")]),
        (line(slave(1), slave(2, timeouts=50)), [(Trouble.LOSSES, "d2")]),
        (line(slave(1, refused=40)), [(Trouble.REFUSALS, "d1")]),
        (line(slave(1, latency_p99_ms=900.0)), [(Trouble.SLOW, "d1")]),
        (line(slave(1), load=0.82), [(Trouble.FULL, None)]),
        (line(slave(1), load=0.74), []),
        (line(slave(1), slave(2, sent=30, garbled=1)), []),
        (line(slave(1), slave(2, sent=60, timeouts=2)), []),
        (line(slave(1), early=3), [(Trouble.EARLY, None)]),
        (line(slave(1, sent=10, timeouts=1)), []),
        (line(slave(1, sent=0)), []),
    ],
)
def test_each_pattern_has_its_cause(wire: LineMessage, found: Sequence[tuple[Trouble, str | None]]) -> None:
    """A cause, not a list of symptoms: damage of one is its address, damage of all is the wire."""
    told = judge_line(wire)
    assert [(diagnosis.trouble, diagnosis.device) for diagnosis in told] == found
    for diagnosis in told:
        assert "{subject}" not in diagnosis.text.en + diagnosis.text.zh
        assert any("一" <= letter <= "鿿" for letter in diagnosis.text.zh)


def test_watching_for_a_while_forgets_old_troubles() -> None:
    """A fault that was mended yesterday is no fault today; a core that began anew counts from its start."""
    before = line(slave(1, sent=1000, timeouts=400))
    now = line(slave(1, sent=1100, timeouts=400))
    assert judge((now,))
    assert judge((since(before, now),)) == ()
    anew = line(slave(1, sent=50, timeouts=25))
    assert since(before, anew).slaves == anew.slaves


def test_a_fresh_silence_is_told_in_spite_of_hours_of_good_answers() -> None:
    """Fault 4 and fault 14 as an installer meets them: core's alarm names who is silent, counts since start do not."""
    silent = {"d2": datetime(2026, 3, 1, 14, 30, tzinfo=UTC), "d7": datetime(2026, 3, 1, tzinfo=UTC)}
    hours = line(slave(1, sent=90_000), slave(2, sent=90_000, timeouts=30))
    assert judge_line(hours) == ()
    (found,) = judge_with_silence((hours,), silent)
    assert (found.trouble, found.device) == (Trouble.SILENT_NOW, "d2")
    assert found.text.en.startswith("d2 (since 14:30:00 UTC) does not answer now")
    assert "一" <= found.text.zh[-3] <= "鿿"
    shown = line(slave(1), slave(2, timeouts=60))
    assert [d.trouble for d in judge_line(shown)] == [Trouble.LOSSES]
    assert [d.trouble for d in judge_with_silence((shown,), silent)] == [Trouble.SILENT_NOW], "it is the cause"


@pytest.mark.parametrize(
    "wire",
    [
        line(slave(1), slave(2), is_open=False),
        line(slave(1), slave(2, timeouts=1000)),
        line(DEAD, slave(2, timeouts=990)),
    ],
)
def test_a_silence_is_told_once(wire: LineMessage) -> None:
    """The cause before its effects: a closed or dead wire, or a device told as silent, is not told again."""
    found = judge_line(wire)
    assert found
    assert judge_with_silence((wire,), {"d2": datetime(2026, 3, 1, tzinfo=UTC)}) == found


async def test_the_doctor_speaks_to_people_and_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Contract section 3: one table and the findings; JSON has both languages; 1 when something is wrong."""
    async with running_core(tmp_path / "run") as core, Client(core.run_dir / "cli.sock") as client:
        status = await doctor(client, Screen(as_json=False), 0.0)
        page = capsys.readouterr().out
        assert "p99 ms" in page
        assert (status == 0) == ("nothing wrong" in page)
        again = await doctor(client, Screen(as_json=True), 0.01)
        told = json.loads(capsys.readouterr().out)
    assert told["lines"]
    assert (again == 1) == bool(told["findings"])
