"""Bus tools as an installer uses them, on real pseudo-terminals: issue 3's scan proof, S-20, faults 3, 4, 7 and 9."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from siteward.cli.app import run_cli
from siteward.client.client import Client
from siteward.client.errors import CoreDown, Refused
from siteward.settings.load import load_site
from siteward.store.lock import InstanceLock
from siteward_drivers.capture import load_capture
from siteward_drivers.sim.mixed_line import MixedPty, TwinBank
from siteward_drivers.sim.pty_line import PtyLine
from siteward_drivers.sim.replay import ReplayDevice
from tests.siteward_drivers.scan_rig import ALL, BOXES, FAST, FASTEST, METERS, PLAIN, PROFILES, bank, mixed_banks

pytestmark = pytest.mark.station

SITE = """
schema = 1
[site]
id = "S-1"
name = "S"
timezone = "UTC"
phase_voltage_v = 230
[[line]]
id = "row"
port = "{port}"
simulated = true
[[meter]]
id = "m5"
line = "row"
unit = 5
profile = "eastron_sdm630"
[[feeder]]
id = "grid"
rating_a = [63, 63, 63]
worst_base_load_a = [10, 10, 10]
meter = "m5"
[[charger]]
id = "box"
line = "row"
unit = 1
profile = "heidelberg_energy_control"
feeder = "grid"
[[charger.connector]]
id = "box-1"
type = "type2"
"""


class Shell:
    """Runs command lines beside the loop that plays the devices."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        """Exit status, stdout, stderr."""
        folders = ["--run", str(self.folder / "run"), "--state", str(self.folder / "state")]
        status = await asyncio.to_thread(run_cli, [*folders, *words])
        out, err = self._capsys.readouterr()
        return status, out, err

    async def json(self, *words: str) -> tuple[int, Any]:
        """Exit status and the JSON of stdout."""
        status, out, _ = await self(*words, "--json")
        return status, json.loads(out)


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A shell in an empty station."""
    return Shell(tmp_path, capsys)


@asynccontextmanager
async def plugged(pty: PtyLine) -> AsyncIterator[PtyLine]:
    """An open pseudo-terminal."""
    pty.open()
    try:
        yield pty
    finally:
        pty.close()


def row(folder: Path) -> tuple[PtyLine, Path]:
    """A meter at unit 5 and a box at unit 1 on a wire, and the site file that names them."""
    loop = asyncio.get_running_loop()
    pty = MixedPty({PLAIN: bank(loop.time, meters=(5,), boxes=(1,))}, folder / "row")
    file = folder / "site.toml"
    text = SITE.format(port=folder / "row").replace("simulated = true", "simulated = true\nbaud = 9600")
    file.write_text(text, encoding="utf-8")
    return pty, file


async def test_a_mixed_line_of_twelve_devices_is_found_through_the_command_line(shell: Shell) -> None:
    """Issue 3: twelve devices at three settings, in less than a minute, with tables to paste."""
    loop = asyncio.get_running_loop()
    port = shell.folder / "ttyMIX"
    began = loop.time()
    async with plugged(MixedPty(mixed_banks(loop.time), port)):
        status, told = await shell.json(
            "scan", str(port), "--yes", "--units", "1-32", "--parity", "none", "--baud", "9600", "--baud", "19200",
            "--baud", "38400",
        )  # fmt: skip
    assert loop.time() - began < 60
    assert status == 1
    found = {(device["baud"], device["unit"]): device["profiles"] for device in told["devices"]}
    assert set(found) == {(setting.baud, unit) for setting, units in ALL.items() for unit in units}
    assert all("eastron_sdm630" in found[setting.baud, unit] for setting in METERS for unit in METERS[setting])
    boxes = [found[setting.baud, unit] for setting in BOXES for unit in BOXES[setting]]
    assert len(found) == 12
    assert boxes == [["heidelberg_energy_control"]] * 4
    assert [finding["code"] for finding in told["findings"]] == ["several_settings"]
    assert told["complete"] is True
    assert "set it to 9600 8N1 first" in told["site_toml"]


async def test_the_tables_of_a_scan_are_a_site_file(shell: Shell) -> None:
    """S-20: what a scan prints can be pasted: with the site's own tables around it the file is accepted."""
    loop = asyncio.get_running_loop()
    port = shell.folder / "ttyS"
    async with plugged(MixedPty({FAST: bank(loop.time, meters=(5, 6))}, port)):
        status, told = await shell.json("scan", str(port), "--yes", "--units", "5-6", "--parity", "none")
    assert status == 0
    head = SITE[: SITE.index("[[line]]")]
    rest = SITE[SITE.index("[[feeder]]") : SITE.index("[[charger]]")].replace("m5", "ttyS-5")
    file = shell.folder / "pasted.toml"
    file.write_text(head + told["site_toml"] + rest, encoding="utf-8")
    site = load_site(file, PROFILES)
    assert [meter.unit for meter in site.meters] == [5, 6]
    assert [meter.profile for meter in site.meters] == [device["profiles"][0] for device in told["devices"]]
    assert site.lines[0].baud == 19200


async def test_a_page_for_people_names_the_trouble_in_both_languages(shell: Shell) -> None:
    """Faults 4 and 9: echo and a number taken twice are said aloud; exit status 1."""
    loop = asyncio.get_running_loop()
    line = TwinBank(bank(loop.time, meters=(5, 6)), {6: bank(loop.time, boxes=(6,)).devices[6]})
    line.faults.echo = True
    port = shell.folder / "ttyE"
    async with plugged(MixedPty({PLAIN: line}, port)):
        status, out, _ = await shell("scan", str(port), "--yes", "--units", "5-6", "--baud", "9600", "--parity", "none")
    assert status == 1
    assert "local echo" in out
    assert "本地回显" in out
    assert "two devices seem to have this number" in out
    assert "number taken twice?" in out


async def test_a_silent_wire_is_diagnosed(shell: Shell) -> None:
    """Fault 3: no valid frame, with what to look at."""
    port = shell.folder / "ttyN"
    async with plugged(MixedPty({FASTEST: bank(asyncio.get_running_loop().time, meters=(5,))}, port)):
        status, told = await shell.json(
            "scan", str(port), "--yes", "--units", "5", "--baud", "9600", "--answer-ms", "20"
        )
    assert status == 1
    assert [finding["code"] for finding in told["findings"]] == ["no_answer"]
    assert told["site_toml"] == ""


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("scan", "tcp://127.0.0.1:1", "--yes"), "BAD_PORT"),
        (("scan", "/nowhere/tty", "--yes", "--units", "1"), "PORT"),
        (("scan", "/nowhere/tty", "--yes", "--units", "0-9"), "BAD_UNITS"),
        (("scan", "/nowhere/tty", "--yes", "--units", "x"), "BAD_UNITS"),
        (("scan", "/nowhere/tty"), "NOT_CONFIRMED"),
        (("doctor",), "CORE_DOWN"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_what_to_do(shell: Shell, words: tuple[str, ...], code: str) -> None:
    """Contract section 3: exit status 1, a sentence and an advice; nothing is sent without a yes."""
    status, told = await shell.json(*words)
    assert status == 1
    assert told["error"]["code"] == code
    assert told["error"]["message"]
    assert told["error"]["advice"]


@asynccontextmanager
async def core_running(folder: Path, site: Path) -> AsyncIterator[None]:
    """The real core process over a site file, until it has turned."""
    places = ["--config", site, "--state", folder / "state", "--run", folder / "run"]
    command = (sys.executable, "-m", "siteward", "core", *map(str, places))
    core = await asyncio.create_subprocess_exec(*command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    try:
        async with asyncio.timeout(20), Client(folder / "run" / "cli.sock") as client:
            while not await _turned(client):
                await asyncio.sleep(0.2)
        yield
    finally:
        core.terminate()
        await core.wait()


async def _turned(client: Client) -> bool:
    try:
        live = await client.live()
    except (CoreDown, Refused):
        return False
    return live.health.turn > 3 and all(meter.age_s is not None for meter in live.meters)


async def test_a_wire_of_the_running_core_is_scanned_and_probed_through_it(shell: Shell) -> None:
    """Law 7, S-20: a device that no site file names is found while core polls and holds the port; it is journaled."""
    pty, file = row(shell.folder)
    assert isinstance(pty, MixedPty)
    loop = asyncio.get_running_loop()
    line = bank(loop.time, meters=(5, 6), boxes=(1,))
    async with plugged(MixedPty({PLAIN: line}, shell.folder / "row")), core_running(shell.folder, file):
        status, told = await shell.json("scan", "row", "--site", str(file), "--yes", "--units", "6")
        assert [(device["unit"], device["baud"]) for device in told["devices"]] == [(6, 9600)]
        assert "eastron_sdm630" in told["devices"][0]["profiles"]
        assert (status, told["findings"], told["complete"]) == (0, [], True)
        status, told = await shell.json("probe", "m5", "--raw", "--site", str(file))
        assert status == 0
        assert 220 < told["values"]["voltage_l1"]["value"] < 240
        assert told["blocks"]
        status, _, _ = await shell("probe", "m5", "--site", str(file), "--capture", str(shell.folder / "x.json"))
        assert status == 1
        async with Client(shell.folder / "run" / "cli.sock") as client:
            events = (await client.events(0)).events
            lines = (await client.live()).lines
    acts = [event["data"] for event in events if event["type"] == "audit.wire_tool"]
    assert acts == [{"line": "row", "settings": "9600 8N1", "home": True, "source": "cli"}]
    assert sum(slave.timeouts + slave.garbled for slave in lines[0].slaves) == 0


async def test_a_charger_in_service_is_left_alone(shell: Shell) -> None:
    """Ruling 1: without core a scan asks the meter, not the charger whose watchdog a read would feed."""
    pty, file = row(shell.folder)
    async with plugged(pty):
        words = ("scan", "row", "--site", str(file), "--yes", "--units", "1-5", "--baud", "9600", "--parity", "none")
        _, told = await shell.json(*words)
        assert [device["unit"] for device in told["devices"]] == [5]
        assert [(f["code"], f["units"]) for f in told["findings"]] == [("left_alone", [1])]
        _, told = await shell.json(*words, "--chargers")
        assert [device["unit"] for device in told["devices"]] == [1, 5]


async def test_a_wire_under_a_core_that_does_not_answer_is_not_touched(shell: Shell) -> None:
    """Law 7: one owner of a wire: a held instance lock is a running core, whatever its socket says."""
    pty, file = row(shell.folder)
    lock = shell.folder / "state" / "core" / "siteward.lock"
    lock.parent.mkdir(parents=True)
    async with plugged(pty):
        with InstanceLock(lock):
            for words in (("scan", "row", "--yes"), ("probe", "m5")):
                status, told = await shell.json(*words, "--site", str(file))
                assert status == 1
                assert told["error"]["code"] == "LINE_IN_USE"


async def test_a_probe_reads_the_wire_and_records_it(shell: Shell) -> None:
    """S-20: a reading in words and units, raw registers, and a capture that replays without the serial number."""
    pty, file = row(shell.folder)
    async with plugged(pty):
        status, out, _ = await shell("probe", "m5", "--site", str(file), "--raw")
        assert status == 0
        assert "voltage_l1" in out
        assert " V " in out
        status, told = await shell.json("probe", "m5", "--site", str(file))
        assert 220 < told["values"]["voltage_l1"]["value"] < 240
        capture = shell.folder / "sdm630.json"
        status, told = await shell.json("probe", "m5", "--site", str(file), "--capture", str(capture))
        assert status == 0
    assert told["silent"] == 0
    point = PROFILES["eastron_sdm630"].file.points
    replay = ReplayDevice(load_capture(capture), PROFILES["eastron_sdm630"])
    assert all(len(replay.read(p.table, p.address, p.width)) == p.width for p in point.values() if p.readable)


async def test_a_charger_is_probed_without_core_only_on_a_persons_word(shell: Shell) -> None:
    """Rule R2 of turn.md: a read may hold a charger at its last current."""
    pty, file = row(shell.folder)
    async with plugged(pty):
        status, told = await shell.json("probe", "box-1", "--site", str(file))
        assert (status, told["error"]["code"]) == (1, "FEEDS_WATCHDOG")
        status, told = await shell.json("probe", "box-1", "--site", str(file), "--yes")
        assert status == 0
        assert told["strange"] == []


async def test_a_device_that_is_another_one_is_told(shell: Shell) -> None:
    """Fault 7: identity that does not hold; fault 4: an echo is refused before anything is read."""
    pty, file = row(shell.folder)
    wrong = shell.folder / "wrong.toml"
    text = file.read_text(encoding="utf-8").replace("unit = 1\n", "unit = 9\n").replace("unit = 5\n", "unit = 1\n")
    wrong.write_text(text, encoding="utf-8")
    line = bank(asyncio.get_running_loop().time, meters=(5,))
    line.faults.echo = True
    echo = MixedPty({PLAIN: line}, shell.folder / "row")
    async with plugged(pty):
        status, told = await shell.json("probe", "m5", "--site", str(wrong))
        assert status == 1
        assert told["strange"] == ["frequency", "voltage_l1"]
    async with plugged(echo):
        status, told = await shell.json("probe", "m5", "--site", str(file))
        assert (status, told["error"]["code"]) == (1, "ECHO")


async def test_a_scan_that_is_broken_off_gives_the_port_back(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C: what was found until then is told, the port is free again."""
    from siteward_drivers import scan_run

    port = shell.folder / "ttyC"
    line = bank(asyncio.get_running_loop().time, meters=(1, 2))
    real: Callable[..., Any] = scan_run.ask
    calls = 0

    async def ask(*given: Any) -> bytes:
        nonlocal calls
        calls += 1
        if calls > 4:
            raise KeyboardInterrupt
        answer: bytes = await real(*given)
        return answer

    monkeypatch.setattr(scan_run, "ask", ask)
    words = ("scan", str(port), "--yes", "--units", "1-8", "--baud", "9600", "--parity", "none")
    async with plugged(MixedPty({PLAIN: line}, port)):
        status, told = await shell.json(*words)
        assert status == 1
        assert told["complete"] is False
        assert [device["unit"] for device in told["devices"]] == [1, 2]
        monkeypatch.setattr(scan_run, "ask", real)
        assert (await shell.json(*words))[0] == 0
