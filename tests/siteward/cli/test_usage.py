"""Contract section 3: help with an example everywhere, exit 0/1/2, and errors that say what to do next."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward.cli.paint import Screen, plain
from siteward.cli.paths import find_paths
from siteward.settings.export import site_reference, site_schema

ROOT = Path(__file__).parents[3]
DEMO = ROOT / "config" / "demo" / "site.toml"
PROFILES = ROOT / "drivers" / "siteward_drivers" / "profiles"
BROKEN = ROOT / "tests" / "fixtures" / "site" / "broken_tree.toml"
VERBS = ["check", "status", "watch", "start", "stop", "limit", "sessions", "events", "schema", "journal verify"]
VERBS += ["devices", "replay", "phasing", "signed"]
VERBS += ["alarms list", "alarms ack", "alarms clear", "alarms test", "report", "difference"]
VERBS += ["open", "close", "raise", "lower"]
VERBS += ["user add", "user passwd", "user list"]
Output = pytest.CaptureFixture[str]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb: str, capsys: Output) -> None:
    """The example is a command line that starts with this verb."""
    assert run_cli([*verb.split(), "--help"]) == 0
    assert f"Example: siteward {verb}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [[], ["stattus"], ["start"], ["limit", "grid", "-1"], ["limit", "grid", "x"], ["user"]]
)
def test_bad_use_is_exit_2(words: list[str]) -> None:
    """2 = the command line itself is wrong."""
    assert run_cli(words) == 2


def test_a_mistyped_verb_is_answered_with_the_nearest(capsys: Output) -> None:
    """Error messages say what to do next."""
    run_cli(["stattus"])
    assert "Did you mean 'status'" in capsys.readouterr().err


def test_a_role_that_does_not_exist_is_answered_with_those_that_do(capsys: Output) -> None:
    """A new user types `boss`: both languages say what to type instead, and no library speaks."""
    assert run_cli(["user", "add", "li", "--role", "boss"]) == 2
    text = capsys.readouterr().err
    assert "there is no role boss; take one of viewer, technician, installer, for example --role technician" in text
    assert "没有角色 boss；可用：viewer, technician, installer，例如 --role technician" in text
    assert "Value error" not in text
    assert run_cli(["user", "add", "--help"]) == 0
    assert "viewer|technician|installer" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["-5"], ["-0.5"], ["-.5"], ["--", "-5"], ["nan"], ["-5", "--minutes", "3"], ["x"]])
def test_a_limit_below_0_is_told_what_a_limit_is(words: list[str], capsys: Output) -> None:
    """A negative number is a limit that cannot be, and no option that nobody has."""
    assert run_cli(["limit", "row-a", *words]) == 2
    text = capsys.readouterr().err
    assert "a limit is a number of amperes, 0 or more; 0 pauses all charging there" in text
    assert "限值须为不小于 0 的安培数；0 表示暂停该处全部充电" in text
    assert "No such option" not in text


def test_an_unknown_option_of_limit_is_still_answered_with_the_nearest(capsys: Output) -> None:
    """Error messages say what to do next, also where negative numbers are read as numbers."""
    assert run_cli(["limit", "row-a", "5", "--minuts", "3"]) == 2
    assert "--minutes" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [["status"], ["start", "A01-1"], ["stop", "A01-1"], ["events"], ["user", "list"]])
def test_without_core_a_verb_says_how_to_start_it(verb: list[str], tmp_path: Path, capsys: Output) -> None:
    """Flows, when a part is missing: exit 1 and the command that starts core."""
    assert run_cli(["--run", str(tmp_path), "--state", str(tmp_path), *verb]) == 1
    assert "systemctl start siteward-core" in capsys.readouterr().err
    assert run_cli(["--run", str(tmp_path), "--state", str(tmp_path), *verb, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "CORE_DOWN"


def test_check_lists_every_fault_with_its_line(capsys: Output) -> None:
    """Fault 66: all at once, exit 1."""
    assert run_cli(["check", str(BROKEN)]) == 1
    text = capsys.readouterr().err
    assert f"{BROKEN}:33: feeder[6].parent: there is no feeder 'gird'; nearest is 'grid'" in text
    assert text.count(str(BROKEN)) == 11


def test_check_shows_tree_fallbacks_and_load_of_the_demo(capsys: Output) -> None:
    """Contract section 2: tree with ratings and fall-backs, poll plan with load and worst reaction of each wire."""
    assert run_cli(["check", str(DEMO)]) == 0
    text = capsys.readouterr().out
    assert "grid (Grid connection): 250 A, worst base 30 A, meter grid-meter" in text
    assert "worst reaction" in text
    assert run_cli(["check", str(DEMO), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["holds"]
    assert [line["id"] for line in report["lines"]] == ["rs485-1", "rs485-2", "rs485-3", "tcp-1"]
    assert all(0 < line["load"] <= 0.7 for line in report["lines"])
    assert len(report["connectors"]) == 12


def test_check_shows_described_limits_where_they_bound(tmp_path: Path, capsys: Output) -> None:
    """S-22, B15: an installer reads back what the file makes of timetable, contact, heat and demand window."""
    tables = """
[[limit]]
id = "evening"
feeder = "row-a"
  [[limit.schedule]]
  begin = "17:00"
  end = "20:00"
  limit_a = [20, 25, 30]
[[limit]]
id = "ripple"
feeder = "grid"
  [[limit.input]]
  point = "gpio:gpiochip0/4"
  limit_a = [60, 60, 60]
[[limit]]
id = "hot"
connector = "A01-1"
sensor = "A01-1"
curve = [[60, 16], [80, 0]]
[[limit]]
id = "quarter"
feeder = "grid"
demand_w = 90000
"""
    file = tmp_path / "site.toml"
    file.write_text(DEMO.read_text(encoding="utf-8") + tables, encoding="utf-8")
    assert run_cli(["check", str(file)]) == 0
    text = capsys.readouterr().out
    assert "limit evening: timetable of 1 period, down to 20 A" in text
    assert "limit ripple: contact gpio:gpiochip0/4, fail-safe 60 A" in text
    assert "limit hot: by the temperature at A01-1: 16 A at 60 C, 0 A at 80 C; fail-safe 0 A" in text
    assert "limit quarter: mean of 90 kW in aligned windows of 15 min, meter grid-meter" in text


@pytest.mark.parametrize(("neutral_a", "holds"), [(48, True), (10, False)])
def test_check_proves_a_neutral_and_shows_the_bounds(
    tmp_path: Path, capsys: Output, neutral_a: int, holds: bool
) -> None:
    """B13, R3: one-phase cars at their fail-safe current on one phase must not overload the neutral."""
    text = DEMO.read_text(encoding="utf-8")
    row = 'rating_a = [50, 50, 50]\nmeter = "row-a-meter"\nchargers_only = true'
    assert row in text
    file = tmp_path / "site.toml"
    file.write_text(text.replace(row, f"{row}\nneutral_a = {neutral_a}\nimbalance_a = 20"), encoding="utf-8")
    assert run_cli(["check", str(file)]) == (0 if holds else 1)
    told = capsys.readouterr().out
    assert f"chargers only, meter row-a-meter, neutral {neutral_a} A, phases at most 20 A apart" in told
    assert ("A on its neutral, allowed 10.0 A;" in told) is not holds


def test_check_shows_a_dc_charger_in_kw(tmp_path: Path, capsys: Output) -> None:
    """R20: the range that its register is given, beside the A that fuses book for it."""
    text = DEMO.read_text(encoding="utf-8")
    quick = """
[[line]]
id = "lan"
port = "tcp://127.0.0.1:502"
[[charger]]
id = "Q01"
line = "lan"
unit = 1
profile = "alpitronic_hyc"
feeder = "grid"
max_a = 40
hardware_max_a = 40
[[charger.connector]]
id = "Q01-1"
type = "ccs2"
"""
    file = tmp_path / "site.toml"
    file.write_text(text + quick, encoding="utf-8")
    run_cli(["check", str(file)])
    assert "2.62 to 40 A (hardware 40 A), DC 1.5 to 23.6 kW, no watchdog" in capsys.readouterr().out


def test_check_refuses_a_wire_that_is_too_full(tmp_path: Path, capsys: Output) -> None:
    """S-71: a wire whose polls do not fit is refused before it is driven."""
    text = DEMO.read_text(encoding="utf-8")
    for number in range(5):
        text += f'\n[[meter]]\nid = "x{number}"\nline = "rs485-1"\nunit = {100 + number}\nprofile = "eastron_sdm630"\n'
        text += f'[[feeder]]\nid = "f{number}"\nparent = "grid"\nrating_a = [16, 16, 16]\nmeter = "x{number}"\n'
        text += "chargers_only = true\n"
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    assert run_cli(["check", str(path)]) == 1
    assert "REFUSED: wire rs485-1 would be" in capsys.readouterr().out


def test_check_tells_how_soon_each_arm_stops(capsys: Output) -> None:
    """I11, I12: stop, way freed and worst day of every barrier and lock, by the frames on their wires."""
    assert run_cli(["check", str(DEMO)]) == 0
    assert "stops in ms" in capsys.readouterr().out
    assert run_cli(["check", str(DEMO), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [(arm["id"], arm["lines"]) for arm in report["arms"]] == [("gate", ["rs485-3"]), ("bay-C01-4", ["rs485-3"])]
    assert all(0.1 < arm["stop_s"] <= arm["free_s"] <= 0.3 for arm in report["arms"])
    assert all(arm["stop_s"] < arm["worstStop_s"] <= 0.3 for arm in report["arms"])


def test_check_refuses_an_arm_that_would_go_on_too_long(tmp_path: Path, capsys: Output) -> None:
    """I11, faults 76 and 78: more than 0.3 s to the stop is refused, a slow way out and a bad day are said aloud."""
    text = DEMO.read_text(encoding="utf-8")
    wire = text.index('id = "rs485-3"')
    path = tmp_path / "site.toml"

    def judge(baud: int) -> tuple[int, str]:
        path.write_text(text[:wire] + text[wire:].replace("baud = 38400", f"baud = {baud}", 1), encoding="utf-8")
        status = run_cli(["check", str(path)])
        return status, capsys.readouterr().out

    status, out = judge(9600)
    assert (status, "REFUSED" in out, "note: gate" in out) == (0, False, False)
    assert "note: bay-C01-4 needs up to" in out
    path.write_text(text.replace('line = "rs485-3"', 'line = "rs485-2"'), encoding="utf-8")
    assert run_cli(["check", str(path), "--json"]) == 0
    shared = json.loads(capsys.readouterr().out)
    assert any(note.startswith("gate needs up to") and "worst day of rs485-2" in note for note in shared["notes"])
    board = text.replace("wirenboard_wb_mr6c_v3", "slow_board")
    (tmp_path / "profiles" / "relay").mkdir(parents=True)
    known = (PROFILES / "relay" / "wirenboard_wb_mr6c_v3.toml").read_text(encoding="utf-8")
    slow = known.replace("gap_s = 0.008", "gap_s = 0.1").replace("turnaround_s = 0.01", "turnaround_s = 0.03")
    (tmp_path / "profiles" / "relay" / "slow_board.toml").write_text(slow, encoding="utf-8")
    path.write_text(board, encoding="utf-8")
    assert run_cli(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "REFUSED: gate would go on for up to" in out
    assert "more than 300 ms; raise the speed of rs485-3" in out


def test_check_refuses_fuses_that_do_not_hold_without_siteward(tmp_path: Path, capsys: Output) -> None:
    """I4, R3: which feeder, how many amperes are missing, and what would make it true."""
    text = (
        DEMO.read_text(encoding="utf-8")
        .replace("failsafe_a = 6", "")
        .replace("max_a = 16", "max_a = 16\nfailsafe_a = 13")
    )
    text = text.replace("hardware_max_a = 16\nfailsafe_a = 13", "hardware_max_a = 16")
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    assert run_cli(["check", str(path)]) == 1
    out = capsys.readouterr().out
    assert "REFUSED: feeder row-a: 52.0 A on L1, allowed 50.0 A; 2.0 A too much when the controller is dead" in out
    assert "every fuse holds" not in out
    assert run_cli(["check", str(path), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert not report["holds"]
    assert any(row.startswith("feeder hall: 112.0 A") for row in report["refusals"])


def test_check_notes_sessions_without_energy(tmp_path: Path, capsys: Output) -> None:
    """Ruling 9: apparent energy is never billed; the installer is told."""
    text = DEMO.read_text(encoding="utf-8").replace('meter = "m-A01-1"\n', "")
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    assert run_cli(["check", str(path)]) == 0
    assert "note: A01-1: heidelberg_energy_control does not count active energy" in capsys.readouterr().out


def test_schema_prints_what_is_kept_in_config(tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    """`make docs` writes both files; without a project it says so."""
    assert run_cli(["schema"]) == 0
    assert capsys.readouterr().out == site_schema()
    assert run_cli(["schema", "--reference"]) == 0
    assert capsys.readouterr().out == site_reference()
    monkeypatch.chdir(tmp_path)
    assert run_cli(["schema", "--write"]) == 1
    (tmp_path / "config").mkdir()
    assert run_cli(["schema", "--write"]) == 0
    assert (tmp_path / "config" / "site.schema.json").read_text(encoding="utf-8") == site_schema()


def test_folders_come_from_option_environment_demo_and_system(tmp_path: Path) -> None:
    """In this order; a demo folder here counts before the system's."""
    system = find_paths(None, None, {}, tmp_path)
    assert (system.socket, system.state) == (Path("/run/siteward/cli.sock"), Path("/var/lib/siteward"))
    (tmp_path / ".siteward").mkdir()
    assert find_paths(None, None, {}, tmp_path).run == tmp_path / ".siteward" / "run"
    assert find_paths(None, None, {}, tmp_path).state == tmp_path / ".siteward", "where `siteward demo` keeps it"
    environment = {"SITEWARD_RUN": "/e/run", "SITEWARD_STATE": "/e/state"}
    assert find_paths(None, None, environment, tmp_path).run == Path("/e/run")
    assert find_paths(Path("/o"), None, environment, tmp_path).run == Path("/o")
    assert find_paths(Path("/o"), None, environment, tmp_path).state == Path("/e/state")


def test_names_from_outside_never_steer_the_terminal(capsys: Output) -> None:
    """Fault 75: neither escape sequences nor markup of a name are obeyed."""
    assert plain("a\x1b[2Jb\u202ec") == "a?[2Jb?c"
    Screen(as_json=False).show(["[bold red]x[/] \x1b]0;t\x07"])
    assert capsys.readouterr().out == "[bold red]x[/] ?]0;t?\n"


def test_processes_start_without_the_command_line_library() -> None:
    """Ruling 27: the daemon pays neither time nor memory for typer and rich."""
    code = (
        "import sys; from siteward.__main__ import main\n"
        "try: main(['core', '--help'])\n"
        "except SystemExit: pass\n"
        "assert 'siteward.app.main' in sys.modules\n"
        "assert not {'typer', 'rich', 'siteward.cli.app'} & set(sys.modules)\n"
    )
    path = ":".join(str(ROOT / folder) for folder in ("edge", "drivers", "cloud_sync"))
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_completes_verbs(shell: str) -> None:
    """Contract section 3: shell completion."""
    path = ":".join(str(ROOT / folder) for folder in ("edge", "drivers", "cloud_sync"))
    done = subprocess.run(
        [sys.executable, "-c", "from siteward.cli.app import run_cli; run_cli([])"],
        env={
            "PYTHONPATH": path,
            "_SITEWARD_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "siteward sta",
            "COMP_CWORD": "1",
            "_TYPER_COMPLETE_ARGS": "siteward sta",
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        },
        capture_output=True,
        text=True,
    )
    assert "status" in done.stdout
    assert "start" in done.stdout
