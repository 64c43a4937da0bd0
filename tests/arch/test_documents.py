"""S-81: what the documents say is there: links, verbs, make targets, rooms, every setting with its reason."""

import re
from pathlib import Path

import pytest

from siteward.settings.export import key_entries
from tests.arch.sources import PACKAGES, ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "edge" / "decisions").glob("*.md"), *ROOT.glob("*/README.md")])
VERBS = {
    "alarms",
    "report",
    "difference",
    "frames",
    "check",
    "status",
    "watch",
    "start",
    "stop",
    "limit",
    "sessions",
    "events",
    "journal",
    "user",
    "schema",
}
VERBS |= {"devices", "scan", "probe", "doctor", "phasing", "replay"}
VERBS |= {"open", "close", "raise", "lower"}
VERBS |= {"auth", "reserve", "service", "unlock", "reset"}
VERBS |= {"bill", "signed", "tariff"}
VERBS |= {"keys"}
PROCESSES = {"core", "sync", "panel", "share", "up", "demo"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(path: Path) -> None:
    """A link to a file of the project names one that exists."""
    for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / link).exists(), f"{path.name} links {link}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_verb_and_target_exists(path: Path) -> None:
    """What a reader is told to type can be typed."""
    text = path.read_text(encoding="utf-8")
    typed = set(re.findall(r"(?:`|\$ )(?:\.venv/bin/)?siteward ([a-z]+)", text))
    assert typed <= VERBS | PROCESSES, f"{path.name}: {typed - VERBS - PROCESSES}"
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{path.name} speaks of make {target}"


def test_every_room_stands_in_the_architecture() -> None:
    """Architecture, rooms: none is missing, none is invented."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rooms = {f"siteward.{p.parent.name}" for p in (ROOT / "edge" / "siteward").glob("*/__init__.py")}
    named = set(re.findall(r"^\| `(siteward\.[a-z]+)` \|", text, re.MULTILINE))
    assert named == rooms
    assert all(f"`{package.name}`" in text for package in PACKAGES[1:])


def test_every_setting_stands_in_the_reference_with_its_reason() -> None:
    """S-22: nobody has to guess what a key does or why its default is what it is."""
    text = (ROOT / "config" / "site.reference.md").read_text(encoding="utf-8")
    for entry in key_entries():
        assert f"`{entry.name}`" in text or f"`{entry.name} = 1`" in text, entry.name
        assert entry.reason in text or entry.name == "schema", entry.name


def test_decisions_are_numbered_without_a_gap() -> None:
    """Each record has its own number, status and date."""
    records = sorted((ROOT / "edge" / "decisions").glob("[0-9]*.md"))
    assert [path.name[:4] for path in records] == [f"{n:04d}" for n in range(len(records))]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} "), path.name
        assert re.search(r"^- Status: ", text, re.MULTILINE), path.name
        for part in ("Context", "Decision", "Alternatives", "Consequences"):
            assert f"\n## {part}\n" in text, f"{path.name} has no {part}"
