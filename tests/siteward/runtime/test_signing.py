"""Orders to meters that sign: one at a time, tried again while wanted, answered once (law 1, law 4, fault 81)."""

import asyncio
from pathlib import Path

from siteward.model.errors import DeviceRefused, DeviceUnreachable
from siteward.model.ids import MeterId, SessionId
from siteward.model.signed import SignAnswer, SignFailure, SignOrder, SignStep
from siteward.runtime.actuate import SIGN_AGAIN_S, MeterActuator
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from tests.fixtures.signing import CONNECTOR, METER, SESSION, signed_site


class Signer:
    """A meter that answers by its list, the last one for ever; an order takes a second."""

    id = MeterId(METER)

    def __init__(self, *answers: SignAnswer | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[SignOrder] = []

    async def sign(self, order: SignOrder) -> SignAnswer:
        self.asked.append(order)
        await asyncio.sleep(1.0)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def order(step: SignStep = SignStep.BEGIN, meter: str = METER) -> SignOrder:
    return SignOrder(MeterId(meter), CONNECTOR, SESSION, step, "SZ-0001 A01-1")


def actuator(
    clock: VirtualClock, folder: Path, signer: Signer, woken: list[float], plate: bytes = b"P"
) -> MeterActuator:
    """One meter with a key on its plate; a record holds by the key that it ends with."""
    made = MeterActuator(
        clock, signed_site(folder), lambda record, key: record.endswith(key or b"?"), lambda: woken.append(clock.now())
    )
    made._plates[MeterId(METER)] = plate
    made.attach([object(), signer])
    return made


def test_an_order_is_carried_out_once_however_often_it_is_said(tmp_path: Path) -> None:
    """Law 4: said in every turn until its answer is seen."""

    async def story(clock: VirtualClock) -> None:
        signer, woken = Signer(SignAnswer(b"recordP", b"own", stray=b"oldX")), list[float]()
        meters = actuator(clock, tmp_path, signer, woken)
        for _ in range(5):
            meters.ask([order(), order(meter="no-such")])
            await asyncio.sleep(0.5)
        (result,) = meters.drain()
        assert (result.verified, result.stray_verified, len(woken)) == (True, False, 1)
        assert (len(signer.asked), meters.drain()) == (1, ())
        meters.ask([order(SignStep.END)])
        await asyncio.sleep(1.5)
        assert [result.order.step for result in meters.drain()] == [SignStep.END]
        await meters.close()

    run_virtual(story)


def test_a_failure_is_told_and_tried_again_while_it_is_wanted(tmp_path: Path) -> None:
    """Fault 81: unreachable and refused are two reasons; what nobody wants any more is left alone."""

    async def story(clock: VirtualClock) -> None:
        signer = Signer(DeviceUnreachable("silent"), DeviceRefused("no"), SignAnswer(b"recordP"))
        meters = actuator(clock, tmp_path, signer, [])
        meters.ask([order()])
        await asyncio.sleep(3 * (1.0 + SIGN_AGAIN_S))
        found = [(result.answer.failure, result.verified) for result in meters.drain()]
        assert found == [(SignFailure.UNREACHABLE, None), (SignFailure.REFUSED, None), (None, True)]
        silent = Signer(DeviceUnreachable("silent"))
        meters = actuator(clock, tmp_path, silent, [])
        meters.ask([order()])
        await asyncio.sleep(1.5)
        meters.ask([])
        await asyncio.sleep(20.0)
        assert len(silent.asked) == 1
        meters.ask([order()])
        await asyncio.sleep(0.5)
        await meters.close()
        assert len(silent.asked) == 2

    run_virtual(story)


def test_what_is_final_is_not_asked_again(tmp_path: Path) -> None:
    """B23: a meter without an open transaction will not have one by being asked."""

    async def story(clock: VirtualClock) -> None:
        signer = Signer(SignAnswer(None, failure=SignFailure.NOT_ACTIVE))
        meters = actuator(clock, tmp_path, signer, [])
        for _ in range(10):
            meters.ask([order(SignStep.END)])
            await asyncio.sleep(1.0)
        assert len(signer.asked) == 1
        assert SessionId(meters.drain()[0].order.session) == SESSION
        await meters.close()

    run_virtual(story)


def test_a_record_that_does_not_hold_is_read_once_more(tmp_path: Path) -> None:
    """Fault 12, fault 81: a slip of the wire is no forgery; what does not hold twice is handed over as it is."""

    async def story(clock: VirtualClock) -> None:
        signer = Signer(SignAnswer(b"recoRd?", stray=b"oldP"), SignAnswer(b"recordP"))
        meters = actuator(clock, tmp_path, signer, [])
        meters.ask([order()])
        await asyncio.sleep(2.5)
        (result,) = meters.drain()
        assert (result.answer.document, result.answer.stray, result.verified) == (b"recordP", b"oldP", True)
        forged = Signer(SignAnswer(b"forged!"))
        meters = actuator(clock, tmp_path, forged, [])
        meters.ask([order()])
        await asyncio.sleep(10.0)
        (result,) = meters.drain()
        assert (result.answer.document, result.verified, len(forged.asked)) == (b"forged!", False, 2)
        await meters.close()

    run_virtual(story)
