"""The command `siteward`: long-running processes start without the command-line library, all else goes to it."""

import sys
from collections.abc import Sequence

_PROCESSES = frozenset({"core", "sync", "panel", "share", "sim", "platform", "demo", "up"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 good, 1 did not hold, 2 bad use (ruling 27)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] == "core":
        from siteward.app.lean import leave_out

        leave_out()
    if given and given[0] in _PROCESSES:
        from siteward.app.main import run

        return run(given)
    from siteward.cli.app import run_cli

    return run_cli(given)


if __name__ == "__main__":
    sys.exit(main())
