"""`siteward replay` at the terminal: report, JSON, plot, times, copies, and what does not fit (contract section 3)."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward.control.record import Recorded
from siteward.model.causes import CAUSES
from siteward.model.limits import Cause
from siteward.model.site import Site
from siteward.replay.compare import Note
from siteward.replay.words import NOTES, WORDS
from tests.fixtures.recorded import above, overload, write_trace

DEMO = Path(__file__).parents[3] / "config" / "demo" / "site.toml"
EVENING = """
[[limit]]
id = "evening"
feeder = "row-a"
limit_a = [40, 40, 40]
"""
Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[Recorded]]:
    """A recorded overload of row A."""
    return overload(tmp_path_factory.mktemp("day"))


@pytest.fixture
def trace(day: tuple[Site, list[Recorded]], tmp_path: Path) -> Path:
    """The recorded overload where core would have left it."""
    (tmp_path / "core").mkdir()
    return write_trace(tmp_path / "core" / "trace.db", [day])


@pytest.fixture
def new_file(tmp_path: Path) -> Path:
    """The recorded site as a file, with a limit more."""
    text = DEMO.read_text(encoding="utf-8")
    row = 'rating_a = [50, 50, 50]\nmeter = "row-a-meter"\nchargers_only = true'
    assert row in text
    wider = 'rating_a = [63, 63, 63]\nmeter = "row-a-meter"\nworst_base_load_a = [20, 20, 20]'
    file = tmp_path / "new.toml"
    file.write_text(text.replace(row, wider) + EVENING, encoding="utf-8")
    return file


def test_a_report_shows_the_chains_of_a_recorded_overload(trace: Path, tmp_path: Path, capsys: Output) -> None:
    """Build 7 without a new file: core's own trace is found, the day is explained."""
    assert run_cli(["--state", str(tmp_path), "replay"]) == 0
    text = capsys.readouterr().out
    assert "Row A: 7" in text
    assert "of 63 A" in text
    assert "other load 18.0 A" in text
    assert "Row A is shared among the cars; the fair share here is" in text
    assert "< The fuse of Row A leaves 63 A." in text
    assert "Open loop: each car draws the smaller of its limit and what it drew or wanted" in text
    assert "Hall" in text
    assert "hall has no meter" in text


def test_a_new_file_is_tried_on_the_day(trace: Path, new_file: Path, tmp_path: Path, capsys: Output) -> None:
    """What would have differed: per feeder, per connector, first differences with both chains, and the plot."""
    plot = tmp_path / "replay.svg"
    assert run_cli(["replay", str(trace), "--config", str(new_file), "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    assert "First differences:" in text
    assert "A limit in force (evening) allows 40 A." in text
    assert " s above the rating with the running file, 0 s with the new one." in text
    assert plot.read_text(encoding="utf-8").startswith("<svg")


def test_the_same_for_programs(trace: Path, new_file: Path, capsys: Output) -> None:
    """One JSON document: figures, chains, and the assumption that they rest on."""
    assert run_cli(["replay", str(trace), "--config", str(new_file), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["running"]["feeders"]["row-a"]["over_s"] > 3
    assert report["new"]["feeders"]["row-a"]["over_s"] == 0
    assert report["recorded"]["feeders"]["row-a"]["peak_a"] == pytest.approx(79.1, abs=0.5)
    assert report["assumption"].startswith("Open loop")
    (over,) = (e for e in report["running"]["overloads"] if e["feeder"] == "row-a")
    chains = {c["connector"]: [link["cause"] for link in c["chain"]] for c in over["connectors"]}
    assert chains["A02-1"] == ["fair_share", "fuse"]
    first = report["firstDifferences"][0]
    assert first["new"]["chain"][-2] == {"cause": "limit", "limit_a": 40.0, "feeder": "row-a", "limit": "evening"}
    assert first["new"]["chain"][-1]["cause"] == "static"
    lost = {
        name: c["energy_wh"] - report["new"]["connectors"][name]["energy_wh"]
        for name, c in report["running"]["connectors"].items()
    }
    assert lost["A02-1"] > 50
    assert lost["B01-1"] == 0


def test_a_part_of_the_day_by_local_times(trace: Path, capsys: Output) -> None:
    """Site time, with or without a date; the overload is at 14:02:31 in Shanghai."""
    for begin, end, over in (("14:02", "14:03", True), ("2026-01-05T14:00:00", "14:02", False), ("14:03", None, False)):
        words = ["replay", str(trace), "--from", begin, *(("--to", end) if end else ()), "--json"]
        assert run_cli(words) == 0
        report = json.loads(capsys.readouterr().out)
        assert (report["running"]["feeders"]["row-a"]["over_s"] > 0) is over
        assert report["length_s"] < 130


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--from", "25:99"], "'25:99' is no time"),
        (["--from", "soon"], "write 14:30, 14:30:15 or"),
        (["--from", "2027-01-01T00:00:00"], "nothing was recorded in that time"),
        (["--to", "2025-01-01T00:00:00+08:00"], "the trace goes from 2026-01-05T14:00:0"),
        (["--config", "missing.toml"], "missing.toml"),
    ],
)
def test_what_does_not_fit_is_said(trace: Path, words: list[str], sentence: str, capsys: Output) -> None:
    """Contract section 3: exit 1, one sentence, what to do."""
    assert run_cli(["replay", str(trace), *words]) == 1
    assert sentence in " ".join(capsys.readouterr().err.split())


def test_no_trace_is_no_traceback(tmp_path: Path, capsys: Output) -> None:
    """The sentence says where core keeps one."""
    assert run_cli(["--state", str(tmp_path), "replay"]) == 1
    assert "core keeps one in STATE/core/trace.db" in capsys.readouterr().err


def test_an_old_trace_needs_its_site_file(
    day: tuple[Site, list[Recorded]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    """A program that did not keep the site: named with --site it is replayed, without it is said what is missing."""
    monkeypatch.chdir(tmp_path)
    old = write_trace(tmp_path / "old.db", [(None, [replace(turn, demands=None) for turn in day[1]])])
    assert run_cli(["replay", str(old)]) == 1
    assert "--site" in capsys.readouterr().err
    assert run_cli(["replay", str(old), "--site", str(DEMO)]) == 0
    assert "The trace does not say who asked for current" in capsys.readouterr().out


def test_a_trace_is_copied_away_and_replayed_there(trace: Path, tmp_path: Path, capsys: Output) -> None:
    """The copy holds its site: no site file is needed where it is looked at."""
    copy = tmp_path / "away" / "day.db"
    copy.parent.mkdir()
    assert run_cli(["replay", str(trace), "--export", str(copy)]) == 0
    assert run_cli(["replay", str(trace), "--export", str(copy)]) == 1
    capsys.readouterr()
    assert run_cli(["replay", str(copy), "--lang", "zh"]) == 0
    text = capsys.readouterr().out
    assert "开环回放" in text
    assert "Row A 由多辆车共享" in text
    assert "hall 没有电表" in text
    raw = {Cause.MAXIMUM, Cause.FAIR_SHARE, Cause.RAMP, Cause.FUSE, Cause.CONFIRMING}
    assert not [word for word in raw if word in text], "causes are sentences, not words of the vocabulary"
    assert "秒：正在逐步提升；当前 " in text


def test_a_new_file_that_check_refuses_is_replayed_with_that_note(trace: Path, new_file: Path, capsys: Output) -> None:
    """R3: replay proves nothing; a file whose fuses do not hold without siteward says so first."""
    text = new_file.read_text(encoding="utf-8").replace("rating_a = [63, 63, 63]", "rating_a = [42, 42, 42]")
    new_file.write_text(text, encoding="utf-8")
    assert run_cli(["replay", str(trace), "--config", str(new_file)]) == 0
    assert "`siteward check` refuses the new file: row-a" in capsys.readouterr().out


def test_a_charger_that_drew_above_its_grant_is_shown(
    day: tuple[Site, list[Recorded]], tmp_path: Path, capsys: Output
) -> None:
    """Turn.md step 9: a replayed charger obeys, so the record must tell who did not, in both languages."""
    site, turns = day
    late = [above(turn, "A02-1", 9.0) if i in range(20, 50) else turn for i, turn in enumerate(turns[60:120])]
    trace = write_trace(tmp_path / "late.db", [(site, late)])
    assert run_cli(["replay", str(trace)]) == 0
    text = capsys.readouterr().out
    (told,) = (line for line in text.splitlines() if "above its grant" in line)
    assert told.split()[1:5] == ["A02-1:", "30", "s", "above"]
    assert "30 s of them in a row; at most 9.0 A above " in told
    assert run_cli(["replay", str(trace), "--lang", "zh"]) == 0
    assert "A02-1：超出分配电流共 30 秒，最长连续 30 秒；最多超出 9.0 A" in capsys.readouterr().out
    assert run_cli(["replay", str(trace), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["recorded"]["disobeyed"]
    assert list(found) == ["A02-1"]
    assert (found["A02-1"]["over_s"], found["A02-1"]["mostOver_a"]) == (pytest.approx(30, abs=1), pytest.approx(9))


def test_every_word_has_both_languages() -> None:
    """House rule: a sentence in English and in Chinese, with the same places to fill in."""
    for sentence in (*NOTES.values(), *WORDS.values(), *CAUSES.values()):
        places = [sorted(part.split("}")[0] for part in text.split("{")[1:]) for text in (sentence.en, sentence.zh)]
        assert sentence.zh
        assert places[0] == places[1], sentence
    assert set(NOTES) == set(Note)
