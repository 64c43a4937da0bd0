"""Topic names of contract v1: the one place that spells them."""

from siteward.model.ids import is_id

ROOT = "siteward/v1"
"""Prefix of every topic; the major version is part of it."""

STATUS = "up/status"
SITE = "up/site"
HEARTBEAT = "up/heartbeat"
EVENTS = "up/events"
REPLIES = "up/replies"
COMMANDS = "down/commands"
ACKS = "down/acks"

EVERY_STATION = f"{ROOT}/+/up/#"
"""What a platform subscribes to."""


def topic(station: str, leaf: str) -> str:
    """Topic of a station; leaf is one of this module's names. Raises ValueError for a station that is no id."""
    if not is_id(station):
        raise ValueError("a station id has 1 to 64 of A-Z a-z 0-9 . _ -")
    return f"{ROOT}/{station}/{leaf}"


def split(name: str) -> tuple[str, str] | None:
    """Return (station, leaf) of a topic, None when it is not one of ours."""
    if not name.startswith(ROOT + "/"):
        return None
    station, _, leaf = name[len(ROOT) + 1 :].partition("/")
    return (station, leaf) if is_id(station) and leaf else None
