"""`siteward check` tells what readers, emergency stops and bays will do, in both languages (S-22, I13)."""

import json
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from tests.siteward.cli.test_usage import DEMO

Output = pytest.CaptureFixture[str]
TABLES = """
[[relay]]
id = "panic"
line = "rs485-2"
unit = 61
profile = "waveshare_relay_d_8ch"
[[reader]]
id = "row"
port = "/dev/serial/by-path/row"
baud = 19200
connectors = ["A01-1", "C01-4"]
[[reader]]
id = "entrance"
port = "/dev/input/by-path/entrance"
kind = "keys"
barrier = "gate"
[[emergency]]
id = "exit"
input = "panic.input_1"
[[emergency]]
id = "door"
input = "panic.input_2"
normally_closed = false
connectors = ["A01-1"]
[[bay]]
id = "bay-4"
connector = "C01-4"
blocked_after_min = 10
fee_rule = "idle"
[[bay]]
id = "bay-1"
connector = "A01-1"
"""


def judged(tmp_path: Path, capsys: Output, tables: str, *words: str) -> tuple[int, str]:
    """Status and words of `check` on the demo with these tables."""
    file = tmp_path / "site.toml"
    file.write_text(DEMO.read_text(encoding="utf-8") + tables, encoding="utf-8")
    status = run_cli(["check", str(file), *words])
    return status, capsys.readouterr().out


def test_it_says_what_the_settings_will_do(tmp_path: Path, capsys: Output) -> None:
    """One row each: what it reads, when it acts, and on what; words that are no ids in both languages."""
    status, out = judged(tmp_path, capsys, TABLES)
    assert status == 0, out
    flat = " ".join(out.split())
    for words in (
        "row /dev/serial/by-path/row serial 19200 串口 A01-1, C01-4",
        "entrance /dev/input/by-path/entrance keys 键盘 barrier 道闸 gate",
        "exit panic.input_1 open or cut 断开或断线 all 12 全部",
        "door panic.input_2 closed 闭合 A01-1",
        "bay-4 C01-4 ways.input_4 (lock 地锁 bay-C01-4) 10 idle",
        "bay-1 A01-1 plug only 仅凭插枪 15 –",
    ):
        assert words in flat, words


def test_it_warns_of_what_was_surely_not_meant(tmp_path: Path, capsys: Output) -> None:
    """Each note in English and below it in Chinese: what would happen, and what to do."""
    tables = TABLES.replace("/dev/serial/by-path/row", "/dev/ttyUSB7").replace(
        'id = "exit"', 'id = "exit"\nconnectors = ["A01-1"]'
    )
    tables = tables.replace("[[relay]]", '[auth]\noffline = "all"\n[[relay]]', 1)
    status, out = judged(tmp_path, capsys, tables)
    assert status == 0
    flat = " ".join(out.split())
    for en, zh in (
        (
            "note: reader row: /dev/ttyUSB7 may be another device after the next start",
            "下次启动后 /dev/ttyUSB7",
        ),
        (
            "note: no reader serves A02-1, A03-1, A04-1, B01-1, B02-1, B03-1 … (10)",
            "只能由平台、面板或命令行启动",
        ),
        ("note: emergency stop door: a cut cable does not count as pressed", "急停 door：断线不会被视为按下"),
        ("note: no emergency stop ends charging at A02-1", "没有急停可以停止 A02-1"),
        ("note: bay bay-1: without a sensor a car that never plugs in is not seen", "车位 bay-1：没有传感器"),
        ("note: [auth] offline = all: a card that nobody knows charges", "任何未知的卡都可以充电"),
    ):
        assert en in flat, en
        assert zh in flat, zh


def test_a_reader_on_the_device_of_a_line_is_refused_under_any_name(tmp_path: Path, capsys: Output) -> None:
    """One port has one master, whatever the link below /dev is called; the same for two readers."""
    device = tmp_path / "ttyUSB0"
    device.touch()
    alias, other = tmp_path / "by-path-0", tmp_path / "by-id-0"
    alias.symlink_to(device)
    other.symlink_to(device)
    text = TABLES.replace("/dev/serial/by-path/row", str(alias)).replace("/dev/input/by-path/entrance", str(other))
    status, out = judged(tmp_path, capsys, text)
    flat = " ".join(out.split())
    assert status == 1
    assert f"REFUSED: reader entrance: {other} is {device}, which reader row uses; one port has one master" in flat
    assert f"读卡器 entrance：{other} 就是 {device}，已被读卡器 row占用" in flat
    assert flat.endswith("is refused")
    line = f'[[line]]\nid = "spare"\nport = "{device}"\n'
    status, out = judged(tmp_path, capsys, line + TABLES.replace("/dev/serial/by-path/row", str(alias)), "--json")
    report = json.loads(out)
    assert status == 1
    assert report["holds"] is False
    assert any("which line spare uses" in refusal for refusal in report["refusals"])


def test_programs_get_the_same(tmp_path: Path, capsys: Output) -> None:
    """--json: inputs, what each acts on, and the notes in both languages."""
    status, out = judged(tmp_path, capsys, TABLES, "--json")
    assert status == 0
    entry = json.loads(out)["entry"]
    assert entry["readers"][1] == {
        "id": "entrance",
        "port": "/dev/input/by-path/entrance",
        "kind": "keys",
        "connectors": [],
        "barrier": "gate",
    }
    assert [(e["id"], e["pressedWhen"], len(e["connectors"])) for e in entry["emergencies"]] == [
        ("exit", "open", 12),
        ("door", "closed", 1),
    ]
    assert entry["bays"][0] == {
        "id": "bay-4",
        "connector": "C01-4",
        "sensor": "ways.input_4",
        "blockedAfter_s": 600.0,
        "feeRule": "idle",
    }
    assert all(note["text"] and note["text_zh"] for note in entry["notes"])
    assert {note["text"] for note in entry["notes"]} <= set(json.loads(out)["notes"])


def test_a_site_without_any_says_nothing_of_them(capsys: Output) -> None:
    """No table of what is not there."""
    run_cli(["check", str(DEMO)])
    out = capsys.readouterr().out
    assert "读卡器" not in out
    assert "急停" not in out
