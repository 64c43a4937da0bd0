"""Performs the steps of a scan on a real wire: settings changed, frames sent, bytes collected, the port given back."""

import asyncio
from collections.abc import Callable

from siteward_drivers.errors import LinkDown
from siteward_drivers.link import Link
from siteward_drivers.listening import END_S, collect
from siteward_drivers.scan import Scan
from siteward_drivers.scan_plan import Attempt, Setting

OpenLink = Callable[[Setting], Link]
"""Makes the (still closed) link of the wire at a setting."""

Progress = Callable[[Attempt], None]
"""Told of each step before it is taken."""


class ScanRunner:
    """One wire under a scan. Nothing else may speak on it: the link locks the port while it is open."""

    def __init__(self, open_link: OpenLink, progress: Progress = lambda _: None) -> None:
        self._open_link = open_link
        self._progress = progress
        self._link: Link | None = None
        self._setting: Setting | None = None
        self._opened = False

    async def run(self, scan: Scan) -> None:
        """Take all steps; what was found is in the scan's book, also when this is cancelled.

        Raises LinkDown when the port is missing, taken, or lost on the way.
        """
        steps = scan.steps()
        try:
            attempt = next(steps)
            while True:
                self._progress(attempt)
                attempt = steps.send(await self._take(attempt))
        except StopIteration:
            return
        finally:
            await self._close()

    async def _take(self, attempt: Attempt) -> bytes | None:
        if not await self._tune(attempt.setting):
            return None
        link = self._link
        return None if link is None else await ask(link, attempt)

    async def _tune(self, setting: Setting) -> bool:
        """Bring the port to a setting; False when it opened before but refuses this one."""
        if self._setting == setting:
            return self._link is not None
        await self._close()
        self._setting = setting
        link = self._open_link(setting)
        try:
            await link.open()
        except LinkDown:
            if not self._opened:
                raise
            return False
        self._opened = True
        self._link = link
        return True

    async def _close(self) -> None:
        link, self._link, self._setting = self._link, None, None
        if link is not None:
            await link.close()


async def ask(link: Link, attempt: Attempt) -> bytes:
    """Send the attempt's frame into silence and collect what comes. Raises LinkDown."""
    loop = asyncio.get_running_loop()
    setting = attempt.setting
    stale = bytearray()
    while data := await link.read(loop.time() + setting.gap_s):
        stale += data
        if len(stale) > 1024:
            # Somebody never falls silent: what he says is all that can be heard.
            return bytes(stale)
    sent_end = loop.time() + len(attempt.frame) * setting.char_s
    if attempt.frame:
        link.write(attempt.frame)
    deadline = sent_end + attempt.answer_s
    end_s = attempt.answer_s if attempt.patient else max(END_S, 5 * setting.char_s)
    heard = await collect(link, attempt.frame, deadline, end_s)
    # Bytes between two calls are a late answer: they are judged with this one.
    return heard if heard.startswith(attempt.frame) and attempt.frame else bytes(stale) + heard
