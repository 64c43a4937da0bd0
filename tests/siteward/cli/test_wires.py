"""Bus tools beside a running core: one owner of a wire (law 7), core's own readings; S-20, contract section 3."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from siteward.cli.app import run_cli
from siteward.cli.errors import CommandFailed
from siteward.cli.scan_wish import Wish, make_plan, parse_units
from siteward.cli.wires import Care, care, expected, find_line, same_port
from siteward.client.client import Client
from siteward.client.errors import Refused
from siteward.client.records import WireCallMessage
from siteward.model.errors import Withdrawn
from siteward.model.facts import ResetBy
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.site import Parity
from siteward.model.visit import WireCall, WireHeard
from siteward_drivers.scan_plan import ALL_UNITS, LIKELY_UNITS, Setting, likely_settings, wide_settings
from tests.fixtures.core import FakeCore, running_core
from tests.siteward_drivers.sim.sites import demo_site


@pytest.fixture
async def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeCore]:
    """A station with twelve connectors, seen from a folder that holds no demo."""
    monkeypatch.chdir(tmp_path)
    async with running_core(tmp_path / "run") as station:
        yield station


async def said(core: FakeCore, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    """Exit status and JSON of a command line."""
    status = await asyncio.to_thread(run_cli, ["--run", str(core.run_dir), *words, "--json"])
    return status, json.loads(capsys.readouterr().out)


async def test_a_probe_shows_what_core_read(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> None:
    """S-20: while core owns the wires a probe asks core, for connectors and meters."""
    live = core.live()
    assert live is not None
    for name in (live.connectors[0].id, live.meters[0].id):
        status, told = await said(core, capsys, "probe", name)
        assert status == 0
        assert told["from"] == "core"
        values = {value["quantity"]: value["value"] for value in told["values"]}
        assert float(values["age"]) >= 0
        assert "current L1" in values


async def test_a_page_of_a_probe_has_units(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> None:
    """S-20: words and units."""
    live = core.live()
    assert live is not None
    await asyncio.to_thread(run_cli, ["--run", str(core.run_dir), "probe", live.meters[0].id])
    out = capsys.readouterr().out
    assert "active power" in out
    assert " Wh" in out


async def test_a_wire_of_a_running_core_is_scanned_by_core_alone(
    core: FakeCore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 7: every call of the scan is core's; the port, which does not exist here, is never opened."""
    live = core.live()
    assert live is not None
    line = next(line for line in live.lines if "://" not in line.port)
    status, told = await said(core, capsys, "scan", line.port, "--yes", "--units", "7-9")
    assert status == 1
    assert [finding["code"] for finding in told["findings"]] == ["no_answer"]
    assert [(name, call.unit, call.function, call.settings) for name, call in core.calls] == [
        (line.id, unit, 3, None) for unit in (7, 8, 9)
    ]


async def test_other_settings_are_named_to_core_and_refused_where_a_gateway_has_its_own(
    core: FakeCore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Law 7: a setting travels with each call; core's own calls come back to its own."""
    live = core.live()
    assert live is not None
    line = next(line for line in live.lines if "://" not in line.port)
    words = ("--yes", "--units", "7", "--baud", "2400", "--parity", "even")
    await said(core, capsys, "scan", line.id, *words)
    assert [(call.protocol, str(call.settings)) for _, call in core.calls] == [
        ("DL/T 645", "2400 8E1"),
        ("", "2400 8E1"),
    ]


async def test_a_port_that_cannot_take_a_setting_and_a_charger_left_alone_are_told(
    core: FakeCore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ruling 1: what core does not let through is no missing device."""

    async def called(call: WireCall) -> WireHeard:
        return WireHeard(refused=call.settings is not None, left_alone=call.unit == 8)

    core.called = called
    live = core.live()
    assert live is not None
    line = next(line for line in live.lines if "://" not in line.port)
    _, told = await said(core, capsys, "scan", line.port, "--yes", "--units", "7-8")
    assert [(f["code"], f["units"]) for f in told["findings"]] == [("no_answer", []), ("left_alone", [8])]


async def test_only_the_console_may_call_on_a_wire(core: FakeCore) -> None:
    """Contract section 3: neither the panel nor sync nor the field process has a bus tool."""
    live = core.live()
    assert live is not None
    for caller in ("panel", "sync", "field"):
        async with Client(core.run_dir / f"{caller}.sock") as client:
            with pytest.raises(Refused) as no:
                await client.call(live.lines[0].id, WireCallMessage(unit=1))
            assert no.value.code == "NOT_AUTHORISED"
    async with Client(core.run_dir / "cli.sock") as client:
        with pytest.raises(Refused) as no:
            await client.call("nowhere", WireCallMessage(unit=1))
        assert no.value.code == "UNKNOWN_TARGET"
    assert [line for line, _ in core.calls] == ["nowhere"]


async def test_a_wire_bears_one_tool_at_a_time(core: FakeCore) -> None:
    """Goal 15: the second tool is told to come again, another wire is free, and a late poll is said as such."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def called(call: WireCall) -> WireHeard:
        if call.unit == 9:
            raise Withdrawn("the line has no time")
        asked.set()
        await go.wait()
        return WireHeard(values=(1,))

    core.called = called
    live = core.live()
    assert live is not None
    line = live.lines[0].id
    async with Client(core.run_dir / "cli.sock") as one, Client(core.run_dir / "cli.sock") as two:
        first = asyncio.create_task(one.call(line, WireCallMessage(unit=1)))
        await asked.wait()
        with pytest.raises(Refused) as no:
            await two.call(line, WireCallMessage(unit=2))
        assert (no.value.status, no.value.code) == (429, Refusal.RATE_LIMITED)
        assert REFUSALS[Refusal.RATE_LIMITED].zh in no.value.message_zh
        go.set()
        assert (await first).values == (1,)
        assert (await two.call(line, WireCallMessage(unit=2))).values == (1,)
        with pytest.raises(Refused) as no:
            await two.call(line, WireCallMessage(unit=9))
        assert no.value.code == Refusal.RATE_LIMITED


def test_a_port_has_several_names(tmp_path: Path) -> None:
    """Law 7: the same adapter under by-path and ttyUSB is one wire."""
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-path").symlink_to(tmp_path / "ttyUSB0")
    assert same_port(str(tmp_path / "by-path"), str(tmp_path / "ttyUSB0"))
    assert not same_port(str(tmp_path / "by-path"), str(tmp_path / "ttyUSB1"))
    assert not same_port("tcp://a:502", "tcp://b:502")


def test_chargers_that_a_read_feeds_are_left_alone() -> None:
    """Ruling 1: by what their profiles say of their watchdogs; a wire that nobody knows has none to heed."""
    site = demo_site("/run")
    line = find_line(site, "/run/rs485-1")
    heed = care(site, line)
    assert heed.units == {charger.unit for charger in site.chargers if charger.line == "rs485-1"}
    assert heed.fed_by_all == ()
    assert site.connectors[0].facts.failsafe is not None
    assert site.connectors[0].facts.failsafe.reset_by is ResetBy.ANY_REQUEST
    assert care(site, None) == care(None, line) == Care()
    named = expected(site, line)
    assert named is not None
    assert named.devices[100] == ("grid-meter", "eastron_sdm630")
    assert set(named.others) == {"rs485-2", "charx"}


def test_a_wish_becomes_a_plan() -> None:
    """Likely settings first, all when wanted, only the named ones when named; a gateway has only its own."""
    wish = Wish("/dev/x")
    assert make_plan(wish, "/dev/x", Care(), wide=False).settings == likely_settings()
    assert make_plan(wish, "/dev/x", Care(), wide=False).sound == LIKELY_UNITS
    wide = make_plan(wish, "/dev/x", Care(), wide=True)
    assert (wide.settings, wide.sound) == (wide_settings(), ALL_UNITS)
    assert len(wide.settings) == len(set(wide.settings)) == 21
    named = make_plan(Wish("/dev/x", bauds=(2400,), parities=(Parity.EVEN,), units=(7,)), "/dev/x", Care(), wide=False)
    assert named.settings == named.tuned() == (Setting(2400, Parity.EVEN),)
    assert named.protocols
    assert (named.sound, named.sweep) == ((7,), (7,))
    assert make_plan(wish, "rtu+tcp://gw:4001", Care(), wide=True).settings == (Setting(),)


def test_units_are_read_as_people_write_them() -> None:
    """Contract: addresses 1 to 247, never a broadcast."""
    assert parse_units("1-3,7,2") == (1, 2, 3, 7)
    for text in ("", "0-2", "248", "a", "5-", "-"):
        with pytest.raises(CommandFailed, match="names no units"):
            parse_units(text)
