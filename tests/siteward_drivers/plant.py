"""Small sites built in code from the shipped profiles."""

from dataclasses import replace

from siteward.model.ids import ChargerId, ConnectorId, FeederId, LineId, MeterId, SiteId
from siteward.model.site import Charger, Connector, Feeder, Line, Meter, Priority, Site
from siteward.model.units import Phase
from siteward_drivers.catalogue import load_profiles
from siteward_drivers.profile_schema import Kind, Transport

PROFILES = load_profiles()
RTU, TCP = LineId("rs485-1"), LineId("lan-1")


def charger(name: str, line: LineId, unit: int, profile: str, channels: int = 1) -> Charger:
    """A charger whose connectors are named `<name>-<channel>`."""
    facts = PROFILES.charger(profile)
    assert facts is not None
    connectors = tuple(
        Connector(
            id=ConnectorId(f"{name}-{channel}"),
            charger=ChargerId(name),
            feeder=FeederId("grid"),
            type="type2",
            channel=channel,
            wiring=(Phase.L1, Phase.L2, Phase.L3),
            max_a=16.0,
            hardware_max_a=16.0,
            failsafe_a=6.0,
            priority=Priority.NORMAL,
            meter=None,
            facts=facts,
        )
        for channel in range(1, channels + 1)
    )
    return Charger(ChargerId(name), line, unit, profile, connectors)


def plant(*chargers: Charger, baud: int = 19200) -> Site:
    """A grid meter (unit 1) on the serial line, and these chargers."""
    facts = PROFILES.meter("eastron_sdm630")
    assert facts is not None
    grid = Feeder(FeederId("grid"), "Grid", None, (250, 250, 250), MeterId("grid-meter"), (80, 80, 80))
    return Site(
        id=SiteId("SZ-1"),
        name="Test",
        timezone="UTC",
        phase_voltage_v=230,
        lines=(Line(RTU, "/dev/wire", baud), Line(TCP, "tcp://plant:502")),
        meters=(Meter(MeterId("grid-meter"), RTU, 1, "eastron_sdm630", facts),),
        feeders=(grid,),
        chargers=chargers,
    )


def alone(profile: str, framing: Transport) -> Site:
    """A site with one device of this profile on one line."""
    port = "tcp://plant:502" if framing is Transport.TCP else "/dev/wire"
    line = Line(LineId("l1"), port, 19200)
    if PROFILES[profile].kind is Kind.METER:
        facts = PROFILES.meter(profile)
        assert facts is not None
        meters = (Meter(MeterId("m"), line.id, 1, profile, facts),)
        return replace(plant(), lines=(line,), meters=meters, feeders=())
    channels = PROFILES[profile].file.channels.count
    device = replace(charger("c", line.id, 1, profile, min(channels, 2)), id=ChargerId("c"))
    return replace(plant(device), lines=(line,), meters=(), feeders=())
