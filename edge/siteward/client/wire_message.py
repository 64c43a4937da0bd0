"""The root of all messages of the local API: keys as the contract writes them, unknown ones passed over."""

from pydantic import BaseModel, ConfigDict

_UNITS = ("a", "v", "w", "wh", "s", "c", "hz", "ms", "percent", "wh")


def wire_key(name: str) -> str:
    """Key of a field on the wire: camelCase, but a quantity keeps its snake_case unit suffix (ruling 23)."""
    words = name.split("_")
    if words[-1] in _UNITS and len(words) > 1:
        return name
    return words[0] + "".join(word.capitalize() for word in words[1:])


class Message(BaseModel):
    """Root of all messages: frozen, made from model values by attribute, unknown keys ignored for newer peers."""

    model_config = ConfigDict(
        alias_generator=wire_key, populate_by_name=True, from_attributes=True, frozen=True, defer_build=True
    )

    def to_json(self) -> str:
        """JSON text with wire keys."""
        return self.model_dump_json(by_alias=True)
