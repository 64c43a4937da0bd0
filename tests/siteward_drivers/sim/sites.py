"""Sites built in code for the tests of the simulator."""

from siteward.model.facts import (
    BootFacts,
    ChargerFacts,
    FailsafeFacts,
    LimitFacts,
    MeterFacts,
    OnExpiry,
    Readback,
    ResetBy,
)
from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import PerPhase, Phase

HEIDELBERG = "heidelberg_energy_control"
CHARX = "phoenix_charx_sec"
SDM630 = "eastron_sdm630"
ROTATIONS = (
    (Phase.L1, Phase.L2, Phase.L3),
    (Phase.L2, Phase.L3, Phase.L1),
    (Phase.L3, Phase.L1, Phase.L2),
)


def charger_facts(profile: str = HEIDELBERG, rated_a: float = 16.0, step_a: float = 0.1) -> ChargerFacts:
    """Facts as the profile would give them, as far as the simulator looks at them."""
    return ChargerFacts(
        profile=profile,
        rated_a=rated_a,
        limit=LimitFacts(6.0, rated_a, step_a, Readback.ECHO, 1.0, 5.0),
        failsafe=FailsafeFacts(15.0, 0.0, ResetBy.ANY_REQUEST, OnExpiry.FAILSAFE, writable=True, persists=False),
        boot=BootFacts(None, 15.0, watchdog_at_start=True),
        measures_current=True,
        measure_lag_s=1.0,
        pwm_s=1.0,
        bills_energy=False,
        common_mode=False,
    )


METER_FACTS = MeterFacts(SDM630, 0.5, 0.5, 100.0, bills_energy=True)


def connector(
    name: str, charger: str, feeder: str, profile: str = HEIDELBERG, channel: int = 1, rotation: int = 0
) -> Connector:
    """One connector of 16 A (CHARX: 32 A) with a fail-safe of 6 A."""
    rated_a = 16.0 if profile == HEIDELBERG else 32.0
    return Connector(
        id=ConnectorId(name),
        charger=ChargerId(charger),
        feeder=FeederId(feeder),
        type="type2",
        channel=channel,
        wiring=ROTATIONS[rotation % 3],
        max_a=rated_a,
        hardware_max_a=rated_a,
        failsafe_a=6.0,
        priority=Priority.NORMAL,
        meter=None,
        facts=charger_facts(profile, rated_a, 0.1 if profile == HEIDELBERG else 1.0),
    )


def feeder(name: str, parent: str | None, rating_a: float, worst_a: float, meter: str | None = None) -> Feeder:
    """A symmetrical node of the fuse tree."""
    rating: PerPhase = (rating_a, rating_a, rating_a)
    worst: PerPhase = (worst_a, worst_a, worst_a)
    above = None if parent is None else FeederId(parent)
    return Feeder(FeederId(name), name, above, rating, None if meter is None else MeterId(meter), worst)


def one_row(count: int = 2, rating_a: float = 40.0, worst_a: float = 10.0) -> Site:
    """A grid fuse with one serial line, a grid meter (unit 100) and Heidelberg boxes from unit 1 on."""
    line = LineId("rs485-1")
    chargers = tuple(
        Charger(ChargerId(f"ch{n}"), line, n, HEIDELBERG, (connector(f"cp{n}", f"ch{n}", "grid", rotation=n - 1),))
        for n in range(1, count + 1)
    )
    return _site(
        lines=(Line(line, "rs485-1", 19200),),
        meters=(Meter(MeterId("grid-meter"), line, 100, SDM630, METER_FACTS),),
        feeders=(feeder("grid", None, rating_a, worst_a, "grid-meter"),),
        chargers=chargers,
    )


def demo_site(ports: str = "run") -> Site:
    """Twelve connectors on two serial lines and one TCP group, three levels of fuses, two rows."""
    one, two, tcp = LineId("rs485-1"), LineId("rs485-2"), LineId("charx")
    chargers = [
        Charger(ChargerId(f"a{n}"), one, n, HEIDELBERG, (connector(f"a{n}", f"a{n}", "row-a", rotation=n - 1),))
        for n in range(1, 5)
    ]
    chargers += [
        Charger(ChargerId(f"b{n}"), two, n, HEIDELBERG, (connector(f"b{n}", f"b{n}", "row-b", rotation=n - 1),))
        for n in range(1, 5)
    ]
    group = tuple(connector(f"c{n}", "charx", "row-c", CHARX, n, n - 1) for n in range(1, 5))
    chargers.append(Charger(ChargerId("charx"), tcp, 1, CHARX, group))
    return _site(
        lines=(
            Line(one, f"{ports}/rs485-1", 19200),
            Line(two, f"{ports}/rs485-2", 9600),
            Line(tcp, "tcp://127.0.0.1:0"),
        ),
        meters=(
            Meter(MeterId("grid-meter"), one, 100, SDM630, METER_FACTS),
            Meter(MeterId("row-a-meter"), one, 101, SDM630, METER_FACTS),
            Meter(MeterId("row-b-meter"), two, 101, SDM630, METER_FACTS),
        ),
        feeders=(
            feeder("grid", None, 125.0, 40.0, "grid-meter"),
            feeder("garage", "grid", 100.0, 20.0),
            feeder("row-a", "garage", 50.0, 5.0, "row-a-meter"),
            feeder("row-b", "garage", 50.0, 5.0, "row-b-meter"),
            feeder("row-c", "grid", 80.0, 0.0),
        ),
        chargers=tuple(chargers),
    )


def _site(
    lines: tuple[Line, ...], meters: tuple[Meter, ...], feeders: tuple[Feeder, ...], chargers: tuple[Charger, ...]
) -> Site:
    return Site(SiteId("sim"), "Simulated", "Europe/Berlin", 230.0, lines, meters, feeders, chargers)
