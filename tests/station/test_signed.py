"""Signed sessions from the wire to the journal: verified from outside, compared, missed, late, after a crash (B23)."""

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from pyocmf import OCMF

from siteward.control.ocmf import parse
from siteward.model.alarms import AlarmCode
from siteward.model.events import EventType
from siteward.model.requests import CommandName, Reply, Stage
from siteward.trust.crypto import curve_public
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.signing import METER, SignedStation, record_of, signed_site

pytestmark = pytest.mark.station
Story = Callable[[SignedStation], Awaitable[None]]


def play(folder: Path, story: Story, unsigned: str = "allow", plate: bytes | None = None) -> None:
    """A story of a station that runs and has seen its devices."""

    async def whole(clock: VirtualClock) -> None:
        signed = SignedStation(clock, folder, signed_site(folder, unsigned, plate))
        await signed.station.start()
        await signed.station.run_for(20.0)
        await story(signed)
        await signed.station.stop()

    run_virtual(whole)


async def charged(signed: SignedStation, seconds: float = 90.0) -> None:
    """A car comes, charges and leaves."""
    signed.plug()
    await signed.station.run_for(seconds)
    signed.unplug()
    await signed.station.run_for(30.0)


def alarms(signed: SignedStation) -> set[AlarmCode]:
    """What stands now."""
    live = signed.station.station.live
    assert live is not None
    return {AlarmCode(alarm.code) for alarm in live.alarms if alarm.code.startswith("SIGNED")}


def told(signed: SignedStation) -> dict[str, object]:
    """What the last session.finished says of signed values."""
    found = signed.facts(EventType.SESSION_FINISHED)[-1].data["signed"]
    assert isinstance(found, dict)
    return found


def test_a_session_is_signed_at_both_ends_and_holds_from_outside(tmp_path: Path) -> None:
    """Fault 81, S-16: what the journal carries is what the meter signed, byte for byte, by openssl's word."""

    async def story(signed: SignedStation) -> None:
        await charged(signed)
        begin, end = signed.signed()
        assert (begin["step"], end["step"]) == ("begin", "end")
        assert [parse(record_of(data)).payload for data in (begin, end)] == signed.signer.handed
        (tmp_path / "key.der").write_bytes(signed.signer.public_key)
        openssl(tmp_path, "pkey", "-pubin", "-inform", "DER", "-in", "key.der", "-out", "key.pem")
        for data in (begin, end):
            record = parse(record_of(data))
            (tmp_path / "payload").write_bytes(record.payload)
            (tmp_path / "signature").write_bytes(record.signature)
            words = ("dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", "payload")
            assert b"Verified OK" in openssl(tmp_path, *words)
            other = OCMF.from_string(record_of(data).decode())
            assert other.verify_signature(signed.signer.public_key.hex())
            assert other.check_eichrecht() == []
        finished = signed.facts(EventType.SESSION_FINISHED)[0].data
        truth = signed.station.sim.truth().connectors[0].energy_wh
        assert abs(int(str(told(signed)["energy_wh"])) - truth) <= 1.0
        assert told(signed) | {"beginSha256": "", "endSha256": ""} == {
            "state": "complete",
            "beginSha256": "",
            "endSha256": "",
            "verified": True,
            "energy_wh": finished["energy_wh"],
            "difference_wh": 0,
            "failure": None,
            "marks": [],
        }
        assert (told(signed)["beginSha256"], told(signed)["endSha256"]) == (begin["sha256"], end["sha256"])
        assert not alarms(signed)
        assert not signed.signer.open

    play(tmp_path, story)


def openssl(folder: Path, *words: str) -> bytes:
    """Another implementation's word."""
    return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder, timeout=20).stdout


def test_no_current_flows_before_the_begin_is_signed(tmp_path: Path) -> None:
    """Turn 13: the signed register begins where ours does, so the offer waits for it."""

    async def story(signed: SignedStation) -> None:
        signed.signer.slow_s = 8.0
        await charged(signed)
        signs = signed.facts(EventType.SESSION_SIGNED)[0].occurred_at
        flows = signed.facts(EventType.SESSION_CHARGING)[0].occurred_at
        assert signs is not None
        assert flows is not None
        assert signs < flows
        assert told(signed)["difference_wh"] == 0

    play(tmp_path, story)


def test_a_start_is_answered_when_current_is_offered_or_refused(tmp_path: Path) -> None:
    """Contract section 4: a start that waits for its signature is not told to wait for current, and fails with it."""

    async def story(signed: SignedStation) -> None:
        signed.signer.slow_s = 8.0
        await charged(signed)
        assert [dict(reply.result or {})["waitingFor"] for reply in replies(signed)] == ["current"]

    play(tmp_path, story)

    async def refused(signed: SignedStation) -> None:
        signed.signer.lost = 254
        await charged(signed, 60.0)
        found = {(reply.stage, reply.code) for reply in replies(signed)}
        assert found == {(Stage.FAILED, "SESSION_ENDED")}
        assert all("SIGNED_VALUE_MISSING" in str(reply.message) for reply in replies(signed))

    (tmp_path / "refused").mkdir()
    play(tmp_path / "refused", refused, "refuse")


def replies(signed: SignedStation) -> list[Reply]:
    """Final answers."""
    return [reply for reply in signed.journal.replies if reply.stage.final]


def test_a_meter_that_signs_nothing_is_charged_and_marked_or_refused(tmp_path: Path) -> None:
    """Issue 5: by policy; never silently. A good session afterwards takes the alarm away."""

    async def charge(signed: SignedStation) -> None:
        signed.signer.lost = 254
        await charged(signed)
        (data,) = signed.signed()
        assert (data["signedMeterData"], data["failure"]) == (None, "REFUSED")
        assert (told(signed)["state"], told(signed)["failure"], told(signed)["marks"]) == (
            "none",
            "REFUSED",
            ["missing"],
        )
        assert int(str(signed.facts(EventType.SESSION_FINISHED)[0].data["energy_wh"])) > 100
        assert alarms(signed) == {AlarmCode.SIGNED_VALUE_MISSING}
        signed.signer.lost = 0
        await charged(signed)
        assert told(signed)["state"] == "complete"
        await signed.station.run_for(30.0)
        assert not alarms(signed)

    play(tmp_path, charge)

    async def refuse(signed: SignedStation) -> None:
        signed.station.sim.meter(METER).signer.lost = 254  # type: ignore[union-attr]
        await charged(signed)
        assert not signed.facts(EventType.SESSION_FINISHED)
        assert {fact.data["stopDetail"] for fact in signed.facts(EventType.SESSION_FAILED)} == {"SIGNED_VALUE_MISSING"}
        assert signed.station.sim.truth().connectors[0].energy_wh == 0.0

    (tmp_path / "refuse").mkdir()
    play(tmp_path / "refuse", refuse, "refuse")


@pytest.mark.parametrize(
    ("spoil", "mark"),
    [
        (lambda signer: setattr(signer, "drift_wh", 40.0), "difference"),
        (lambda signer: setattr(signer, "forged", True), "signature"),
        (lambda signer: setattr(signer, "_serial", "4711"), "serial"),
    ],
)
def test_what_does_not_fit_is_marked_and_raises_an_alarm(
    tmp_path: Path, spoil: Callable[[object], None], mark: str
) -> None:
    """Fault 81, B22: a signed value that differs, does not hold or is another meter's is never smoothed over."""

    async def story(signed: SignedStation) -> None:
        spoil(signed.signer)
        await charged(signed)
        assert told(signed)["marks"] == [mark]
        assert told(signed)["verified"] is (mark != "signature")
        assert told(signed)["difference_wh"] == (40 if mark == "difference" else 0)
        assert alarms(signed) == {AlarmCode.SIGNED_VALUE_DOUBTED}

    play(tmp_path, story)


def test_a_page_that_is_missing_is_flagged(tmp_path: Path) -> None:
    """Fault 81: pages of the transaction context count up by one, over sessions too."""

    async def story(signed: SignedStation) -> None:
        await charged(signed)
        assert told(signed)["marks"] == []
        signed.signer._page += 1
        await charged(signed)
        assert told(signed)["marks"] == ["pagination"]

    play(tmp_path, story)


def test_the_key_on_the_plate_judges(tmp_path: Path) -> None:
    """Contract section 2: with `public_key`, a meter that tells another one does not hold by its own word."""

    async def story(signed: SignedStation) -> None:
        await charged(signed)
        assert told(signed)["verified"] is False
        assert told(signed)["marks"] == ["signature", "key"]

    play(tmp_path, story, plate=curve_public(4711))


def test_an_end_that_comes_late_is_told_late_and_takes_nothing_back(tmp_path: Path) -> None:
    """Contract section 4: the settlement does not wait for ever; what was owed follows with its session."""

    async def story(signed: SignedStation) -> None:
        signed.plug()
        await signed.station.run_for(90.0)
        signed.signer.lost = 254
        signed.unplug()
        await signed.station.run_for(60.0)
        assert (told(signed)["state"], told(signed)["marks"]) == ("partial", ["missing"])
        assert alarms(signed) == {AlarmCode.SIGNED_VALUE_MISSING}
        signed.signer.lost = 0
        await signed.station.run_for(30.0)
        end = signed.facts(EventType.SESSION_SIGNED)[-1]
        assert end.session == signed.facts(EventType.SESSION_FINISHED)[0].session
        assert (end.data["step"], end.data["late"], end.data["difference_wh"], end.data["marks"]) == (
            "end",
            True,
            0,
            [],
        )
        assert not signed.signer.open
        assert not alarms(signed)
        await charged(signed)
        assert told(signed)["marks"] == []

    play(tmp_path, story)


@pytest.mark.parametrize("after_s", [0.0, 1.3, 2.4, 3.5, 4.5, 40.0])
@pytest.mark.parametrize("meter_too", [False, True])
def test_a_crash_anywhere_doubles_and_loses_no_record(tmp_path: Path, after_s: float, meter_too: bool) -> None:
    """B23: killed at any moment of a start, the meter's power gone with it or not: one session, every record once."""

    async def story(clock: VirtualClock) -> None:
        first = SignedStation(clock, tmp_path, signed_site(tmp_path))
        await first.station.start()
        await first.station.run_for(20.0)
        first.plug()
        await first.station.run_for(2.5 + after_s)
        await first.station.kill()
        if meter_too:
            first.signer.power_cut()
        site = first.site
        again = SignedStation(clock, tmp_path, site, first.journal, first.station.sim)
        await again.station.start()
        await again.station.run_for(90.0)
        again.unplug()
        await again.station.run_for(40.0)
        await again.station.stop()
        sessions = {fact.session for fact in again.facts(EventType.SESSION_FINISHED)}
        assert len(sessions) == 1
        hashes = [data["sha256"] for data in again.signed()]
        assert len(hashes) == len(set(hashes)), "a record was told twice"
        assert told(again)["state"] == "complete", told(again)
        assert told(again)["verified"] is True
        # A register is as old as its meter's refresh: some Wh may flow between two looks at it.
        assert abs(int(str(told(again)["difference_wh"]))) <= 4
        assert not again.signer.open
        carried = [parse(record_of(data)).payload for data in again.signed()]
        # What lay in the meter's memory alone went with its power; its transaction was ended, and is told.
        assert carried == again.signer.handed or (meter_too and carried == again.signer.handed[1:])

    run_virtual(story)


def test_a_begin_that_comes_after_its_session_is_told_and_ended(tmp_path: Path) -> None:
    """Fault 81: a session that was stopped while its meter signed leaves no transaction open behind it."""

    async def story(signed: SignedStation) -> None:
        signed.signer.slow_s = 6.0
        signed.plug()
        await signed.station.run_for(5.0)
        session = signed.facts(EventType.SESSION_CREATED)[0].session
        await signed.station.ask(CommandName.STOP_CHARGE, "A01-1", sessionId=session)
        await signed.station.run_for(25.0)
        assert signed.facts(EventType.SESSION_CANCELLED)[0].session == session
        found = [(data["step"], data["late"], data["marks"]) for data in signed.signed(session)]
        assert found == [("begin", True, []), ("end", True, [])]
        assert signed.signer.transactions == 1
        assert not signed.signer.open
        assert not alarms(signed)

    play(tmp_path, story)
