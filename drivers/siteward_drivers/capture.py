"""Captures: what a real device answered to every documented block, serials taken out, as a file that tests replay."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from siteward.model.errors import ConfigError, DeviceUnreachable
from siteward_drivers.probe import Prober, Span
from siteward_drivers.profile import Profile
from siteward_drivers.profile_points import Part, Table
from siteward_drivers.quantities import Quantity

REDACTED = 0x5858
"""Word that stands for a part of a serial number: "XX" as text."""

SECRET = (Quantity.SERIAL_NUMBER,)
"""Quantities that tell one device from all others of its kind."""

_SURE_WORDS = 2


class CapturedBlock(Part):
    """One block: its words as sent, or the exception, or neither where the device stayed silent."""

    table: Table
    first: int
    count: int
    words: tuple[int, ...] = ()
    exception: int | None = None


class Capture(Part):
    """A device as recorded with a profile's blocks; `recorded` is the day, `software` what recorded it."""

    schema_: Literal[1] = 1
    profile: str
    channels: int = 1
    recorded: str = ""
    software: str = ""
    blocks: tuple[CapturedBlock, ...]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a documented span that one request reads; it cuts no point in two."""

    table: Table
    first: int
    count: int


def chunks(profile: Profile, channels: int) -> Iterator[Chunk]:
    """All documented registers of the device, in requests that it takes."""
    seen: set[tuple[Table, int]] = set()
    for channel in range(1, channels + 1):
        ends = {
            (point.table, address)
            for quantity in profile.file.points
            for point in (profile.point(quantity, channel),)
            for address in range(point.address + 1, point.address + point.width)
        }
        for span in profile.spans(channel):
            if (span.table, span.first) in seen:
                continue
            seen.add((span.table, span.first))
            yield from _cut(Chunk(span.table, span.first, span.count), profile.file.timing.max_registers, ends)


def _cut(span: Chunk, most: int, inside: set[tuple[Table, int]]) -> Iterator[Chunk]:
    first, end = span.first, span.first + span.count
    while first < end:
        stop = min(first + most, end)
        while stop < end and (span.table, stop) in inside and stop > first + 1:
            stop -= 1
        yield Chunk(span.table, first, stop - first)
        first = stop


Told = Callable[[int, int], None]
"""Hears how many blocks of how many are done."""


async def record(prober: Prober, channels: int, software: str, recorded: str, told: Told) -> Capture:
    """Read everything that is documented. Raises DeviceUnreachable when the device says nothing at all."""
    wanted = list(chunks(prober.profile, channels))
    spans: list[Span] = []
    for done, chunk in enumerate(wanted):
        told(done, len(wanted))
        try:
            spans.append(await prober.read(chunk.table, chunk.first, chunk.count))
        except DeviceUnreachable:
            spans.append(Span(chunk.table, chunk.first, chunk.count))
    if not any(span.words or span.exception for span in spans):
        raise DeviceUnreachable(f"unit {prober.unit} on {prober.line.port} answered none of {len(spans)} reads")
    blocks = tuple(
        CapturedBlock(table=s.table, first=s.first, count=s.count, words=s.words, exception=s.exception) for s in spans
    )
    name = prober.profile.id
    capture = Capture(profile=name, channels=channels, recorded=recorded, software=software, blocks=blocks)
    return redact(capture, prober.profile)


def redact(capture: Capture, profile: Profile) -> Capture:
    """The capture without serial numbers, in their own registers and wherever the same words stand again."""
    words = {(b.table, b.first + n): w for b in capture.blocks for n, w in enumerate(b.words)}
    hidden: set[tuple[Table, int]] = set()
    secrets: list[tuple[int, ...]] = []
    for quantity in SECRET:
        for channel in range(1, capture.channels + 1 if quantity in profile.file.points else 1):
            point = profile.point(quantity, channel)
            places = [(point.table, point.address + n) for n in range(point.width)]
            hidden.update(places)
            secrets.append(tuple(words[place] for place in places if place in words))
    blocks = tuple(_hide(block, hidden, secrets) for block in capture.blocks)
    return capture.model_copy(update={"blocks": blocks})


def _hide(block: CapturedBlock, hidden: set[tuple[Table, int]], secrets: list[tuple[int, ...]]) -> CapturedBlock:
    told = list(block.words)
    for secret in secrets:
        if len(secret) < _SURE_WORDS or len(set(secret)) < _SURE_WORDS:
            continue
        for at in range(len(told) - len(secret) + 1):
            if tuple(block.words[at : at + len(secret)]) == secret:
                told[at : at + len(secret)] = [REDACTED] * len(secret)
    told = [REDACTED if (block.table, block.first + n) in hidden else w for n, w in enumerate(told)]
    return block.model_copy(update={"words": tuple(told)})


def write_capture(capture: Capture, path: Path) -> None:
    """Write the file, one block a line, so that a change of one register is a change of one line."""
    head = capture.model_dump(mode="json", exclude={"blocks", "schema_"})
    rows = [json.dumps({"schema": capture.schema_, **head}, ensure_ascii=False)[:-1] + ', "blocks": [']
    rows += [json.dumps(block.model_dump(mode="json", exclude_defaults=True)) + "," for block in capture.blocks]
    rows[-1] = rows[-1].removesuffix(",")
    path.write_text("\n".join([*rows, "]}"]) + "\n", encoding="utf-8")


def load_capture(path: Path) -> Capture:
    """Read a capture. Raises ConfigError naming what is wrong with the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(raw, dict) and "schema" in raw:
            raw["schema_"] = raw.pop("schema")
        return Capture.model_validate(raw)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "whole file"
        raise ConfigError(f"{path}: {where}: {first['msg']}") from error
    except ValueError as error:
        raise ConfigError(f"{path}: is no JSON: {error}") from error
