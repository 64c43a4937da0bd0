"""SET_TARIFF at the door (S-39, S-55): read, proven where the site asks for it, refused with every fault."""

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from siteward.api import submit
from siteward.api.tariffs import NoTariff, tariff_of
from siteward.client.canonical import canonical
from siteward.client.client import Client
from siteward.client.messages import RequestMessage
from siteward.client.tariff_form import read_tariff
from siteward.control.tariff_data import tariff_data
from siteward.model.ids import CommandId
from siteward.model.refusals import Refusal
from siteward.model.tariff import Tariff
from tests.fixtures.core import running_core
from tests.fixtures.tariffs import depot

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
SIGNER = base64.b64encode(KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def signed(document: dict[str, Any]) -> dict[str, Any]:
    return {"tariff": document, "signature": base64.b64encode(KEY.sign(canonical(document))).decode()}


def test_a_signed_tariff_is_taken() -> None:
    """B24, S-55."""
    assert tariff_of(signed(depot()), SIGNER) == read_tariff(depot())
    assert tariff_of({"tariff": depot()}, None) == read_tariff(depot())


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"tariff": depot()}, Refusal.UNSIGNED),
        ({**signed(depot()), "tariff": depot(flatFee=1)}, Refusal.BAD_SIGNATURE),
        ({**signed(depot()), "signature": "AAAA"}, Refusal.BAD_SIGNATURE),
        ({**signed(depot()), "signature": "!"}, Refusal.BAD_SIGNATURE),
        (signed({"tariffId": 1}), Refusal.BAD_PARAMS),
        ({}, Refusal.BAD_PARAMS),
        (None, Refusal.BAD_PARAMS),
    ],
)
def test_what_is_not_proven_is_refused(params: dict[str, Any] | None, code: Refusal) -> None:
    """S-55: every door, the console's too."""
    with pytest.raises(NoTariff) as caught:
        tariff_of(params, SIGNER)
    assert caught.value.code is code


async def test_a_bad_tariff_is_rejected_for_good_and_kept(tmp_path: Path) -> None:
    """I10: the final reply names every fault; the same id gets it again."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        params = {"tariff": depot(currency="RMB", timezone="Nowhere")}
        request = RequestMessage(command_id="t-1", name="SET_TARIFF", params=params)
        for _ in range(2):
            reply = await client.submit(request)
            assert (reply.stage, reply.code) == ("rejected", "BAD_PARAMS")
            assert "currency: 'RMB' is no currency" in (reply.message or "")
            assert "timezone: 'Nowhere' is no time zone" in (reply.message or "")
        good = RequestMessage(command_id="t-2", name="SET_TARIFF", params={"tariff": depot()})
        assert (await client.submit(good)).stage == "received"
        assert core.requests[CommandId("t-2")].tariff == read_tariff(depot())


async def test_a_time_that_is_none_is_an_answer_and_no_fault_of_core(tmp_path: Path) -> None:
    """I10, S-99: an answer of 500 would have sync hold this command for ever, and every stop behind it."""
    async with running_core(tmp_path), Client(tmp_path / "sync.sock") as client:
        params = {"tariff": depot(validFrom="0001-01-01T00:00:00+08:00")}
        reply = await client.submit(RequestMessage(command_id="t-1", name="SET_TARIFF", params=params))
        assert (reply.stage, reply.code) == ("rejected", "BAD_PARAMS")
        assert "validFrom: '0001-01-01T00:00:00+08:00' is no time" in (reply.message or "")


async def test_a_tariff_is_judged_beside_the_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 15: 400 plans are compared with each other for a quarter of a second."""
    threads: list[int] = []

    def spy(params: dict[str, Any] | None, signer: str | None) -> Tariff:
        threads.append(threading.get_ident())
        return tariff_of(params, signer)

    monkeypatch.setattr(submit, "tariff_of", spy)
    async with running_core(tmp_path), Client(tmp_path / "sync.sock") as client:
        good = RequestMessage(command_id="t-1", name="SET_TARIFF", params={"tariff": depot()})
        assert (await client.submit(good)).stage == "received"
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


async def test_a_version_of_long_ago_never_changes(tmp_path: Path) -> None:
    """S-17, 0050: a turn holds what is in force and what comes; bills of last year are made of what the table holds."""
    async with running_core(tmp_path) as core, Client(tmp_path / "sync.sock") as client:
        core.tariff_texts.append(json.dumps({**tariff_data(read_tariff(depot())), "source": "cli", "commandId": "t"}))
        for command, document, stage in (
            ("t-1", depot(flatFee=1), "rejected TARIFF_CONFLICT"),
            ("t-1", depot(flatFee=1), "rejected TARIFF_CONFLICT"),
            ("t-2", depot(validFrom="2025-12-31T16:00:00Z"), "received None"),
            ("t-3", depot(version=2, flatFee=1), "received None"),
        ):
            request = RequestMessage(command_id=command, name="SET_TARIFF", params={"tariff": document})
            reply = await client.submit(request)
            assert f"{reply.stage} {reply.code}" == stage


async def test_tariffs_and_bills_are_read(tmp_path: Path) -> None:
    """flows.md: `bill` needs the events of a session and what prices it."""
    async with running_core(tmp_path) as core, Client(tmp_path / "cli.sock") as client:
        core.tariff_texts.append('{"tariffId":"T","version":1}')
        assert await client.tariffs() == ({"tariffId": "T", "version": 1},)
        assert await client.evidence("none") is None
        row = (await client.sessions())[0]
        found = await client.evidence(row.id)
        assert found is not None
        assert found.session == row
        assert all(event["sessionId"] == row.id for event in found.events)
