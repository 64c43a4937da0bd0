"""A meter that signs, over byte-exact frames: records come as they lie in it, commands are given once (fault 81)."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from siteward.control.ocmf import parse
from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import MeterId, SessionId
from siteward.model.ports import SigningMeter
from siteward.model.signed import SignFailure, SignOrder, SignStep
from siteward.trust.crypto import curve_signed
from siteward.trust.ocmf import verified
from siteward_drivers.modbus_signing import lean_der
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.signing import CONNECTOR, METER, SignedStation, signed_site

Story = Callable[[SignedStation, SigningMeter], Awaitable[None]]
S1, S2 = SessionId("01KE6BW17GM6Q6Q5K83GTFKTQ1"), SessionId("01KE6BW17GM6Q6Q5K83GTFKTQ2")


def order(step: SignStep, session: SessionId = S1) -> SignOrder:
    """What control asks for."""
    return SignOrder(MeterId(METER), CONNECTOR, session, step, "SZ-0001 A01-1", 60)


def play(folder: Path, story: Story) -> None:
    """Run a story with the meter on its open wire."""

    async def whole(clock: VirtualClock) -> None:
        signed = SignedStation(clock, folder, signed_site(folder))
        lines = signed.station.station.lines
        await lines.open()
        meter = next(m for m in lines.meters if m.id == METER)
        assert isinstance(meter, SigningMeter)
        await meter.read()
        await story(signed, meter)
        await lines.close()

    run_virtual(whole)


def test_begin_and_end_come_byte_for_byte_and_hold(tmp_path: Path) -> None:
    """Reliability page: odd blanks, UTF-8, tabs and line ends of the payload are carried, never written anew."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        begin = await meter.sign(order(SignStep.BEGIN))
        end = await meter.sign(order(SignStep.END))
        documents = [answer.document for answer in (begin, end) if answer.document is not None]
        assert [parse(document).payload for document in documents] == signed.signer.handed
        assert begin.public_key == end.public_key == signed.signer.public_key
        assert all(verified(document, begin.public_key) for document in documents)
        first, last = parse(documents[0]), parse(documents[1])
        assert (first.about, first.fields["CI"], first.fields["CT"]) == (S1, "SZ-0001 A01-1", "CBIDC")
        assert first.page is not None
        assert last.page == first.page + 1
        assert first.begin is not None
        assert last.begin is not None
        assert last.begin.register_wh == first.begin.register_wh
        assert first.begin.clock == "S"
        assert first.begin.time.endswith("+0100")

    play(tmp_path, story)


@pytest.mark.parametrize("seed", range(6))
def test_any_bytes_come_through_the_wire(tmp_path: Path, seed: int) -> None:
    """Fault 81: of every length, of every value; what is no text is carried all the same."""
    dice = random.Random(seed)
    payload = dice.randbytes(dice.choice((1, 2, 239, 240, 241, 1023))).replace(b"|", b"!")

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        signed.signer._payload = lambda readings: payload  # type: ignore[method-assign,assignment]
        answer = await meter.sign(order(SignStep.BEGIN))
        assert answer.document is not None
        assert answer.document.split(b"|")[1] == payload

    play(tmp_path, story)


def test_asked_again_it_hands_over_the_same_record(tmp_path: Path) -> None:
    """B23: a controller that died between the signature and its journal doubles no transaction."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        assert await meter.sign(order(SignStep.BEGIN)) == await meter.sign(order(SignStep.BEGIN))
        assert await meter.sign(order(SignStep.END)) == await meter.sign(order(SignStep.END))
        assert signed.signer.transactions == 1
        assert len(signed.signer.handed) == 2

    play(tmp_path, story)


def test_what_another_session_left_open_is_ended_first(tmp_path: Path) -> None:
    """B23: the record of the one before comes along, and names it; nothing is thrown away."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        await meter.sign(order(SignStep.BEGIN, S1))
        answer = await meter.sign(order(SignStep.BEGIN, S2))
        assert answer.stray is not None
        assert answer.document is not None
        stray, begin = parse(answer.stray), parse(answer.document)
        assert (stray.about, begin.about) == (S1, S2)
        assert stray.begin is not None
        assert stray.end is not None
        assert verified(answer.stray, answer.public_key)
        assert (await meter.sign(order(SignStep.END, S1))).failure is SignFailure.NOT_ACTIVE

    play(tmp_path, story)


def test_a_power_failure_leaves_a_transaction_that_can_be_ended(tmp_path: Path) -> None:
    """B23: it lost time and dataset, which it is given anew; its end holds the begin from before."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        begin = await meter.sign(order(SignStep.BEGIN))
        signed.signer.power_cut()
        end = await meter.sign(order(SignStep.END))
        assert begin.document is not None
        assert end.document is not None
        first, last = parse(begin.document), parse(end.document)
        assert first.begin == last.begin
        assert last.about == S1
        assert verified(end.document, end.public_key)

    play(tmp_path, story)


def test_an_end_without_a_begin_is_none(tmp_path: Path) -> None:
    """Fault 81."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        answer = await meter.sign(order(SignStep.END))
        assert (answer.document, answer.failure) == (None, SignFailure.NOT_ACTIVE)
        assert signed.signer.handed == []

    play(tmp_path, story)


def test_a_meter_that_cannot_sign_is_no_meter_that_signed(tmp_path: Path) -> None:
    """Fault 81: its own status is told; one that is busy for ever is given up."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        signed.signer.lost = 254
        with pytest.raises(DeviceRefused) as refused:
            await meter.sign(order(SignStep.BEGIN))
        assert refused.value.code == 254
        signed.signer.lost = 0
        signed.signer.slow_s = 60.0
        with pytest.raises(DeviceUnreachable):
            await meter.sign(order(SignStep.BEGIN))
        signed.station.sim.meter(METER).faults.silent = True
        with pytest.raises(DeviceUnreachable):
            await meter.sign(order(SignStep.BEGIN))

    play(tmp_path, story)


def test_signing_leaves_the_energy_register_as_it_was(tmp_path: Path) -> None:
    """S-69: the exponent beside the register is part of its value; without it there is none."""

    async def story(signed: SignedStation, meter: SigningMeter) -> None:
        sim = signed.station.sim.meter(METER)
        read = next(m for m in signed.station.station.lines.meters if m.id == METER).read
        before = (await read()).energy_wh
        assert before is not None
        from siteward_drivers.quantities import Quantity

        sim.set_constant(Quantity.ENERGY_EXPONENT, 2.0)
        assert (await read()).energy_wh == before * 100
        sim.set_constant(Quantity.ENERGY_EXPONENT, 9.0)
        reading = await read()
        assert reading.energy_wh is None
        assert "energy_import_total" in reading.rejected

    play(tmp_path, story)


def test_zeros_that_der_does_not_have_are_taken_out() -> None:
    """The numbers stay the same; what is no sequence of two numbers stays as it is."""
    assert lean_der(bytes.fromhex("3008020200010202007f")) == bytes.fromhex("300602010102017f")
    assert lean_der(bytes.fromhex("3008020200800202008f")) == bytes.fromhex("3008020200800202008f")
    for odd in ("", "30", "3003020101", "300602010102017f00", "3106020101020101"):
        assert lean_der(bytes.fromhex(odd)) == bytes.fromhex(odd)
    for n in range(40):
        signature = curve_signed(2 + n, b"text")
        assert lean_der(signature) == signature
