"""`doctor`: the wires in service as an installer would measure them, what is wrong, and what to do about it."""

import asyncio
from typing import Any

from siteward.cli.line_health import Diagnosis, judge_with_silence, since
from siteward.cli.paint import Grid, Part, Screen
from siteward.client.client import Client
from siteward.client.messages import LineMessage, SlaveMessage
from siteward.client.silence import silent_now

_COLUMNS = ("wire", "unit", "device", "sent", "lost", "damaged", "refused", "mean ms", "p99 ms", "load")
_NUMBERS = frozenset(_COLUMNS) - {"wire", "device"}


async def doctor(client: Client, screen: Screen, seconds: float) -> int:
    """Judge the wires since core's start, or over so many seconds from now; 1 when something is wrong."""
    live = await client.live()
    lines = live.lines
    if seconds > 0:
        before = {line.id: line for line in lines}
        with screen.waiting(f"watching the wires for {seconds:g} s"):
            await asyncio.sleep(seconds)
        live = await client.live()
        lines = tuple(since(before.get(line.id, line), line) for line in live.lines)
    found = judge_with_silence(lines, silent_now(live))
    if screen.as_json:
        screen.data(_report(lines, found))
    else:
        screen.show(_page(lines, found, seconds))
    return 1 if found else 0


def _page(lines: tuple[LineMessage, ...], found: tuple[Diagnosis, ...], seconds: float) -> list[Part]:
    when = f"in the last {seconds:g} s" if seconds > 0 else "since core's start"
    rows = [row for line in lines for row in _rows(line)]
    parts: list[Part] = [f"{len(lines)} wires, {when}", Grid("", _COLUMNS, rows, _NUMBERS)]
    for diagnosis in found:
        parts += [f"WRONG {diagnosis.line}: {diagnosis.text.en}", f"      {diagnosis.text.zh}"]
    return parts if found else [*parts, "nothing wrong with the wires"]


def _rows(line: LineMessage) -> list[tuple[str, ...]]:
    load = f"{line.load:.0%}" if line.open else "NOT OPEN"
    if not line.slaves:
        return [(line.id, "", "", "", "", "", "", "", "", load)]
    return [(line.id if n == 0 else "", *_slave(slave), load if n == 0 else "") for n, slave in enumerate(line.slaves)]


def _slave(slave: SlaveMessage) -> tuple[str, ...]:
    counts = (slave.sent, slave.timeouts, slave.garbled, slave.refused)
    times = (slave.latency_ms, slave.latency_p99_ms)
    return (str(slave.unit), slave.device, *map(str, counts), *("" if t is None else f"{t:.0f}" for t in times))


def _report(lines: tuple[LineMessage, ...], found: tuple[Diagnosis, ...]) -> dict[str, Any]:
    return {
        "lines": [line.model_dump(mode="json", by_alias=True) for line in lines],
        "findings": [
            {"line": d.line, "device": d.device, "code": d.trouble, "text": d.text.en, "text_zh": d.text.zh}
            for d in found
        ],
    }
