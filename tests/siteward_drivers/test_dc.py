"""R20, R19: DC chargers are limited in W on either side of their rectifier, and booked in A with all that they lose."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.model.errors import ConfigError
from siteward.model.facts import PowerFacts
from siteward.model.ids import ConnectorId
from siteward.model.wire import Write, WriteKind
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.charger_reading import charger_reading
from siteward_drivers.charger_writes import plan_write
from siteward_drivers.decode import decode
from siteward_drivers.modbus_device import Values
from siteward_drivers.profile import Profile, load_profile
from siteward_drivers.quantities import Quantity
from tests.fixtures.rectifier import NAME, with_rectifier

OUTLET = ConnectorId("dc-1")
HYC = load_profiles()["alpitronic_hyc"]


@pytest.fixture(scope="module")
def rectifier(tmp_path_factory: pytest.TempPathFactory) -> Profile:
    """The one limited on its DC side."""
    return with_rectifier(tmp_path_factory.mktemp("profiles"))[NAME]


def test_150_kw_behind_a_rectifier_are_265_a() -> None:
    """R20: at 0.9 of 230 V with an efficiency of 0.93, not the 217 A of the plate."""
    power = PowerFacts(3, eta_min=0.93, pf_min=0.98)
    assert power.amps(150_000, 230.0) == pytest.approx(265.0, abs=0.1)
    assert power.watts(power.amps(150_000, 230.0), 230.0) == pytest.approx(150_000)


def test_the_need_of_the_charger_itself_comes_on_top() -> None:
    """R20: aux is booked with any limit, and a pause is 0 A."""
    power = PowerFacts(3, aux_w=621.0)
    assert power.amps(6210.0, 230.0) == pytest.approx(11.0)
    assert power.amps(0.0, 230.0) == 0.0
    assert power.watts(0.5, 230.0) == 0.0


def _written_w(profile: Profile, value_a: float, nominal_v: float) -> tuple[float, float]:
    """What the plan says that the device holds, in A, and the W in its register."""
    plan = plan_write(profile, 1, Write(OUTLET, WriteKind.LIMIT, value_a, False, 1, 0.0), nominal_v)
    point = profile.point(Quantity.CURRENT_LIMIT)
    (frame,) = plan.frames
    values = decode({Quantity.CURRENT_LIMIT: point}, point.address, frame.words, profile.file.word_order)
    return plan.value_a, float(values.values[Quantity.CURRENT_LIMIT])


def _read_a(profile: Profile, watts: float, nominal_v: float) -> float | None:
    values = Values()
    values.values, values.raw = {Quantity.CURRENT_LIMIT: watts}, {Quantity.CURRENT_LIMIT: round(watts)}
    return charger_reading(OUTLET, profile, values, nominal_v).set_point_a


@pytest.mark.parametrize("behind", [False, True], ids=["ac", "dc"])
@given(value_a=st.floats(0.0, 700.0), nominal_v=st.floats(100.0, 277.0))
def test_a_limit_is_written_compared_and_booked_in_its_own_unit(
    rectifier: Profile, behind: bool, value_a: float, nominal_v: float
) -> None:
    """R20, R5: the W never draw more than the A granted, and read back they are that very grant."""
    profile = rectifier if behind else HYC
    part = profile.charger
    held_a, watts = _written_w(profile, value_a, nominal_v)
    assert held_a <= value_a + 1e-6
    assert part.power.amps(watts, nominal_v) <= held_a + 1e-6
    assert watts == 0.0 or watts >= part.power.min_w - 1.0
    assert _read_a(profile, watts, nominal_v) == pytest.approx(held_a, abs=1e-6)


def test_a_foreign_limit_is_read_as_what_it_is(rectifier: Profile) -> None:
    """R5: 7777 W are no step of ours; they are told as they are, with all losses."""
    read = _read_a(rectifier, 7777.0, 230.0)
    assert read == pytest.approx((7777.0 / 0.93 + 300.0) / (3 * 207.0 * 0.98), abs=1e-6)


def test_below_its_least_power_it_is_paused(rectifier: Profile) -> None:
    """R19, B09: 5 kW behind this rectifier are 9.33 A; 9.3 A are nothing."""
    assert rectifier.charger.least_a(230.0) == pytest.approx(9.327, abs=0.001)
    assert _written_w(rectifier, 9.3, 230.0) == (0.0, 0.0)
    assert _written_w(rectifier, 9.4, 230.0)[0] == 9.4


def test_the_least_current_follows_the_voltage_of_the_site(rectifier: Profile) -> None:
    """R20: the same 5 kW are more A at 120 V."""
    facts = rectifier.charger_facts()
    assert facts.at_voltage(120.0).limit.min_a == pytest.approx(facts.limit.min_a * 230.0 / 120.0)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pf_min = 0.95\n", "pf_min = 0.95\neta_min = 0.93\n", "leave eta_min out"),
        ('unit = "W"\nphases = 3', 'unit = "W"\nside = "dc"\nphases = 3', "needs the part dc with an eta_min below 1"),
        ('[charger.limit]\nunit = "W"', '[charger.limit]\nunit = "A"', "the part dc is for limits in W"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(tmp_path: Path, old: str, new: str, says: str) -> None:
    """R20: a loss that is forgotten, or counted twice, is a fuse booked wrongly."""
    shipped = Path(load_profiles.__code__.co_filename).parent / "profiles" / "charger" / "alpitronic_hyc.toml"
    text = shipped.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file = tmp_path / "wrong.toml"
    file.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError, match=says):
        load_profile(file)
