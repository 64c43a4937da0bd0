"""Carries a bus tool's call over the wire of a line, and tells the tool what came back."""

import asyncio

from siteward.model.wire import FrameStage
from siteward_drivers.answer import Answer
from siteward_drivers.errors import LinkDown
from siteward_drivers.line_ending import Endings
from siteward_drivers.line_visit import Visit
from siteward_drivers.wire import Wire


async def pay(visit: Visit, wire: Wire, endings: Endings, at: float) -> bool:
    """Send the call at `at` (Clock) and wait for its end; whether anybody was heard. Raises LinkDown."""
    loop = asyncio.get_running_loop()
    endings.trace(visit, FrameStage.SENT, at)
    try:
        answer = await wire.call(visit)
    except (LinkDown, asyncio.CancelledError) as error:
        endings.trace(visit, FrameStage.FAILED, at, str(error))
        endings.failed(visit, f"{visit.slave.device}: {error or 'closed'}")
        raise
    visit.left(loop.time(), answer, wire.late_s)
    endings.trace(visit, FrameStage.FAILED if answer is None else FrameStage.ANSWERED, at)
    if not visit.future.done():
        visit.future.set_result(answer or Answer())
    return bool(visit.heard) or answer is not None
