"""Contract section 3: `bill`, `tariff show|install|import`, with core and without it, for people and for programs."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward.client.tariff_form import read_tariff
from siteward.model.ids import SessionId
from siteward.model.requests import CommandName
from siteward.model.tariff import Pricing
from siteward.store.open import open_store
from tests.fixtures.banked import turn, turns
from tests.fixtures.clock import RealClock
from tests.fixtures.core import running_core
from tests.fixtures.story_rig import Rig, story_site
from tests.fixtures.tariffs import depot, two

Output = pytest.CaptureFixture[str]
CELLS = ["谷"] * 16 + ["峰"] * 32


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SessionId]:
    """State of a station that billed one session over a price boundary and ended in order."""
    folder = tmp_path_factory.mktemp("station")
    return folder, asyncio.run(_bill(folder / "core" / "siteward.db"))


async def _bill(path: Path) -> SessionId:
    store = await open_store(path, RealClock())
    rig = Rig(replace(story_site(), timezone="UTC", pricing=Pricing(default="SZ-TOU")))
    document = two(begin="08:03", end="17:00", validFrom="2026-01-01T00:00:00Z", flatFee=100)
    await turn(rig, store, replace(rig.request(CommandName.SET_TARIFF, "t1"), tariff=read_tariff(document)))
    rig["A1"].plugged = True
    await turn(rig, store)
    await turn(rig, store, rig.start(order="O-1"))
    await turns(rig, store, 120)
    await turn(rig, store, rig.stop(order="O-1"))
    await turns(rig, store, 15)
    row = (await store.sessions())[0]
    await store.close()
    return row.id


def run(folder: Path, *words: str) -> int:
    return run_cli(["--run", str(folder / "run"), "--state", str(folder), *words])


def test_a_bill_is_made_again_without_core(station: tuple[Path, SessionId], capsys: Output) -> None:
    """S-15, flows.md: `bill` opens the database read-only, explains every line, and says that it holds."""
    folder, session = station
    assert run(folder, "bill", session, "--recompute") == 0
    out = " ".join(capsys.readouterr().out.split())
    for said in (
        "night energy",
        "day energy",
        "day service",
        "session fee",
        "CNY",
        "meter A1 from 1000",
        "to the cent",
    ):
        assert said in out, out
    assert run(folder, "bill", session, "--recompute", "--lang", "zh") == 0
    out = capsys.readouterr().out
    assert "仅凭日志重算" in out
    assert "服务费" in out


def test_a_bill_for_programs(station: tuple[Path, SessionId], capsys: Output) -> None:
    """S-78."""
    folder, session = station
    assert run(folder, "bill", session, "--json") == 0
    bill = json.loads(capsys.readouterr().out)
    assert (bill["session"], bill["state"], bill["orderId"], bill["holds"]) == (session, "FINISHED", "O-1", True)
    assert bill["total"] == sum(line["amount"] for line in bill["lines"])
    assert [segment["period"] for segment in bill["segments"]] == ["night", "day"]


def test_an_unknown_session_is_named(station: tuple[Path, SessionId], capsys: Output) -> None:
    assert run(station[0], "bill", "S404") == 1
    assert "S404: there is no such session" in capsys.readouterr().err


def test_tariffs_are_listed_without_core(station: tuple[Path, SessionId], capsys: Output) -> None:
    """S-39."""
    folder, _ = station
    assert run(folder, "tariff", "show") == 0
    assert "SZ-TOU" in capsys.readouterr().out
    assert run(folder, "tariff", "show", "SZ-TOU") == 0
    assert json.loads(capsys.readouterr().out)["flatFee"] == 100
    assert run(folder, "tariff", "show", "NONE") == 1


def test_a_half_hour_table_becomes_a_file_that_can_be_installed(tmp_path: Path, capsys: Output) -> None:
    """S-77."""
    table, out = tmp_path / "t.csv", tmp_path / "t.json"
    table.write_text(f"峰,1.1,0.6\n谷,0.3,0.4\n每天,{','.join(CELLS)}\n", "utf-8")
    words = ("tariff", "import", str(table), "--id", "SZ", "--from", "2026-07-01T00:00:00+08:00")
    assert run(tmp_path, *words, "--out", str(out)) == 0
    assert read_tariff(json.loads(out.read_text("utf-8"))).id == "SZ"
    capsys.readouterr()
    assert run(tmp_path, *words) == 0
    assert json.loads(capsys.readouterr().out)["tariffId"] == "SZ"
    table.write_text(f"峰,1.1,0.6\n每天,{','.join(['封', *CELLS[1:]])}\n", "utf-8")
    assert run(tmp_path, *words) == 1
    err = " ".join(capsys.readouterr().err.split())
    assert "row 2, column 2 (00:00): '封' is no period" in err
    assert "no price for 谷" in err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        (json.dumps(depot(currency="RMB")), "currency: 'RMB' is no currency"),
        ("\x00\xff", "is no JSON"),
    ],
)
def test_a_bad_file_is_refused_before_core_is_asked(tmp_path: Path, capsys: Output, text: str, told: str) -> None:
    file = tmp_path / "t.json"
    file.write_text(text, "utf-8")
    assert run(tmp_path, "tariff", "install", str(file)) == 1
    assert told in " ".join(capsys.readouterr().err.split())
    assert run(tmp_path, "tariff", "install", str(tmp_path / "none.json")) == 1


async def test_install_hands_the_tariff_in(tmp_path: Path, capsys: Output) -> None:
    """S-39: by the same road as the platform's."""
    file = tmp_path / "t.json"
    file.write_text(json.dumps(depot()), "utf-8")
    async with running_core(tmp_path / "run") as core:
        await asyncio.to_thread(run_cli, ["--run", str(core.run_dir), "tariff", "install", str(file), "--wait", "0"])
        asked = [request for request in core.requests.values() if request.name is CommandName.SET_TARIFF]
    assert [request.tariff for request in asked] == [read_tariff(depot())]
