"""Contract section 2: the key on a meter's plate is a key, and belongs to a meter that signs (fault 81)."""

from pathlib import Path

import pytest

from siteward.model.errors import ConfigError
from siteward.model.signed import Unsigned
from siteward.trust.crypto import curve_public
from tests.fixtures.signing import METER, signed_site


def test_key_and_policy_reach_the_site(tmp_path: Path) -> None:
    key = curve_public(4711)
    site = signed_site(tmp_path, "refuse", key)
    meter = next(meter for meter in site.meters if meter.id == METER)
    assert (meter.public_key, meter.facts.signs) == (key, True)
    assert site.pricing.unsigned is Unsigned.REFUSE
    (tmp_path / "plain").mkdir()
    assert signed_site(tmp_path / "plain").pricing.unsigned is Unsigned.ALLOW


@pytest.mark.parametrize("key", [curve_public(4711)[:-1], b"\x01\x02"])
def test_a_slip_in_the_key_is_a_fault(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(ConfigError, match="public_key: is no public key on a curve of OCMF"):
        signed_site(tmp_path, plate=key)


def test_a_key_at_a_meter_that_signs_nothing_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'eastron_sdm630' signs nothing"):
        signed_site(tmp_path, profile="eastron_sdm630", plate=curve_public(4711))
