"""The project's own Python files and what each of them imports, as the arch tests see them."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = (
    ROOT / "edge" / "siteward",
    ROOT / "drivers" / "siteward_drivers",
    ROOT / "cloud_sync" / "siteward_sync",
)


def package_files() -> list[Path]:
    """Every file that is shipped."""
    return [path for package in PACKAGES for path in sorted(package.rglob("*.py"))]


def suite_files() -> list[Path]:
    """Every file of the suite and of the rigs."""
    return sorted((ROOT / "tests").rglob("*.py")) + sorted((ROOT / "hil").rglob("*.py"))


@cache
def tree(path: Path) -> ast.Module:
    """The parsed file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, wherever in it, dotted; relative imports do not occur (ruff TID)."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def name(path: Path) -> str:
    """Path of a file from the root of the project."""
    return path.relative_to(ROOT).as_posix()
