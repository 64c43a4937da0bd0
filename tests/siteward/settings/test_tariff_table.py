"""[tariff] of site.toml (S-22, S-77): what the site says about prices, each fault with what to write."""

from pathlib import Path

import pytest

from siteward.model.errors import ConfigError
from siteward.model.tariff import MeterLost, Pin, Pricing, Unmetered, Unpriced
from siteward.settings.load import load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

GOOD = Path(__file__).parents[2] / "fixtures" / "site" / "good.toml"
KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="


def with_tariff(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(f"{GOOD.read_text('utf-8')}\n[tariff]\n{lines}\n", "utf-8")
    return path


def test_a_site_that_says_nothing_prices_nothing() -> None:
    assert load_site(GOOD, FakeCatalogue()).pricing == Pricing()


def test_every_key_arrives(tmp_path: Path) -> None:
    """S-22."""
    lines = f'default = "T"\ncurrency = "CNY"\npin = "boundary"\nunpriced = "refuse"\nsigner = "{KEY}"\n'
    lines += 'unmetered = "refuse"\nmeter_lost = "none"'
    site = load_site(with_tariff(tmp_path, lines), FakeCatalogue())
    assert site.pricing == Pricing("T", "CNY", Pin.BOUNDARY, Unpriced.REFUSE, KEY, Unmetered.REFUSE, MeterLost.NONE)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('currency = "RMB"', "tariff.currency: is 'RMB'; is no currency of ISO 4217; write its code, such as CNY"),
        ('signer = "abc"', "is no Ed25519 public key; write its 32 bytes in base64, 44 characters"),
        ('default = "a b"', "tariff.default: is 'a b'; an id has 1 to 64 characters"),
        ('unpriced = "free"', "tariff.unpriced: is 'free'"),
        ('unmetered = "free"', "tariff.unmetered: is 'free'"),
        ('meter_lost = "stop"', "tariff.meter_lost: is 'stop'"),
        ('price = "1.0"', "tariff.price: unknown key"),
    ],
)
def test_a_fault_says_what_to_write(tmp_path: Path, line: str, told: str) -> None:
    """Fault 66."""
    with pytest.raises(ConfigError) as caught:
        load_site(with_tariff(tmp_path, line), FakeCatalogue())
    assert told in str(caught.value)
