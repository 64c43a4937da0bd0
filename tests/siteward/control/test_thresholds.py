"""S-97, S-98, S-27: rules over figures rise late and end with hysteresis; the unknown decides nothing (law 5)."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from siteward.control.roots import MASS
from siteward.control.thresholds import Key, Over, Picture, judge, targets
from siteward.model.alarms import Alarm, AlarmCode, Severity
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.readings import ChargerReading, MeterReading
from siteward.model.site import Site
from siteward.model.watch import AlarmRule, Figure, Remark, Supply, Watched
from tests.fixtures.sites import small_site

HOT = AlarmRule("hot", Watched.CHARGER, Figure.TEMPERATURE_C, Severity.HIGH, above=80.0, hysteresis=5.0, after_s=10.0)
BAND = AlarmRule("band", Watched.CHARGER, Figure.VOLTAGE_V, Severity.MEDIUM, above=250.0, below=200.0, hysteresis=3.0)
OFFLINE = AlarmRule("off", Watched.CHARGER, Figure.SILENT_S, Severity.HIGH, above=300.0)
MASS_RULE = AlarmRule(
    "mass", Watched.STATION, Figure.SILENT_PERCENT, Severity.HIGHEST, above=49.9, least=3.0, after_s=15.0
)
A1 = ConnectorId("A01-1")
TOO_HOT = Alarm(AlarmCode.TEMPERATURE_HIGH, "A01-1")


class Watch:
    """Rounds over one site, two seconds apart."""

    def __init__(self, *rules: AlarmRule, site: Site | None = None) -> None:
        self.site = site or small_site()
        self.targets = targets(self.site, rules)
        self.held: Mapping[Key, Over] = {}
        self.at = 1000.0

    def look(self, picture: Picture | None = None, seconds: float = 2.0, **readings: object) -> Mapping[Alarm, Remark]:
        """A round after some seconds; readings are those of A01-1."""
        self.at += seconds
        if picture is None:
            reading = ChargerReading(A1, self.at - 0.5, **readings)  # type: ignore[arg-type]
            picture = Picture(self.at, 1000.0, chargers={A1: reading})
        judged = judge(self.targets, replace(picture, at=self.at), self.held)
        self.held = judged.held
        return judged.alarms


def test_a_charger_above_80_degrees_is_an_alarm_after_ten_seconds_until_it_is_below_75() -> None:
    """S-97."""
    watch = Watch(HOT)
    assert not watch.look(temperature_c=80.0)
    for _ in range(5):
        assert not watch.look(temperature_c=80.5)
    assert watch.look(temperature_c=83.0)[TOO_HOT] == Remark(Severity.HIGH, 83.0, 80.0, Figure.TEMPERATURE_C, "hot")
    for heat in (80.0, 76.0, 75.1):
        assert watch.look(temperature_c=heat)[TOO_HOT].value == 83.0
    assert not watch.look(temperature_c=75.0)


def test_one_odd_reading_calls_nobody() -> None:
    """S-97: after_s counts anew."""
    watch = Watch(HOT)
    for _ in range(20):
        assert not watch.look(temperature_c=99.0)
        assert not watch.look(temperature_c=60.0)


def test_what_is_not_known_neither_raises_nor_ends() -> None:
    """Law 5: a hot charger that falls silent has not cooled down."""
    watch = Watch(HOT)
    for _ in range(7):
        watch.look(temperature_c=90.0)
    assert watch.look(temperature_c=None)
    stale = Picture(0.0, 0.0, chargers={A1: ChargerReading(A1, watch.at - 300.0, temperature_c=20.0)})
    assert watch.look(stale)
    assert not watch.look(temperature_c=20.0)
    young = Watch(HOT)
    young.look(temperature_c=90.0)
    young.look(temperature_c=None, seconds=30.0)
    assert not young.look(temperature_c=90.0, seconds=30.0)


@pytest.mark.parametrize(
    ("volts", "code"),
    [
        ((251.0, 230.0, 230.0), AlarmCode.VOLTAGE_HIGH),
        ((230.0, 230.0, 199.0), AlarmCode.VOLTAGE_LOW),
        ((250.0, 200.0, 230.0), None),
        ((0.0, 0.0, 0.0), None),
        ((230.0, 0.0, 0.0), None),
        ((230.0, 20.0, 230.0), None),
        ((230.0, 20.1, 230.0), AlarmCode.VOLTAGE_LOW),
    ],
)
def test_the_band_of_voltages_counts_for_each_phase_that_is_lit(
    volts: tuple[float, float, float], code: AlarmCode | None
) -> None:
    """S-97: a charger that measures behind its open contactor shows no voltage, which is no fault of the mains."""
    found = Watch(BAND).look(voltage_v=volts)
    assert set(found) == (set() if code is None else {Alarm(code, "A01-1")})


def test_a_meter_of_three_phases_that_lost_one_is_too_low() -> None:
    """S-97, fault 34; one of a single phase is not."""
    rule = AlarmRule("m", Watched.METER, Figure.VOLTAGE_V, Severity.MEDIUM, below=200.0, above=250.0)
    watch = Watch(rule)
    meter = watch.site.meters[0].id

    def shows(volts: tuple[float, float, float]) -> Picture:
        return Picture(0.0, 0.0, meters={meter: MeterReading(meter, watch.at + 1.0, voltage_v=volts)})

    assert set(watch.look(shows((231.0, 3.0, 230.0)))) == {Alarm(AlarmCode.VOLTAGE_LOW, meter)}
    assert not watch.look(shows((231.0, 0.0, 0.0)))


def test_a_charger_is_offline_after_five_minutes_of_silence() -> None:
    """S-98: counted from its last good answer, or from the start where it never gave one."""
    watch = Watch(OFFLINE)
    silent = Picture(0.0, 1000.0, chargers={A1: ChargerReading(A1, 1000.0)})
    assert not watch.look(silent, seconds=300.0)
    assert Alarm(AlarmCode.CHARGER_OFFLINE, "A01-1") in watch.look(silent, seconds=1.0)
    never = watch.look(Picture(0.0, 1000.0), seconds=1.0)
    assert len(never) == len(watch.site.connectors)
    assert Alarm(AlarmCode.CHARGER_OFFLINE, "A01-1") not in watch.look(seconds=1.0)


def test_a_meter_s_silence_counts_from_its_last_good_answer() -> None:
    """S-98: not from the start of the program."""
    watch = Watch(replace(OFFLINE, on=Watched.METER))
    meter = watch.site.meters[0].id
    heard = Picture(0.0, 0.0, meters={m.id: MeterReading(m.id, 1300.0) for m in watch.site.meters})
    assert not watch.look(heard, seconds=600.0)
    assert Alarm(AlarmCode.METER_OFFLINE, meter) in watch.look(heard, seconds=1.0)


def test_half_of_the_chargers_gone_at_once_is_a_mass() -> None:
    """S-27: with at least three of them, for fifteen seconds."""
    watch = Watch(MASS_RULE)
    names = [c.id for c in watch.site.connectors]

    def gone(count: int) -> Picture:
        return Picture(0.0, 0.0, misses={name: 5 if i < count else 0 for i, name in enumerate(names)})

    for _ in range(20):
        assert not watch.look(gone(5))
    for _ in range(8):
        assert not watch.look(gone(6))
    assert set(watch.look(gone(6))) == {MASS}
    assert not watch.look(gone(3))
    three = Watch(MASS_RULE)
    least = Picture(0.0, 0.0, misses=dict.fromkeys(names[:3], 9))
    assert [set(three.look(least)) for _ in range(9)][-1] == {MASS}
    few = Watch(MASS_RULE)
    two = Picture(0.0, 0.0, misses={names[0]: 9, names[1]: 9})
    for _ in range(30):
        assert not few.look(two)


def test_the_narrower_rule_counts_in_place_of_the_wider_one() -> None:
    """S-97: each type of device has its own bounds; the installer goes before what is shipped."""
    site = small_site()
    profile = site.chargers[0].profile
    rules = (
        HOT,
        replace(HOT, id="ac", supply=Supply.AC, above=78.0),
        replace(HOT, id="type", profile=profile, above=70.0),
        replace(HOT, id="box", device="A01", above=60.0),
        replace(HOT, id="own", profile=profile, above=65.0, own=True),
        replace(HOT, id="dc", supply=Supply.DC, above=90.0),
    )
    found = {target.subject: target.rule.id for target in targets(site, rules)}
    assert found["A01-1"] == "box"
    assert {rule for subject, rule in found.items() if subject != "A01-1"} == {"own"}


def test_two_rules_for_one_figure_speak_by_the_worse() -> None:
    """S-97: warm is low, hot is high; the alarm is one."""
    warm = replace(HOT, id="warm", above=60.0, severity=Severity.LOW, after_s=0.0)
    watch = Watch(warm, replace(HOT, after_s=0.0))
    assert watch.look(temperature_c=70.0)[TOO_HOT].rule == "warm"
    assert watch.look(temperature_c=85.0)[TOO_HOT].rule == "hot"
    assert watch.look(temperature_c=76.0)[TOO_HOT].rule == "hot"
    assert watch.look(temperature_c=70.0)[TOO_HOT].rule == "warm"


def test_a_figure_must_be_good_for_as_long_as_the_rule_says() -> None:
    """S-59: clear_after_s."""
    slow = AlarmRule("slow", Watched.STATION, Figure.TURN_MS, Severity.MEDIUM, above=500.0, clear_after_s=6.0)
    watch = Watch(slow)

    def takes(turn_ms: float | None) -> Picture:
        return Picture(0.0, 0.0, figures={(Watched.STATION, Figure.TURN_MS): turn_ms})

    assert watch.look(takes(501.0))
    assert watch.look(takes(10.0))
    assert watch.look(takes(10.0))
    assert watch.look(takes(600.0))
    for _ in range(3):
        assert watch.look(takes(10.0))
    assert not watch.look(takes(10.0))


def test_a_quarter_with_little_energy_proves_no_drift() -> None:
    """S-30."""
    rule = AlarmRule("drift", Watched.FEEDER, Figure.DRIFT_PERCENT, Severity.MEDIUM, above=5.0, least=500.0)
    watch = Watch(rule)
    metered = FeederId(next(f.id for f in watch.site.feeders if f.meter is not None))
    assert not watch.look(Picture(0.0, 0.0, drifts={metered: (40.0, 499.0)}))
    assert set(watch.look(Picture(0.0, 0.0, drifts={metered: (5.1, 500.0)}))) == {
        Alarm(AlarmCode.ENERGY_DRIFT, metered)
    }


def test_the_uplink_is_watched_only_where_there_is_a_platform() -> None:
    """Contract 2: a station may work alone."""
    rule = AlarmRule("up", Watched.UPLINK, Figure.SILENT_S, Severity.MEDIUM, above=120.0)
    site = small_site()
    assert targets(site, (rule,)) == ()
    assert len(targets(replace(site, cloud=True), (rule,))) == 1
    assert MeterId("grid-meter") in {meter.id for meter in site.meters}
