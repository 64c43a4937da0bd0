"""What pydantic found wrong, said in the installer's words: value, allowed range, unit and what to do."""

from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from siteward.model.ids import ID_PATTERN
from siteward.settings.faults import nearest, shown
from siteward.settings.positions import Path

_TYPES = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list in [ ]",
    "model_type": "a table",
    "dict_type": "a table",
    "finite_number": "a finite number",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
}


def sentence(model: type[BaseModel], where: Path, detail: ErrorDetails) -> str:
    """Say one fault of a table; `where` is the key inside it."""
    kind, given, ctx = detail["type"], detail["input"], detail.get("ctx", {})
    info = field_at(model, where)
    unit = unit_of(info)
    if kind == "missing":
        what = info.description if info else "a value"
        return f"is missing; it says: {what}"
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}, not {shown(given)}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return f"is {shown(given)}, must be {words} {ctx[name]:g}{unit}"
    if kind == "literal_error" and info is not None:
        return _choice(given, info)
    return _length_or_form(info, kind, given, ctx, detail["msg"])


def _length_or_form(info: FieldInfo | None, kind: str, given: Any, ctx: dict[str, Any], text: str) -> str:
    if kind in ("too_short", "too_long"):
        if info is not None and unit_of(info) == " A":
            return f"has {ctx['actual_length']} values; write three, for L1, L2 and L3"
        bound = ctx.get("min_length", ctx.get("max_length"))
        least = "at least" if kind == "too_short" else "at most"
        return f"has {ctx['actual_length']} entries, needs {least} {bound}"
    if kind == "string_pattern_mismatch" and ctx.get("pattern") == ID_PATTERN:
        return f"is {shown(given)}; an id has 1 to 64 characters out of A-Z a-z 0-9 . _ -"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "string_too_long":
        return f"is longer than {ctx['max_length']} characters"
    if kind == "value_error":
        return f"is {shown(given)}; {ctx['error']}"
    return f"is {shown(given)}: {text[:1].lower()}{text[1:]}"


def _choice(given: Any, info: FieldInfo) -> str:
    choices = choices_of(info)
    near = nearest(given, choices) if isinstance(given, str) else None
    hint = f"; nearest is '{near}'" if near else ""
    return f"is {shown(given)}, choose one of {', '.join(choices)}{hint}"


def choices_of(info: FieldInfo) -> list[str]:
    """Words or numbers that a key may take, empty when it is free; a list tells those of its elements."""
    options = [c for c in get_args(info.annotation) if c is not type(None)]
    if len(options) == 1 and get_args(options[0]):
        options = list(get_args(options[0]))
    return [str(option) for option in options if isinstance(option, str | int)]


def unit_of(info: FieldInfo | None) -> str:
    """Unit of a key with a blank before it, empty when it has none."""
    extra = info.json_schema_extra if info is not None else None
    unit = str(extra.get("unit", "-")) if isinstance(extra, dict) else "-"
    return "" if unit == "-" else f" {unit}"


def field_at(model: type[BaseModel], where: Path) -> FieldInfo | None:
    """Find the declaration of a key inside a table; a list's index is passed over."""
    info: FieldInfo | None = None
    inside: type[BaseModel] | None = model
    for part in where:
        if isinstance(part, int):
            continue
        info = inside.model_fields.get(part) if inside is not None else None
        if info is None:
            return None
        inner = [t for t in get_args(info.annotation) if isinstance(t, type) and issubclass(t, BaseModel)]
        inside = inner[0] if inner else None
    return info
