"""Looks at a limit meter between polls, and cuts that follow from them: which slots of a line they have (goal 7)."""

import asyncio

from siteward_drivers.line_job import Rank
from siteward_drivers.profile_schema import TimingPart
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.slave import Role

from .rig import rig

QUICK = TimingPart(response_timeout_s=0.2, gap_s=0.0)
_CONTROL = (Rank.CONTROL, Rank.CUT)


def test_a_glance_has_every_other_slot_of_polls_and_none_of_cuts_and_is_no_load() -> None:
    """Goal 7: the limit meter between polls; whatever controls goes before it."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            meter, box = it.slave(1, Role.LIMIT_METER, QUICK), it.slave(2, Role.CHARGER, QUICK)

            async def look() -> None:
                for n in range(4):
                    await it.read(meter, n, rank=Rank.GLANCE)

            glances = asyncio.create_task(look())
            polls = [asyncio.create_task(it.read(box, n, 2)) for n in range(3)]
            await asyncio.gather(glances, *polls)
            assert [pdu[0] for _, pdu in it.slaves.heard] == [2, 1, 2, 1, 2, 1, 1]
            it.slaves.heard.clear()
            waiting = [asyncio.create_task(it.read(box, n, 2)) for n in range(3)]
            waiting.append(asyncio.create_task(it.read(meter, 9, rank=Rank.GLANCE)))
            waiting += [asyncio.create_task(it.write(box, 261 + n, 60, rank)) for n, rank in enumerate(_CONTROL)]
            await asyncio.gather(*waiting)
            assert [pdu[0:2] for _, pdu in it.slaves.heard][2:] == [b"\x01\x03", b"\x02\x03", b"\x02\x03", b"\x02\x03"]
            load = it.line.view().load
            for n in range(20):
                await it.read(meter, n, rank=Rank.GLANCE)
            assert it.line.view().load <= load, "what nobody else wanted is no load"

    run_virtual(main)


def test_polls_that_wait_for_long_have_more_slots_than_glances() -> None:
    """Goal 7, R3b: on a full line the polls keep their share; the meter keeps one slot in four while it can."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            meter, box = it.slave(1, Role.LIMIT_METER, QUICK), it.slave(2, Role.CHARGER, QUICK)
            polls = [asyncio.create_task(it.read(box, n, 2)) for n in range(80)]

            async def look() -> None:
                while not all(poll.done() for poll in polls):
                    await it.read(meter, 0, rank=Rank.GLANCE)

            glances = asyncio.create_task(look())
            await asyncio.gather(*polls)
            units = "".join(str(pdu[0]) for _, pdu in it.slaves.heard)
            assert units.startswith("212121")
            assert "12212" in units
            assert "1222122" in units
            assert units.endswith("222222222"), "after 0.4 s of waiting no glance passes"
            await glances

    run_virtual(main)


def test_a_cut_that_follows_from_the_meter_goes_before_the_polls_that_wait() -> None:
    """Goal 7: decide on arrival; the answer, the decision and the write are several tasks in a row."""

    async def main(clock: VirtualClock) -> None:
        async with rig(clock) as it:
            meter, box = it.slave(1, Role.LIMIT_METER, QUICK), it.slave(2, Role.CHARGER, QUICK)
            over, decided = asyncio.Event(), asyncio.Event()

            async def poll_meter() -> None:
                await it.read(meter, 0, rank=Rank.LIMIT_METER)
                over.set()

            async def turn() -> None:
                async with asyncio.timeout(1.0):
                    await over.wait()
                decided.set()

            async def act() -> None:
                await decided.wait()
                await asyncio.create_task(it.write(box, 261, 60))

            calls = [poll_meter(), turn(), act(), *(it.read(box, n, 2) for n in range(4))]
            await asyncio.gather(*calls)
            assert [pdu[:2] for _, pdu in it.slaves.heard][:2] == [b"\x01\x03", b"\x02\x06"]

    run_virtual(main)
