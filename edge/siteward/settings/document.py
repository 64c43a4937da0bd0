"""A site file as read: tables that hold the shape of the schema, and a fault with line and key for all others."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from siteward.model.errors import ConfigError
from siteward.settings.faults import Faults, nearest, shown
from siteward.settings.positions import Path, positions
from siteward.settings.schema import LATER, SiteFile
from siteward.settings.words import sentence

_MAX_BYTES = 1_000_000
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Placed:
    """A table that holds the schema, with its path in the file."""

    path: Path
    table: Any


@dataclass(frozen=True, slots=True)
class Draft:
    """A file's well-formed tables by section, its faults so far, and every id that the file speaks of."""

    tables: Mapping[str, tuple[Placed, ...]]
    names: Mapping[str, frozenset[str]]
    faults: Faults = field(repr=False)

    def of(self, section: str, kind: type[T]) -> Iterator[tuple[Path, T]]:
        """Tables of a section with their paths."""
        for placed in self.tables.get(section, ()):
            if isinstance(placed.table, kind):
                yield placed.path, placed.table


def read_draft(file: FilePath) -> Draft:
    """Read a file and sort its tables into well-formed ones and faults. Raises ConfigError when it is no TOML."""
    raw, faults = _read(file)
    _top_keys(raw, faults)
    tables: dict[str, tuple[Placed, ...]] = {}
    for section, kind in sections().items():
        repeated, model = kind
        value = raw.get(section)
        if value is None:
            if SiteFile.model_fields[section].is_required():
                faults.add((section,), f"this file has no {_bracket(section, repeated)} table; add one")
            continue
        tables[section] = tuple(_tables(section, value, repeated, model, faults))
    return Draft(tables, _names(raw), faults)


def sections() -> dict[str, tuple[bool, type[BaseModel]]]:
    """Sections of the file: whether the table repeats, and its model."""
    found = {}
    for name, info in SiteFile.model_fields.items():
        annotation: Any = info.annotation
        repeated = get_origin(annotation) is list
        if repeated or get_origin(annotation) is UnionType:
            annotation = get_args(annotation)[0]
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found[name] = (repeated, annotation)
    return found


def _read(file: FilePath) -> tuple[dict[str, Any], Faults]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); check the path and the rights") from error
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{file}: has more than {_MAX_BYTES} bytes; this is no site file")
    try:
        text = data.decode("utf-8")
        raw = tomllib.loads(text)
        return raw, Faults(file, positions(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_not_toml(file, data, str(error))) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{file}:{line}: file: is not UTF-8 text; save it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}:1: file: holds a number too long or tables too deep to be read") from error


def _not_toml(file: FilePath, data: bytes, reason: str) -> str:
    """Say where the text stops being TOML; tomllib puts the place at the end of its sentence."""
    what, _, place = reason.rpartition(" (at ")
    digits = place.removeprefix("line ").split(",")[0]
    line = int(digits) if digits.isdigit() else data.count(b"\n") + 1
    return f"{file}:{line}: file: is no valid TOML: {what or reason}"


def _top_keys(raw: Mapping[str, Any], faults: Faults) -> None:
    known = {info.alias or name for name, info in SiteFile.model_fields.items()}
    for key in raw:
        if (key,) in LATER:
            faults.add((key,), later((key,)))
        elif key not in known:
            faults.add((key,), unknown(key, known))
    if "schema" not in raw:
        faults.add(("schema",), "is missing; write schema = 1 as the first line")
    elif raw["schema"] != 1 or isinstance(raw["schema"], bool):
        faults.add(("schema",), f"is {shown(raw['schema'])}; this version of siteward reads schema 1")


def _tables(section: str, value: Any, repeated: bool, model: type[BaseModel], faults: Faults) -> Iterator[Placed]:
    right = isinstance(value, list) if repeated else isinstance(value, dict)
    if not right or (repeated and not all(isinstance(entry, dict) for entry in value)):
        faults.add((section,), f"must be written as a table {_bracket(section, repeated)}")
        return
    for index, entry in enumerate(value if repeated else [value]):
        path: Path = (section, index) if repeated else (section,)
        try:
            yield Placed(path, model.model_validate(entry))
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                _fault(section, path, model, detail, faults)


def _fault(section: str, path: Path, model: type[BaseModel], detail: ErrorDetails, faults: Faults) -> None:
    where: Path = tuple(detail["loc"])
    full = (*path, *where)
    last = str(where[-1]) if where else ""
    if detail["type"] == "extra_forbidden":
        words = tuple(part for part in (section, *where) if isinstance(part, str))
        faults.add(full, later(words) if words in LATER else unknown(last, _known(model, where)))
    else:
        faults.add(full, sentence(model, where, detail))


def _known(model: type[BaseModel], where: Path) -> set[str]:
    """Keys of the table in which an unknown key stands, itself or a table inside."""
    inner = where[0] if len(where) > 1 else None
    if isinstance(inner, str):
        model = get_args(model.model_fields[inner].annotation)[0]
    return set(model.model_fields)


def unknown(key: str, known: set[str]) -> str:
    """Message for a key that does not exist."""
    near = nearest(key, known)
    hint = f"nearest known key is '{near}'" if near else f"known keys here: {', '.join(sorted(known))}"
    return f"unknown key; {hint}"


def later(words: tuple[str, ...]) -> str:
    """Message for a key that a later version will know."""
    return f"not supported by this version ({LATER[words]}); take it out of the file"


def _bracket(section: str, repeated: bool) -> str:
    return f"[[{section}]]" if repeated else f"[{section}]"


def _names(raw: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """All ids by section, faulty tables included, so that one fault does not cause ten others."""
    found = {}
    for section in ("line", "meter", "feeder", "charger", "relay"):
        found[section] = _ids(raw.get(section))
    chargers = raw.get("charger")
    inner = [row.get("connector") for row in chargers if isinstance(row, dict)] if isinstance(chargers, list) else []
    found["connector"] = frozenset().union(*(_ids(rows) for rows in inner))
    return found


def _ids(rows: object) -> frozenset[str]:
    entries = rows if isinstance(rows, list) else []
    return frozenset(row["id"] for row in entries if isinstance(row, dict) and isinstance(row.get("id"), str))
