"""Requirements and faults as data, and which test files cite them; by hand: `python -m tests.arch.trace [--write]`."""

import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.arch.sources import ROOT

REQUIREMENTS = ROOT / "tests" / "requirements.toml"
FAULTS = ROOT / "tests" / "faults.toml"
OWNERS = ("issue 2", "issue 3", "issue 4", "issue 5", "later")
_FAULTS = re.compile(r"\b[Ff]aults? ((?:\d+(?:\.\.\d+|-\d+| to \d+)?(?:, | and |,)?)+)")
_RANGE = re.compile(r"(\d+)(?:(?:\.\.|-| to )(\d+))?")


def entries(path: Path) -> dict[str, dict[str, Any]]:
    """Entries of a file by their id."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def cited(text: str) -> set[str]:
    """Ids that a test file names: `S-17`, and `fault 20`, `faults 28..30, 31 and 33` as `F-20` and so on."""
    found = {f"S-{int(number):02d}" for number in re.findall(r"\bS-(\d{1,3})\b", text)}
    for first, last in re.findall(r"\bS-(\d{1,3})\.\.S-(\d{1,3})\b", text):
        found |= {f"S-{number:02d}" for number in range(int(first), int(last) + 1)}
    for group in _FAULTS.findall(text):
        for first, last in _RANGE.findall(group):
            found |= {f"F-{number:02d}" for number in range(int(first), int(last or first) + 1)}
    return found


def citations() -> dict[str, list[str]]:
    """Test files by the ids that they name."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.parent.name == "arch":
            continue
        for number in cited(path.read_text(encoding="utf-8")):
            found.setdefault(number, []).append(path.relative_to(ROOT).as_posix())
    return found


def render(data: dict[str, dict[str, Any]], title: str) -> str:
    """The file's text, one table an entry."""
    lines = [f"# {title}"]
    for number, entry in data.items():
        lines += ["", f"[{number}]"]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in entry.items()]
    return "\n".join(lines) + "\n"


def refresh(path: Path) -> None:
    """Write each entry's list anew from what the tests cite; tests named one by one (`file::test`) stay."""
    text = path.read_text(encoding="utf-8")
    data = entries(path)
    known = citations()
    for number, entry in data.items():
        by_name = [test for test in entry.pop("tests", []) if "::" in test]
        if by_name or number in known:
            entry["tests"] = sorted([*by_name, *known.get(number, [])])
    path.write_text(render(data, text.split("\n", 1)[0].removeprefix("# ")), encoding="utf-8")


def main() -> None:
    """Print what no test covers; with --write refresh the lists first."""
    for path in (REQUIREMENTS, FAULTS):
        if "--write" in sys.argv:
            refresh(path)
        data = entries(path)
        bare = [number for number, entry in data.items() if not entry.get("tests")]
        print(f"{path.name}: {len(data) - len(bare)} of {len(data)} have tests; without: {' '.join(bare)}")


if __name__ == "__main__":
    main()
