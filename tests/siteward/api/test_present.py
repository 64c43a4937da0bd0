"""S-81, contract section 2: GET /v1/site is JSON whatever the site is made of, zones and described limits included."""

import json
from pathlib import Path

from siteward.api.present import plain
from siteward.settings.load import load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

LIMITS = Path(__file__).parents[2] / "fixtures" / "site" / "limits.toml"


def test_a_site_with_limits_of_every_kind_is_json() -> None:
    """A platform that asks for the inventory must never stop core's answer."""
    told = json.loads(json.dumps(plain(load_site(LIMITS, FakeCatalogue()))))
    assert told["zone"] == told["timezone"] == "Europe/Berlin"
    assert told["rules"][0]["by"]["periods"][0]["days"] == [0, 1]
    assert [rule["id"] for rule in told["rules"]] == ["week", "dso", "hot", "quarter"]
