"""Serves the panel over an in-memory depot by hand: `python -m tests.browser.serve_depot STATE_DIR PORT`."""

import asyncio
import sys
from pathlib import Path

from siteward.panel.service import PanelOptions, serve_panel
from tests.fixtures.clock import RealClock
from tests.fixtures.depot import Depot


async def main() -> None:
    state = Path(sys.argv[1])
    options = PanelOptions(state / "no.sock", state, port=int(sys.argv[2]))
    await serve_panel(Depot(), options, RealClock(), asyncio.Event(), print, print)


if __name__ == "__main__":
    asyncio.run(main())
