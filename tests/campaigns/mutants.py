"""Runs mutants in a copy of the tree that `mutation.py` made: one collection, then a child process for each mutant.

`python -m tests.campaigns.mutants DRAWN.json RESULTS.jsonl` in the copy. First the tests run once unchanged, which
says which test reaches which function and how long it takes; a mutant then meets those tests, quickest first, until one
fails or BUDGET seconds of them are used up (a survivor then met fewer tests: the score errs on the low side).
"""

import ast
import difflib
import json
import os
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Generator
from functools import _lru_cache_wrapper
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest

CONTROL = Path("edge/siteward/control")
PATIENCE = 2.0
MEMORY_BYTES = 4 << 30
BUDGET_S = float(os.environ.get("BUDGET", "15"))
"""Computing time of the tests that one mutant meets, as they took in the first run."""


class Runner:
    """A pytest plugin whose run loop tries mutants instead of tests."""

    def __init__(self, drawn: list[str], results: Path) -> None:
        self._drawn, self._results = drawn, results
        self._reach: dict[CodeType, list[int]] = defaultdict(list)
        self._took: list[float] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._learn(session)
        assert not session.testsfailed, "the tests fail without a mutant"
        order = sorted(range(len(session.items)), key=lambda i: self._took[i])
        with self._results.open("w", encoding="utf-8") as out:
            for number, name in enumerate(self._drawn):
                result = self._try(session, name, order)
                out.write(json.dumps(result) + "\n")
                out.flush()
                sys.__stderr__.write(f"{number + 1}/{len(self._drawn)} {result['outcome']} {result['function']}\n")
        return True

    def _learn(self, session: pytest.Session) -> None:
        """Run everything once, and note which code of the control ring each test enters."""
        codes = _codes()
        for number, item in enumerate(session.items):
            seen: set[CodeType] = set()

            def enter(frame: FrameType, event: str, _: object, seen: set[CodeType] = seen) -> None:
                if event == "call" and frame.f_code in codes:
                    seen.add(frame.f_code)

            began = time.process_time()
            sys.setprofile(enter)
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=_after(session.items, number))
            sys.setprofile(None)
            if session.testsfailed:
                sys.__stderr__.write(f"fails without a mutant: {item.nodeid}\n")
                return
            self._took.append(time.process_time() - began)
            for code in seen:
                self._reach[code].append(number)

    def _try(self, session: pytest.Session, name: str, order: list[int]) -> dict[str, str]:
        module, _, mangled = name.partition(".")
        function, mutant, path = _find(module, mangled)
        reached = set(self._reach[function.__code__])
        chosen = self._within_budget([i for i in order if i in reached])
        items = [session.items[i] for i in chosen]
        limit = 10.0 + PATIENCE * sum(self._took[i] for i in chosen)
        began = time.monotonic()
        outcome = _child(session, items, function, mutant, limit) if items else "survived"
        took = time.monotonic() - began
        change = _change(module, mangled)
        return {"mutant": name, "function": path, "change": change, "outcome": outcome, "took_s": f"{took:.1f}"}

    def _within_budget(self, order: list[int]) -> list[int]:
        chosen, spent = [], 0.0
        for number in order:
            spent += self._took[number]
            if chosen and spent > BUDGET_S:
                break
            chosen.append(number)
        return chosen


def _after(items: list[pytest.Item], number: int) -> pytest.Item | None:
    return items[number + 1] if number + 1 < len(items) else None


def _child(session: Any, items: list[pytest.Item], function: FunctionType, mutant: FunctionType, limit_s: float) -> str:
    """Exchange the code in a child, run the tests until one fails: killed, timeout or survived."""
    pid = os.fork()
    if pid == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 1))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        function.__code__ = mutant.__code__
        function.__defaults__, function.__kwdefaults__ = mutant.__defaults__, mutant.__kwdefaults__
        _forget()
        for number, item in enumerate(items):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=_after(items, number))
            if session.testsfailed:
                os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "timeout" if os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) else "killed"
    return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"


def _forget() -> None:
    """Empty what the first run left in caches: a tree remembered from then would never ask the mutant."""
    for name, module in sys.modules.items():
        if module is not None and name.partition(".")[0] in ("siteward", "tests"):
            for value in vars(module).values():
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()


def _codes() -> set[CodeType]:
    """The code of every function that has mutants."""
    found = set()
    for file in sorted(CONTROL.glob("*.py")):
        module = import_module(f"siteward.control.{file.stem}")
        for name in _mutant_names(file):
            found.add(_find(module.__name__.rpartition(".")[2], name)[0].__code__)
    return found


def _mutant_names(file: Path) -> Generator[str, None, None]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.endswith("__mutmut_orig"):
            yield node.name


def _find(module: str, mangled: str) -> tuple[FunctionType, FunctionType, str]:
    """The function, its mutant, and the function's dotted path, from `x_name__mutmut_3` or `xǁClassǁname__mutmut_3`."""
    holder: Any = import_module(f"siteward.control.{module}")
    plain = mangled.partition("__mutmut_")[0]
    path = module
    if "ǁ" in plain:
        _, owner, plain = plain.split("ǁ")
        holder, path = getattr(holder, owner), f"{module}.{owner}"
    else:
        plain = plain.removeprefix("x_")
    pair = [vars(holder)[name] for name in (plain, mangled)]
    function, mutant = (getattr(one, "__func__", one) for one in pair)
    return function, mutant, f"{path}.{plain}"


def _change(module: str, mangled: str) -> str:
    """The changed lines, as `old -> new`."""
    text = (CONTROL / f"{module}.py").read_text("utf-8")
    sources = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name in (
            mangled,
            mangled.partition("__mutmut_")[0] + "__mutmut_orig",
        ):
            lines = (ast.get_source_segment(text, node) or "").splitlines()
            sources[node.name == mangled] = [line.replace(node.name, "_").strip() for line in lines]
    lines = list(difflib.unified_diff(sources[False], sources[True], lineterm="", n=0))[2:]
    old = " ".join(line[1:] for line in lines if line.startswith("-"))
    new = " ".join(line[1:] for line in lines if line.startswith("+"))
    return f"{old} -> {new}"


def main(drawn: Path, results: Path) -> int:
    """Try every drawn mutant against the control ring's tests."""
    names = json.loads(drawn.read_text("utf-8"))
    args = [
        *os.environ.get("TESTS", "tests/siteward/control").split(),
        "-qq",
        "-s",
        "--no-summary",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "--timeout=0",
    ]
    return int(pytest.main(args, plugins=[Runner(names, results)]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
