"""A thousand plugs of an RS485 adapter under changing names (fault 6): `python -m tests.campaigns.plug_campaign`."""

import asyncio
import logging
import tempfile
from pathlib import Path

from tests.siteward_drivers.test_wire_faults import plugs

TIMES = 1000


def main() -> int:
    """0 when no file is open afterwards that was not open before."""
    # asyncio tells every pulled adapter with a traceback.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL + 1)
    with tempfile.TemporaryDirectory() as folder:
        left = asyncio.run(plugs(Path(folder), TIMES))
    print(f"{TIMES} plugs, {left} files left open")
    return int(left != 0)


if __name__ == "__main__":
    raise SystemExit(main())
