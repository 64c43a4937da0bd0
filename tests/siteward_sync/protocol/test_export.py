"""Schemas and AsyncAPI document: fresh, valid, and true of what is really sent (S-81)."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from siteward_sync.protocol.export import CHANNELS, FOLDER, asyncapi, documents, main, schema
from tests.siteward_sync.rubbish import GOOD

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", documents())
def test_the_exported_document_is_fresh(path: str) -> None:
    """`make docs` after a change of a message, or the platform builds against yesterday's words."""
    assert (ROOT / FOLDER / path).read_text(encoding="utf-8") == documents()[path], "run `make docs`"


def test_nothing_else_lies_in_the_folder() -> None:
    """A message that is gone leaves no schema behind."""
    kept = {str(p.relative_to(ROOT / FOLDER / "mqtt")) for p in (ROOT / FOLDER / "mqtt").iterdir()}
    assert kept == {f"{channel.name}.json" for channel in CHANNELS}


def test_export_writes_all_documents(tmp_path: Path) -> None:
    """The command of `make docs`."""
    assert main([str(tmp_path)]) == 0
    assert (tmp_path / "asyncapi.json").is_file()


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda c: c.name)
def test_each_schema_is_a_schema(channel: Any) -> None:
    """Valid JSON Schema 2020-12 that refuses an empty object."""
    jsonschema.Draft202012Validator.check_schema(schema(channel))
    assert not jsonschema.Draft202012Validator(schema(channel)).is_valid({})


def test_a_command_fits_its_schema_and_a_changed_one_does_not() -> None:
    """The schema tells what the code accepts."""
    body = next(schema(c) for c in CHANNELS if c.name == "down-commands")
    validator = jsonschema.Draft202012Validator(body)
    validator.validate(GOOD)
    validator.validate(GOOD | {"payload": {"jws": "a.b.c"}})
    assert not validator.is_valid(GOOD | {"payload": {"commandId": "c"}})


def test_every_topic_of_the_contract_is_in_the_asyncapi_document() -> None:
    """Seven topics of this version; each message refers to its schema file."""
    text = json.dumps(asyncapi())
    for leaf in ("up/status", "up/site", "up/heartbeat", "up/events", "up/replies", "down/commands", "down/acks"):
        assert f"siteward/v1/{{stationId}}/{leaf}" in text
