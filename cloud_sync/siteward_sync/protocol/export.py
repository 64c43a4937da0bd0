"""Writes JSON Schemas and AsyncAPI document of contract v1: `python -m siteward_sync.protocol.export [FOLDER]`."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import RootModel

from siteward_sync import topics
from siteward_sync.protocol.v1 import (
    PROTOCOL_VERSION,
    Ack,
    Command,
    Envelope,
    EventBatch,
    Heartbeat,
    Reply,
    SignedCommand,
    SiteInventory,
    Status,
)

FOLDER = Path("config/schemas")
"""Where the documents are kept, seen from the top of the project."""


class CommandPayload(RootModel[Command | SignedCommand]):
    """One command, in the clear or signed."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic with its message."""

    leaf: str
    payload: type[Any]
    summary: str
    qos: int
    retained: bool

    @property
    def name(self) -> str:
        """Name of message, channel and schema file."""
        return self.leaf.replace("/", "-")


CHANNELS = (
    Channel(topics.STATUS, Status, "Birth message and last will.", 1, True),
    Channel(topics.SITE, SiteInventory, "Inventory of the station.", 1, True),
    Channel(topics.HEARTBEAT, Heartbeat, "Station and every connector now.", 0, False),
    Channel(topics.EVENTS, EventBatch, "Journal events, contiguous, until acknowledged.", 1, False),
    Channel(topics.REPLIES, Reply, "Progress of commands and answers to bad messages.", 1, False),
    Channel(topics.COMMANDS, CommandPayload, "One command.", 1, False),
    Channel(topics.ACKS, Ack, "Everything up to seq is stored by the platform.", 1, False),
)


def schema(channel: Channel) -> dict[str, Any]:
    """JSON Schema of a channel's whole message, envelope included."""
    body: dict[str, Any] = Envelope[channel.payload].model_json_schema(by_alias=True, mode="validation")  # type: ignore[name-defined]
    body["title"] = channel.name
    body["description"] = channel.summary
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | body


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3 document, seen from the station: it sends what goes up and receives what goes down."""
    channels = {
        channel.name: {
            "address": f"{topics.ROOT}/{{stationId}}/{channel.leaf}",
            "parameters": {"stationId": {"description": "Id of the station."}},
            "messages": {channel.name: {"$ref": f"#/components/messages/{channel.name}"}},
        }
        for channel in CHANNELS
    }
    operations = {
        f"{'send' if channel.leaf.startswith('up/') else 'receive'}-{channel.name}": {
            "action": "send" if channel.leaf.startswith("up/") else "receive",
            "channel": {"$ref": f"#/channels/{channel.name}"},
            "summary": channel.summary,
            "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retained, "bindingVersion": "0.2.0"}},
        }
        for channel in CHANNELS
    }
    messages = {
        channel.name: {
            "name": channel.name,
            "summary": channel.summary,
            "contentType": "application/json",
            "payload": {
                "schemaFormat": "application/schema+json;version=draft-2020-12",
                "schema": {"$ref": f"./mqtt/{channel.name}.json"},
            },
        }
        for channel in CHANNELS
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "siteward station uplink",
            "version": PROTOCOL_VERSION,
            "description": "MQTT 5. A newer minor version is accepted with unknown fields ignored.",
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


def documents() -> dict[str, str]:
    """Every document: its path below FOLDER and its text."""
    made: dict[str, Mapping[str, Any]] = {f"mqtt/{channel.name}.json": schema(channel) for channel in CHANNELS}
    made["asyncapi.json"] = asyncapi()
    return {path: json.dumps(body, indent=2, ensure_ascii=False) + "\n" for path, body in made.items()}


def main(words: list[str]) -> int:
    """Write all documents; nothing else is touched."""
    folder = Path(words[0]) if words else FOLDER
    for path, text in documents().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
