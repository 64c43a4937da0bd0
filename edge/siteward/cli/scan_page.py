"""What a scan found, as a page for people and as JSON for programs."""

import asyncio
from collections.abc import Callable
from typing import Any

from siteward.cli.paint import Grid, Part, Screen, Step
from siteward_drivers.scan import Book, Found
from siteward_drivers.scan_plan import Attempt, Setting
from siteward_drivers.scan_words import Finding

WHOLE = 1000
"""Length of the progress bar."""


def show_scan(screen: Screen, port: str, book: Book, told: tuple[Finding, ...], complete: bool, tables: str) -> int:
    """Show it; 1 when nothing was found, something is wrong, or the scan was broken off."""
    if screen.as_json:
        screen.data(_report(port, book, told, complete, tables))
    else:
        screen.show(_page(port, book, told, complete))
        screen.text(f"\n{tables}" if tables else "")
    return 0 if complete and book.proven() and not any(finding.wrong for finding in told) else 1


def teller(step: Step, book: Book, factor: float = 1.0) -> Callable[[Attempt], None]:
    """Tells how far a scan is at each of its steps; `factor` is how much slower than on a free wire it goes."""
    began_s: float | None = None

    def told(attempt: Attempt) -> None:
        nonlocal began_s
        now_s = asyncio.get_running_loop().time()
        began_s = now_s if began_s is None else began_s
        spent_s, left_s = now_s - began_s, attempt.left_s * factor
        left = f"{attempt.setting}, {attempt.what}, {len(book.found)} found, {minutes(left_s)} left"
        step(round(WHOLE * spent_s / max(spent_s + left_s, 0.1)), left)

    return told


def minutes(seconds: float) -> str:
    """A length of time for people."""
    return f"about {seconds:.0f} s" if seconds < 100 else f"about {seconds / 60:.0f} min"


def _page(port: str, book: Book, told: tuple[Finding, ...], complete: bool) -> list[Part]:
    rows = [_row(book, found) for setting in book.proven() for found in book.at(setting)]
    rows += [(str(s), stranger.address, f"{stranger.protocol}: {stranger.text}", "") for s, stranger in book.strangers]
    proven = ", ".join(str(setting) for setting in book.proven()) or "no setting"
    parts: list[Part] = [f"{port}: {len(rows)} devices at {proven}, {book.calls} calls"]
    if not complete:
        parts.append("BROKEN OFF: this is what was found until then")
    if rows:
        parts.append(Grid("", ("setting", "unit", "answers like", "remark"), rows, frozenset({"unit"})))
    for finding in told:
        mark = "WRONG" if finding.wrong else "note"
        parts += [f"{mark}: {finding.text.en}", f"      {finding.text.zh}"]
    return parts


def _row(book: Book, found: Found) -> tuple[str, str, str, str]:
    clashes = (found.setting, found.unit) in book.clashing
    likely = found.likeness.profiles if found.likeness is not None else ("two at once" if clashes else "not asked",)
    remarks = ["slow"] if found.late else []
    remarks += ["number taken twice?"] if clashes else []
    return str(found.setting), str(found.unit), " or ".join(likely) or "unknown", ", ".join(remarks)


def _report(port: str, book: Book, told: tuple[Finding, ...], complete: bool, tables: str) -> dict[str, Any]:
    return {
        "port": port,
        "complete": complete,
        "calls": book.calls,
        "devices": [_device(book, found) for setting in book.proven() for found in book.at(setting)],
        "strangers": [
            {"protocol": s.protocol, "address": s.address, "text": s.text, **_setting(setting)}
            for setting, s in book.strangers
        ],
        "findings": [
            {"code": f.code, "wrong": f.wrong, "units": f.units, "text": f.text.en, "text_zh": f.text.zh} for f in told
        ],
        "site_toml": tables,
    }


def _device(book: Book, found: Found) -> dict[str, Any]:
    likeness = found.likeness
    return {
        "unit": found.unit,
        **_setting(found.setting),
        "profiles": likeness.profiles if likeness is not None else (),
        "certain": likeness.certain if likeness is not None else False,
        "slow": found.late,
        "duplicate": (found.setting, found.unit) in book.clashing,
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {"baud": setting.baud, "parity": str(setting.parity), "stop_bits": setting.stop_bits}
