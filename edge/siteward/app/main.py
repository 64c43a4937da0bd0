"""Entry of the long-running processes: dispatched before the command-line library is imported (ruling 27)."""

import asyncio
import gc
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from importlib import import_module

from siteward.app.options import ProcessOptions, parse_process
from siteward.model.errors import SitewardError

_ENTRIES = {
    "core": ("siteward.app.core", "run_core"),
    "sync": ("siteward.app.uplink", "run_uplink"),
    "panel": ("siteward.app.pages", "run_pages"),
    "share": ("siteward.app.share", "run_share"),
    "sim": ("siteward.app.simulator", "run_simulator"),
    "platform": ("siteward.app.platform", "run_platform"),
    "up": ("siteward.app.up", "run_up"),
    "demo": ("siteward.app.demo", "run_demo"),
}

PROCESSES = tuple(_ENTRIES)
"""Names that `run` understands."""


def run(arguments: Sequence[str]) -> int:
    """Run one process by name and return its exit status: 0 ended in order, 1 could not go on, 2 bad use."""
    name, rest = arguments[0], arguments[1:]
    options = parse_process(name, rest, os.environ)
    try:
        return asyncio.run(load(name)(options))
    except SitewardError as error:
        print(f"siteward {name}: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except KeyboardInterrupt:
        return 0


def load(name: str) -> Callable[[ProcessOptions], Coroutine[object, object, int]]:
    """Import a process and return its entry; what was imported is put out of the garbage collector's sight.

    Modules last as long as the process. The collector would walk all of them again and again: some 40 ms of the
    import, and later some 60 ms in which no turn runs (decision 0017).
    """
    # Each process imports only what it needs: core stays free of FastAPI, the panel of pymodbus (goal 14).
    module, function = _ENTRIES[name]
    gc.disable()
    entry: Callable[[ProcessOptions], Coroutine[object, object, int]] = getattr(import_module(module), function)
    gc.collect()
    gc.freeze()
    gc.enable()
    return entry
