"""JSON that two readers cannot understand in two ways: no repeated keys, no endless numbers, no depth without end."""

import json
from collections.abc import Callable
from typing import Any, NoReturn

from siteward.model.errors import SitewardError

DEPTH = 16
"""How deep a value may be nested."""

_DIGITS = 32


class NotStrict(SitewardError):
    """Why a text is refused, without the text: it may be hostile or private."""


def _refuse(why: str) -> NoReturn:
    raise NotStrict(why)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Object without repeated keys: two readers could each believe another one of them."""
    value = dict(pairs)
    if len(value) != len(pairs):
        _refuse("a key occurs twice")
    return value


def _number(read: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(digits: str) -> Any:
        if len(digits) > _DIGITS:
            _refuse("a number has too many digits")
        value = read(digits)
        if value in (float("inf"), float("-inf")):
            _refuse("a number is out of range")
        return value

    return checked


def _constant(word: str) -> NoReturn:
    _refuse(f"{word} is no JSON")


DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_number(int), parse_float=_number(float), parse_constant=_constant
)
"""Raises NotStrict, and ValueError or RecursionError for what is no JSON at all."""


def check_tree(value: Any) -> None:
    """Refuse what is nested too deep or holds text that is no Unicode (half of a surrogate pair).

    Raises NotStrict, UnicodeEncodeError.
    """
    level: list[Any] = [value]
    for _ in range(DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.keys())
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, str) and not item.isascii():
                item.encode()
        if not below:
            return
        level = below
    _refuse("nested too deep")


def strict_object(data: bytes) -> dict[str, Any]:
    """One JSON object. Raises NotStrict for anything else."""
    try:
        value = DECODER.decode(data.decode("utf-8"))
        check_tree(value)
    except (ValueError, RecursionError) as error:
        raise NotStrict(f"not JSON: {type(error).__name__}") from error
    if not isinstance(value, dict):
        _refuse("not a JSON object")
    return value
