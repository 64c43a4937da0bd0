"""Contract section 3: `signed` and `bill` show signed values, judge them by their bytes, and write them to files."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siteward.cli.app import run_cli
from siteward.model.events import EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.sessions import OrderState, SessionRecord
from siteward.store.open import open_store
from siteward.trust.crypto import curve_public
from tests.fixtures.clock import RealClock
from tests.fixtures.signing import SESSION, document, finished_data, signed_data
from tests.fixtures.store import batch

Output = pytest.CaptureFixture[str]
A1 = ConnectorId("A01-1")


def station(folder: Path, *signed: dict[str, object]) -> Path:
    """State of a station whose journal has one session with these signed values."""
    asyncio.run(_written(folder / "core" / "siteward.db", signed))
    return folder


async def _written(path: Path, signed: tuple[dict[str, object], ...]) -> None:
    store = await open_store(path, RealClock())
    record = SessionRecord(SESSION, A1, OrderState.FINISHED, datetime(2026, 1, 5, 6, tzinfo=UTC), "local")
    facts = [Fact(EventType.SESSION_CREATED, {}, A1, SESSION)]
    facts += [Fact(EventType.SESSION_SIGNED, data, A1, SESSION) for data in signed]
    facts.append(Fact(EventType.SESSION_FINISHED, finished_data(), A1, SESSION))
    await store.commit(batch(*facts, sessions=(record,)))
    await store.close()


def run(folder: Path, *words: str) -> int:
    return run_cli(["--run", str(folder / "run"), "--state", str(folder), *words])


def test_what_holds_is_said_and_written_as_it_is(tmp_path: Path, capsys: Output) -> None:
    """S-16, fault 81: status 0, and the file is the record byte for byte, or the container."""
    data = [signed_data("begin"), signed_data("end")]
    folder = station(tmp_path, *data)
    assert run(folder, "signed", SESSION, "--out", str(tmp_path / "end.ocmf")) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("the signature holds over these very bytes") == 2
    assert "Signed end T844" in out
    assert "By the signed registers 1.786 kWh, +0 Wh beside our own." in out
    written = (tmp_path / "end.ocmf").read_bytes()
    assert written.split(b"|")[1] == document("end").split(b"|")[1]
    assert run(folder, "signed", SESSION, "--out", str(tmp_path / "both.xml"), "--lang", "zh") == 0
    assert (tmp_path / "both.xml").read_bytes().count(b"<signedData") == 1
    assert "验证通过" in capsys.readouterr().out
    assert run(folder, "bill", SESSION) == 0
    assert "Signed meter values" in capsys.readouterr().out


def test_for_programs(tmp_path: Path, capsys: Output) -> None:
    """S-78: the records and whether each holds."""
    folder = station(tmp_path, signed_data("begin"), signed_data("end"))
    assert run(folder, "signed", SESSION, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["holds"], [one["holds"] for one in told["signed"]]) == (True, [True, True])
    assert run(folder, "bill", SESSION, "--json") == 0
    bill = json.loads(capsys.readouterr().out)
    assert [one["signedMeterData"] for one in bill["signed"]] == [one["signedMeterData"] for one in told["signed"]]


def test_what_does_not_hold_is_status_1(tmp_path: Path, capsys: Output) -> None:
    """Fault 81: by the journal's key, and by the key on the plate."""
    folder = station(tmp_path, signed_data("begin"), signed_data("end", secret=4712, marks=("signature",)))
    assert run(folder, "signed", SESSION) == 1
    assert "the signature does not hold" in capsys.readouterr().out
    other = station(tmp_path / "other", signed_data("begin"), signed_data("end"))
    assert run(other, "signed", SESSION, "--key", curve_public(4712).hex()) == 1
    capsys.readouterr()
    assert run(other, "signed", SESSION, "--key", "no hex") == 1
    assert "hexadecimal" in capsys.readouterr().err


def test_nothing_signed_is_said(tmp_path: Path, capsys: Output) -> None:
    """Issue 5: a session without is no session that holds; an unknown one is named."""
    folder = station(tmp_path)
    assert run(folder, "signed", SESSION) == 1
    assert "No meter signed anything in this session." in capsys.readouterr().out
    assert run(folder, "signed", SESSION, "--out", str(tmp_path / "x.xml")) == 1
    assert not (tmp_path / "x.xml").exists()
    assert run(folder, "signed", "S404") == 1
    assert "S404: there is no such session" in capsys.readouterr().err
