"""S-22, S-34: a DL/T 645 meter is called by the digits on its plate and brings its own serial settings (fault 66)."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from siteward.model.errors import ConfigError
from siteward.model.facts import MeterFacts, WireFacts
from siteward.model.serial import Parity, SerialSettings
from siteward.settings.load import load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

GOOD = Path(__file__).parents[2] / "fixtures" / "site" / "good.toml"
FACTORY = SerialSettings(2400, Parity.EVEN, 1)
METER = '[[meter]]\nid = "plate"\nline = "{line}"\nprofile = "fake_data"\n{keys}\n\n'


class Catalogue(FakeCatalogue):
    """The invented devices, and a meter that is called by its address."""

    def names(self, kind: str) -> Sequence[str]:
        return [*super().names(kind), "fake_data"] if kind == "meter" else super().names(kind)

    def meter(self, profile: str) -> MeterFacts | None:
        return super().meter("fake_meter" if profile == "fake_data" else profile)

    def wire(self, profile: str) -> WireFacts | None:
        data = WireFacts(("rtu",), (1200, 2400, 9600), ("even",), (1,), 1, "dlt645", FACTORY)
        return data if profile == "fake_data" else super().wire(profile)


def with_meter(tmp_path: Path, keys: str, line: str = "rs485-1", port: str | None = None) -> Path:
    """The good file with one more meter."""
    text = GOOD.read_text(encoding="utf-8")
    at = text.index("[[meter]]")
    extra = f'[[line]]\nid = "more"\nport = "{port}"\n\n' if port else ""
    path = tmp_path / "site.toml"
    path.write_text(text[:at] + extra + METER.format(line=line, keys=keys) + text[at:], encoding="utf-8")
    return path


def test_address_and_factory_settings_reach_the_site(tmp_path: Path) -> None:
    """S-34: the line stays at its own settings, the meter has those of its profile."""
    site = load_site(with_meter(tmp_path, 'address = "001234567890"'), Catalogue())
    meter = site.meters[0]
    assert (meter.address, meter.unit, meter.serial) == ("001234567890", 0, FACTORY)
    assert site.meters[1].address is None
    assert site.meters[1].serial is None
    assert str(FACTORY) == "2400 8E1"


def test_a_meter_set_to_another_speed_says_so(tmp_path: Path) -> None:
    """S-34: many meters are set to 9600."""
    site = load_site(with_meter(tmp_path, 'address = "001234567890"\nbaud = 9600\nparity = "even"'), Catalogue())
    assert site.meters[0].serial == SerialSettings(9600, Parity.EVEN, 1)


def test_behind_a_gateway_the_gateway_keeps_the_settings(tmp_path: Path) -> None:
    """S-34: nobody can change the serial settings of a gateway from here."""
    path = with_meter(tmp_path, 'address = "001234567890"', "more", "rtu+tcp://192.0.2.7:4001")
    assert load_site(path, Catalogue()).meters[0].serial is None


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("", "address: is missing; write the 12 digits on the meter's plate"),
        ("unit = 3", "unit: is for Modbus, but fake_data is called by its address; take it out"),
        ('address = "12345678901X"', "address: is '12345678901X'; write the 12 digits on the meter's plate"),
        ('address = "AAAAAAAAAAAA"', "address: is 'AAAAAAAAAAAA'; write the 12 digits"),
        ('address = "999999999999"', "address: calls all meters at once, and none answers"),
        ('address = "001234567890"\nparity = "none"', "parity: is none, but fake_data can only do even"),
        ('address = "001234567890"\nbaud = 4800', "baud: is 4800, but fake_data can only do 1200, 2400, 9600"),
    ],
)
def test_one_mistake_gives_one_message(tmp_path: Path, keys: str, told: str) -> None:
    """Fault 66: what is wrong, and what to write instead."""
    with pytest.raises(ConfigError) as caught:
        load_site(with_meter(tmp_path, keys), Catalogue())
    assert told in str(caught.value)


def test_a_meter_on_modbus_tcp_is_refused(tmp_path: Path) -> None:
    """Fault 66: there is no DL/T 645 on a Modbus TCP connection."""
    path = with_meter(tmp_path, 'address = "001234567890"', "more", "tcp://192.0.2.7:502")
    with pytest.raises(ConfigError, match="line 'more' is tcp, but fake_data speaks rtu"):
        load_site(path, Catalogue())


def test_serial_keys_behind_a_gateway_are_refused(tmp_path: Path) -> None:
    """Fault 66: they would promise what nobody does."""
    path = with_meter(tmp_path, 'address = "001234567890"\nbaud = 2400', "more", "rtu+tcp://192.0.2.7:4001")
    with pytest.raises(ConfigError, match="line 'more' is a gateway, which keeps its own settings"):
        load_site(path, Catalogue())


def test_two_meters_with_one_address_are_refused(tmp_path: Path) -> None:
    """Fault 9: both would answer at once."""
    path = with_meter(tmp_path, 'address = "001234567890"')
    twin = METER.format(line="rs485-1", keys='address = "001234567890"').replace("plate", "twin")
    path.write_text(path.read_text(encoding="utf-8").replace("[[meter]]", twin + "[[meter]]", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="001234567890 on line 'rs485-1' is already 'twin'"):
        load_site(path, Catalogue())


def test_an_address_at_a_modbus_meter_is_refused(tmp_path: Path) -> None:
    """Fault 66: and a Modbus meter without a unit id is as incomplete as ever."""
    text = GOOD.read_text(encoding="utf-8")
    path = tmp_path / "site.toml"
    at = text.index("unit = ")
    end = text.index("\n", at)
    path.write_text(text[:at] + 'address = "001234567890"' + text[end:], encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(path, Catalogue())
    assert "unit: is missing; it says: Modbus unit id" in str(caught.value)
    assert "address: is for DL/T meters, but fake_meter speaks Modbus; take it out" in str(caught.value)
