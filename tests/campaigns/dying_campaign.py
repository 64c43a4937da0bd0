"""Writers that die by the hundred, at random instants (R14, I5, I8): `KILLS=n CUTS=n SEED=n make dying`.

The cuts mount ext4 images, so they need the right to; without it the campaign says so and fails, for a SIGKILL is no
power cut. Figures of the last run, with its date and commit, stand in `last_dying.json`.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.campaigns.record import keep
from tests.fixtures.dying import judge

LAST = Path(__file__).with_name("last_dying.json")


def main(kills: int, cuts: int, seed: int) -> int:
    """0 when nothing acknowledged was lost or doubled; the figures are kept either way."""
    began = time.monotonic()
    results = {how: _part(how, times, seed) for how, times in (("kill", kills), ("cut", cuts))}
    held = all(result["broken"] is None for result in results.values())
    took: dict[str, object] = {"took_s": round(time.monotonic() - began, 1), "seed": seed, "held": held}
    keep(LAST, f"KILLS={kills} CUTS={cuts} SEED={seed} make dying", {**took, **results})
    return int(not held)


def _part(how: str, times: int, seed: int) -> dict[str, object]:
    """Let writers die `times` times, then judge what is left; `acknowledged` counts what had to be there."""
    with tempfile.TemporaryDirectory(prefix="siteward-dying-") as place:
        folder, acks = Path(place) / "core", Path(place) / "acks"
        script = (sys.executable, "-m", "tests.fixtures.dying", how, str(times), str(seed), str(folder), str(acks))
        result: dict[str, object] = {"times": times, "acknowledged": {}, "broken": None}
        try:
            subprocess.run(script, check=True)
            result["acknowledged"] = dict(asyncio.run(judge(folder, acks)))
            result["database_mb"] = round((folder / "siteward.db").stat().st_size / 1e6, 1)
        except (AssertionError, subprocess.CalledProcessError) as error:
            result["broken"] = str(error)
        finally:
            if os.path.ismount(folder):
                subprocess.run(["umount", str(folder)], check=True)
    print(f"{how}: {result}", flush=True)
    return result


if __name__ == "__main__":
    asked = {key: int(os.environ.get(key, usual)) for key, usual in (("KILLS", "200"), ("CUTS", "100"), ("SEED", "1"))}
    sys.exit(main(asked["KILLS"], asked["CUTS"], asked["SEED"]))
