"""Collects what comes after a call on a wire of which nothing is known: everything, until silence ends it."""

import asyncio

from siteward_drivers.link import Link

END_S = 0.025
"""Silence that ends an answer: a USB adapter hands bytes over up to 16 ms late."""

_MOST = 4096


async def collect(link: Link, sent: bytes, deadline: float, end_s: float) -> bytes:
    """Bytes until the deadline, or until silence behind an answer. Raises LinkDown."""
    loop = asyncio.get_running_loop()
    buffer = bytearray()
    until = deadline
    while data := await link.read(until):
        buffer += data
        # An echo of our own frame is no answer yet: the device may still begin.
        until = deadline if sent.startswith(buffer) else loop.time() + end_s
        if len(buffer) > _MOST:
            break
    return bytes(buffer)
