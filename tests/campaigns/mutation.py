"""Mutation score of the control ring: `SAMPLE=n SEED=n make mutation`; figures of the last run in `last_mutation.json`.

`AGAIN=1 make mutation` lets the survivors of the last run meet the tests of today, and counts anew: quick while tests
are being written. A score found so is that of a sample which the tests know; a new SEED says what they are worth.

`MODULES=bill,segments make mutation` draws from those modules alone, and keeps nothing: no score of the ring.

mutmut makes the mutants; a random sample of them, drawn file by file in proportion, meets the tests of the control
ring. mutmut's own runner stays out: it names mutants by `src/` paths, and its switch in every call makes a virtual hour
take three times as long. Here each mutant is a child process with one function's code exchanged (`mutants.py`).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from contextlib import chdir
from importlib import import_module
from importlib.metadata import version
from math import sqrt
from pathlib import Path
from random import Random

from tests.campaigns.record import commit, keep

ROOT = Path(__file__).parents[2]
LAST = Path(__file__).with_name("last_mutation.json")
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
CONTROL = Path("edge/siteward/control")
NEEDED = ("edge", "drivers", "cloud_sync", "tests", "config", "pyproject.toml", "ARCHITECTURE.md")
SWITCH = "from mutmut.mutation.trampoline import wrap_in_trampoline as _mutmut_mutated, MutantDict"
PLAIN = "_mutmut_mutated, MutantDict = (lambda _known, **_: lambda function: function), dict"
"""mutmut's switch is not wanted in the copy: a child exchanges the code itself."""


def stage(folder: Path) -> dict[str, list[str]]:
    """Copy what the tests need, with every mutant beside its function; return the names of mutants by module."""
    for name in NEEDED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / name)
    (folder / "setup.cfg").write_text("[mutmut]\nsource_paths=edge\n", encoding="utf-8")
    mutants = {}
    with chdir(folder):
        mutate = import_module("mutmut.mutation.file_mutation").mutate_file_contents
        for file in sorted(CONTROL.glob("*.py")):
            made = mutate(str(file), file.read_text("utf-8"))
            file.write_text(made.code.replace(SWITCH, PLAIN), encoding="utf-8")
            mutants[file.stem] = list(made.mutant_names)
    return mutants


def draw(mutants: dict[str, list[str]], sample: int, seed: int) -> list[str]:
    """A share of each file's mutants, at least one, chosen by the seed."""
    rng, total = Random(seed), sum(map(len, mutants.values()))
    drawn = []
    for module, names in sorted(mutants.items()):
        if names:
            count = min(len(names), max(1, round(sample * len(names) / total)))
            drawn += [f"{module}.{name}" for name in sorted(rng.sample(names, count))]
    return drawn


def run(folder: Path, drawn: list[str]) -> list[dict[str, str]]:
    """What became of each mutant, in a process that has only the copy on its path."""
    (folder / "drawn.json").write_text(json.dumps(drawn), encoding="utf-8")
    # What the caller names beside the project's own folders is where the locked packages are.
    copied = [str(folder / name) for name in ("edge", "drivers", "cloud_sync", ".")]
    path = os.pathsep.join([*copied, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "tests.campaigns.mutants", "drawn.json", "results.jsonl"]
    env = os.environ | {"PYTHONPATH": path, "CI": "1"}
    subprocess.run(command, cwd=folder, env=env, stdout=subprocess.DEVNULL, check=True)
    return [json.loads(line) for line in (folder / "results.jsonl").read_text("utf-8").splitlines()]


def known_equivalent() -> dict[tuple[str, str], str]:
    """Reasons of mutants that change nothing, by function and change."""
    listed = tomllib.loads(EQUIVALENT.read_text("utf-8"))["mutant"] if EQUIVALENT.exists() else []
    return {(entry["function"], entry["change"]): entry["reason"] for entry in listed}


def interval(share: float, count: int) -> list[float]:
    """Wilson's 95 % interval of a share found in a sample of count, in percent."""
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return [round(100 * (middle - half), 1), round(100 * (middle + half), 1)]


def figures(results: list[dict[str, str]]) -> dict[str, object]:
    """Counts, score with and without equivalent mutants, and every survivor by its change."""
    known = known_equivalent()
    survived = [r for r in results if r["outcome"] == "survived"]
    alike = [r for r in survived if (r["function"], r["change"]) in known]
    counts = Counter(r["outcome"] for r in results)
    caught = counts["killed"] + counts["timeout"]
    judged = len(results) - len(alike)
    return {
        "mutants": len(results),
        "killed": counts["killed"],
        "timeout": counts["timeout"],
        "survived": counts["survived"],
        "equivalent": len(alike),
        "score_percent": round(100 * caught / judged, 1),
        "score_percent_95": interval(caught / judged, judged),
        "score_percent_with_equivalent": round(100 * caught / len(results), 1),
        "survivors": {r["mutant"]: f"{r['function']}: {r['change']}" for r in survived if r not in alike},
        "equivalents": {r["mutant"]: f"{r['function']}: {r['change']}" for r in alike},
    }


def some(modules: list[str], sample: int, seed: int) -> int:
    """Make, draw from some modules, run, print; SystemExit for one that is not there."""
    strange = [module for module in modules if not (ROOT / CONTROL / f"{module}.py").exists()]
    if strange:
        raise SystemExit(f"MODULES: no {', '.join(strange)} in {CONTROL}")
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        made = stage(folder)
        return _told(figures(run(folder, draw({module: made[module] for module in modules}, sample, seed))))


def main(sample: int, seed: int) -> int:
    """Make, draw, run, keep; 0 if the score reaches 85 %."""
    began_with = commit()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        mutants = stage(folder)
        results = run(folder, draw(mutants, sample, seed))
    made = sum(map(len, mutants.values()))
    rule = {
        "tool": f"mutmut {version('mutmut')} makes the mutants, tests.campaigns.mutants runs them",
        "sample_rule": f"Random({seed}), {sample} of {made} in proportion to each file's mutants, at least one a file",
        "tests": "tests/siteward/control, those that reach the function, quickest first, up to BUDGET s of them",
        "mutants_made": made,
    }
    found = figures(results)
    first = {key: found[key] for key in ("score_percent_with_equivalent", "survived")}
    keep(LAST, f"SAMPLE={sample} SEED={seed} make mutation", {"commit": began_with} | rule | {"first": first} | found)
    return _told(found)


def again() -> int:
    """Let the survivors of the last run meet the tests of today."""
    last, began_with = json.loads(LAST.read_text("utf-8")), commit()
    held = last["survivors"] | last["equivalents"]
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        mutants = stage(folder)
        there = {f"{module}.{mutant}" for module, names in mutants.items() for mutant in names}
        results = run(folder, [mutant for mutant in held if mutant in there])
    # A number that names another change today says nothing of the old one.
    results = [r for r in results if held[r["mutant"]] == f"{r['function']}: {r['change']}"]
    gone = len(held) - len(results)
    kept = [{"outcome": "killed"}] * last["killed"] + [{"outcome": "timeout"}] * last["timeout"]
    found = figures([*kept, *results])
    whole = {key: last[key] for key in ("tool", "sample_rule", "tests", "mutants_made", "first")}
    more = {"commit": last["commit"], "survivors_met_again_at": began_with, "survivors_whose_code_is_gone": gone}
    keep(LAST, last["command"] + "; AGAIN=1 make mutation", more | whole | found)
    return _told(found)


def _told(found: dict[str, object]) -> int:
    print(json.dumps(found, indent=2))
    return 0 if float(str(found["score_percent"])) >= 85.0 else 1


if __name__ == "__main__":
    asked = os.environ
    drawing = int(asked.get("SAMPLE", "600")), int(asked.get("SEED", "1"))
    if asked.get("AGAIN"):
        sys.exit(again())
    sys.exit(some(asked["MODULES"].split(","), *drawing) if asked.get("MODULES") else main(*drawing))
