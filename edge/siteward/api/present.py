"""Model values as plain JSON values with the wire's key names, for reads that have no message model of their own."""

from dataclasses import fields, is_dataclass
from datetime import tzinfo

from siteward.client.messages import wire_key


def plain(value: object) -> object:
    """JSON value of a model value: dataclasses become objects, tuples and sets arrays, enums and zones their text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {wire_key(field.name): plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return [plain(item) for item in sorted(value)]
    return str(value) if isinstance(value, tzinfo) else value
