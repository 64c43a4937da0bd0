"""S-22, contract section 2: schema and reference of site.toml are made from the declaration, and stay fresh."""

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from siteward.settings.export import key_entries, site_reference, site_schema

ROOT = Path(__file__).parents[3]
FILES = ROOT / "tests" / "fixtures" / "site"


def test_the_exported_schema_is_fresh() -> None:
    """`siteward schema > config/site.schema.json` after each change of a key."""
    assert (ROOT / "config" / "site.schema.json").read_text(encoding="utf-8") == site_schema()


def test_the_reference_page_is_fresh() -> None:
    """`siteward schema --reference > config/site.reference.md` after each change of a key."""
    assert (ROOT / "config" / "site.reference.md").read_text(encoding="utf-8") == site_reference()


@pytest.mark.parametrize("path", [FILES / "good.toml", ROOT / "config" / "demo" / "site.toml"])
def test_an_editor_accepts_good_files(path: Path) -> None:
    """The schema says nothing that the loader does not."""
    schema = jsonschema.validators.validator_for(json.loads(site_schema()))(json.loads(site_schema()))
    assert list(schema.iter_errors(tomllib.loads(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("name", ["keys", "later", "currents"])
def test_an_editor_marks_faults_of_shape(name: str) -> None:
    """An unknown key, a wrong type or a value out of range is seen while typing."""
    document = tomllib.loads((FILES / f"broken_{name}.toml").read_text(encoding="utf-8"))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(site_schema()))


def test_every_key_says_unit_default_range_meaning_and_reason() -> None:
    """Every setting is documented (S-22); a quantity carries its unit in its name."""
    for entry in key_entries():
        assert all((entry.unit, entry.default, entry.allowed)), entry
        assert entry.meaning.endswith("."), entry
        assert entry.reason.endswith("."), entry
        if entry.name.rsplit("_", 1)[-1] in ("a", "v", "s"):
            assert entry.unit == entry.name.rsplit("_", 1)[-1].replace("a", "A").replace("v", "V")
