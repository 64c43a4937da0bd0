"""Real wires for tests: two pseudo-terminals with their far ends joined, free TCP ports."""

import asyncio
import os
import socket
import tty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def joined_ptys() -> Iterator[tuple[str, str]]:
    """Paths of two serial ports that hear each other, for as long as the running loop serves them."""
    loop = asyncio.get_running_loop()
    masters, paths, slaves = [], [], []
    for _ in range(2):
        master, slave = os.openpty()
        tty.setraw(master)
        tty.setraw(slave)
        os.set_blocking(master, False)
        masters.append(master)
        slaves.append(slave)
        paths.append(os.ttyname(slave))

    def pass_on(source: int, target: int) -> None:
        data = os.read(source, 4096)
        os.write(target, data)

    for source, target in (masters, reversed(masters)):
        loop.add_reader(source, pass_on, source, target)
    try:
        yield paths[0], paths[1]
    finally:
        for master in masters:
            loop.remove_reader(master)
        for file in (*masters, *slaves):
            os.close(file)


def free_port() -> int:
    """A TCP port that nobody used a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
