"""The rings and the one-importer contracts of pyproject.toml (ruling 22, laws 1 and 2), run as a test."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.arch.sources import ROOT
from tests.arch.test_house import OWNER


def lint(config: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter over a configuration."""
    code = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    path = ":".join(str(ROOT / folder) for folder in ("edge", "drivers", "cloud_sync"))
    return subprocess.run(
        [sys.executable, "-c", code, "--config", str(config), "--no-cache"],
        cwd=config.parent,
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )


def test_every_contract_holds() -> None:
    """A ring imports only what is right of it; one file imports each library."""
    done = lint(ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_planted_violation_is_caught(tmp_path: Path) -> None:
    """The contracts can fail: control may not reach up into settings, as this turned-over order would demand."""
    config = tmp_path / "pyproject.toml"
    config.write_text(
        "[tool.importlinter]\n"
        'root_packages = ["siteward"]\n'
        "[[tool.importlinter.contracts]]\n"
        'name = "turned over"\ntype = "layers"\n'
        'layers = ["siteward.model", "siteward.settings"]\n',
        encoding="utf-8",
    )
    done = lint(config)
    assert done.returncode == 1
    assert "turned over BROKEN" in done.stdout


def test_the_contracts_name_each_library_that_has_an_owner() -> None:
    """The list of owners in the contracts and the one in the tests are the same."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    forbidden = {library for c in contracts if c["type"] == "forbidden" for library in c["forbidden_modules"]}
    assert set(OWNER) <= forbidden
