"""The client of the simulation's control socket, for tests and people."""

import json
import socket
from pathlib import Path
from typing import Any

from siteward_drivers.sim.control import BadCommand


def tell(path: Path, do: str, *, timeout_s: float = 10.0, **arguments: object) -> dict[str, Any]:
    """Give one command and return its answer, e.g. `tell(sock, "cut_line", line="rs485-1")`; blocks up to timeout_s.

    Raises BadCommand when the simulation refuses it, OSError when there is none (asyncio code calls it in a thread).
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.settimeout(timeout_s)
        wire.connect(str(path))
        wire.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")
        with wire.makefile("rb") as lines:
            answer: dict[str, Any] = json.loads(lines.readline())
    if not answer.pop("ok"):
        raise BadCommand(str(answer["error"]))
    return answer
