"""A hostile peer on the wire, a broker that says no, and TLS: refused, noted, never a crash."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from siteward.model.refusals import Refusal
from siteward_sync.codec import UP_LIMIT, open_envelope
from siteward_sync.errors import LinkDown
from siteward_sync.link import Link
from siteward_sync.link_options import LinkOptions, TlsFiles
from siteward_sync.protocol.export import CHANNELS, schema
from siteward_sync.topics import ACKS, COMMANDS, EVENTS, STATUS, split, topic
from tests.fixtures.authority import Authority
from tests.fixtures.broker import Broker, broker, free_port
from tests.siteward_sync.rig import core_at, platform, raw_link, synced, until
from tests.siteward_sync.rubbish import BOMBS, damaged

__all__ = ["broker"]
pytestmark = pytest.mark.station


async def test_rubbish_on_the_wire_is_answered_and_the_next_command_runs(broker: Broker, tmp_path: Path) -> None:
    """Faults 46-48 over the wire: some hundred bad messages on both topics; each gets a reply, notes are rationed."""
    rubbish = [*BOMBS.values(), *damaged(2, 300)]
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        station = core.site().id
        await until(lambda: (served.records.latest(station, STATUS) or {}).get("online"))
        async with raw_link(broker, "hears", topic(station, "up/replies")) as (hears, replies):
            async with raw_link(broker, "attacker") as (attacker, _):
                for data in rubbish:
                    await attacker.publish(topic(station, COMMANDS), data)
                for data in BOMBS.values():
                    await attacker.publish(topic(station, ACKS), data)
            codes: list[str] = []
            while len(codes) < len(rubbish) + len(BOMBS):
                message = await asyncio.wait_for(replies.get(), 8)
                hears.ack(message)
                value = open_envelope(message.payload).value
                if value["stage"] == "rejected":
                    codes.append(value["code"])
                elif "inReplyTo" in value:  # the others come from the journal
                    codes.append("taken")
        assert set(codes) - {"taken"} <= {code.value for code in Refusal}
        assert {"MALFORMED", "TOO_LARGE", "UNSUPPORTED_VERSION"} <= set(codes)
        notes = [data for _, data, _, _ in core.audits if data.get("via") == "mqtt"]
        assert 20 <= len(notes) <= 40, "every kind is on record, a flood is not"
        async with asyncio.timeout(8):
            command = await served.send(station, "REPORT_NOW")
            assert (await served.replies(station, command))[-1]["stage"] == "done"


async def test_a_flood_without_qos_is_bounded(broker: Broker, tmp_path: Path) -> None:
    """QoS 0 has no window: what is too much is dropped, and the station goes on."""
    async with core_at(tmp_path) as core, platform(broker, tmp_path) as served, synced(core, broker):
        station = core.site().id
        await until(lambda: (served.records.latest(station, STATUS) or {}).get("online"))
        async with raw_link(broker, "attacker") as (attacker, _):
            for _ in range(1000):
                await attacker.publish(topic(station, COMMANDS), b"x" * 1000, qos=0)
        async with asyncio.timeout(10):
            command = await served.send(station, "REPORT_NOW")
            assert (await served.replies(station, command))[-1]["stage"] == "done"


async def test_an_ack_for_what_never_was_is_refused(broker: Broker, tmp_path: Path) -> None:
    """A platform cannot make the station forget what it has not sent."""
    async with core_at(tmp_path) as core, synced(core, broker):
        async with raw_link(broker, "liar", topic(core.site().id, STATUS)) as (liar, got):
            text = f'{{"protocolVersion":"1.0","stationId":"{core.site().id}","messageId":"m","sentAt":'
            text += f'"2026-05-01T00:00:00Z","payload":{{"journalId":"{core.journal}","seq":999999}}}}'
            await asyncio.wait_for(got.get(), 5)  # the station speaks, so it listens
            await liar.publish(topic(core.site().id, ACKS), text.encode())
            await until(lambda: any("ack" in data for _, data, _, _ in core.audits))
        assert core.acked_seq == 0


async def test_everything_sent_fits_its_schema(broker: Broker, tmp_path: Path) -> None:
    """The exported schemas are true: every message of a living station is checked against them."""
    checks: dict[str, Any] = {c.leaf: jsonschema.Draft202012Validator(schema(c)) for c in CHANNELS}
    seen: set[str] = set()
    async with (
        core_at(tmp_path) as core,
        platform(broker, tmp_path) as served,
        raw_link(broker, "watch", "siteward/v1/#") as (link, got),
        synced(core, broker),
    ):
        await until(lambda: (served.records.latest(core.site().id, STATUS) or {}).get("online"))
        await served.send(core.site().id, "STOP_CHARGE", core.site().connectors[0].id)
        async with asyncio.timeout(8):
            while seen != set(checks):
                message = await got.get()
                link.ack(message)
                leaf = (split(message.topic) or ("", ""))[1]
                checks[leaf].validate(json.loads(message.payload))
                open_envelope(message.payload, limit=UP_LIMIT)
                seen.add(leaf)


async def test_a_refused_publish_is_noted_and_not_taken_for_sent(tmp_path: Path) -> None:
    """PUBACK "not authorised" is final for the broker, not for us: noted in the journal, the events stay unacked."""
    rules = tmp_path / "acl"
    rules.write_text("topic read #\npattern write siteward/v1/%c/up/status\npattern write siteward/v1/%c/up/site\n")
    refusing = Broker(tmp_path / "mosquitto", free_port(), f"allow_anonymous true\nacl_file {rules}\n")
    await refusing.start()
    async with core_at(tmp_path) as core, synced(core, refusing):
        denied = topic(core.site().id, EVENTS)
        await until(lambda: any(data.get("topic") == denied for _, data, _, _ in core.audits))
        note = next(data for _, data, _, _ in core.audits if data.get("topic") == denied)
        assert note["reason"] == 135
        assert core.acked_seq == 0
    await refusing.stop()


def _certificates(folder: Path) -> None:
    """An authority, and what it signed for a broker and a station."""
    authority = Authority(folder)
    for name, subject in (("broker", "localhost"), ("station", "S-1")):
        authority.issue(name, subject, ("127.0.0.1", "localhost"))


async def test_tls_takes_the_station_s_certificate_and_nothing_less(tmp_path: Path) -> None:
    """Contract section 4, fault 44: a client certificate per station; without the right authority no connection."""
    keys = tmp_path / "keys"
    _certificates(keys)
    (keys / "acl").write_text("pattern write siteward/v1/%u/up/#\n", encoding="ascii")
    extra = (
        f"cafile {keys}/ca.pem\ncertfile {keys}/broker.pem\nkeyfile {keys}/broker.key\nrequire_certificate true\n"
        f"use_identity_as_username true\nacl_file {keys}/acl\n"
    )
    secure = Broker(tmp_path / "mosquitto", free_port(), extra)
    await secure.start()
    files = TlsFiles(keys / "ca.pem", keys / "station.pem", keys / "station.key")
    good = LinkOptions("S-1", "localhost", secure.port, tls=files, retry_first_s=0.1)
    other = keys / "other"
    _certificates(other)
    foreign = TlsFiles(other / "ca.pem", keys / "station.pem", keys / "station.key")
    bad = LinkOptions("S-2", "localhost", secure.port, tls=foreign, retry_first_s=0.1)
    stop = asyncio.Event()
    link, refused = Link(good, lambda _: None), Link(bad, lambda _: None)
    running = [asyncio.create_task(link.run(stop)), asyncio.create_task(refused.run(stop))]
    await asyncio.wait_for(link.until_up(), 8)
    await link.publish(topic("S-1", STATUS), b"{}")
    with pytest.raises(Exception, match="refused a message"):
        await link.publish(topic("S-9", STATUS), b"{}")
    await until(lambda: refused.last_error is not None)
    assert isinstance(refused.last_error, LinkDown)
    assert "certificate verify failed" in str(refused.last_error)
    assert not refused.up
    stop.set()
    await asyncio.gather(*running)
    await secure.stop()
