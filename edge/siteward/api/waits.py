"""Long polls that end when the daemon stops, so that a waiting caller never holds up a restart."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """Result of work, or None when stop was set first; work is cancelled then and when the caller is."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)
