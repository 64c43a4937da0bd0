"""The schema of site.toml for editors and its reference page for people, both made from the one declaration."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from siteward.settings.document import sections
from siteward.settings.schema import LATER, SiteFile
from siteward.settings.words import choices_of

_TITLE = "siteward site file, schema 1"


def site_schema() -> str:
    """JSON Schema (2020-12) of site.toml as text, as kept in config/site.schema.json."""
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema.update(SiteFile.model_json_schema(by_alias=True))
    schema["title"] = _TITLE
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One key of the reference: dotted name, unit, default ("asked" when there is none), range, meaning, reason."""

    name: str
    unit: str
    default: str
    allowed: str
    meaning: str
    reason: str


def key_entries() -> list[KeyEntry]:
    """Every key of the file, in the order of the declaration."""
    return [
        _entry("schema", SiteFile.model_fields["version"]),
        *(entry for _, rows in _tables() for entry in rows),
    ]


def site_reference() -> str:
    """Reference page of site.toml as text, as kept in config/site.reference.md."""
    lines = [
        "# site.toml: every key",
        "",
        "Made from the schema by `siteward schema --reference`; do not edit. One file is one site. An unknown key",
        "is an error. `charger[3]` in a message is the third `[[charger]]` of the file. `asked` = has no default.",
        "",
        "`schema = 1` is the first line of every file.",
        "",
    ]
    for title, rows in _tables():
        lines += [f"## {title}", "", "| key | unit | default | allowed | meaning | why |", "|---|---|---|---|---|---|"]
        lines += [
            f"| `{row.name}` | {row.unit} | {row.default} | {row.allowed} | {row.meaning} | {row.reason} |"
            for row in rows
        ]
        lines.append("")
    lines += ["## Not in this version", "", "Refused by name, never ignored:", ""]
    lines += [f"- `{'.'.join(words)}`: {what}" for words, what in LATER.items()]
    return "\n".join(lines) + "\n"


def _tables() -> Iterator[tuple[str, list[KeyEntry]]]:
    for section, (repeated, model) in sections().items():
        title = f"[[{section}]]" if repeated else f"[{section}]"
        yield title, list(_entries(section, model))
        for name, inner in _inside(model):
            yield f"[[{section}.{name}]]", list(_entries(f"{section}.{name}", inner))


def _inside(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    """Tables that a table holds."""
    for name, info in model.model_fields.items():
        for inner in get_args(info.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield name, inner


def _entries(section: str, model: type[BaseModel]) -> Iterator[KeyEntry]:
    for name, info in model.model_fields.items():
        if isinstance(info.json_schema_extra, dict):
            yield _entry(f"{section}.{name}", info)


def _entry(name: str, info: FieldInfo) -> KeyEntry:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = "asked" if info.is_required() else _toml(info.default)
    return KeyEntry(name, str(extra["unit"]), default, _allowed(info), str(info.description), str(extra["reason"]))


def _toml(value: object) -> str:
    return "none" if value is None else f"`{json.dumps(value, ensure_ascii=False)}`"


def _allowed(info: FieldInfo) -> str:
    choices = choices_of(info)
    if choices:
        return ", ".join(choices)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    least = [m.ge for m in info.metadata if hasattr(m, "ge")]
    most = [m.le for m in info.metadata if hasattr(m, "le")]
    return f"{least[0]} to {most[0]}" if least and most else str(extra.get("span", "-"))
