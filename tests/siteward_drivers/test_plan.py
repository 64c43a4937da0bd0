"""The poll plan: load of each line, refusal above 70 %, worst reaction time (rulings 4 and 5)."""

from dataclasses import replace

import pytest

from siteward_drivers.plan import plan_lines
from siteward_drivers.profile_schema import Language
from siteward_drivers.registry import build_lines
from siteward_drivers.sim.memory_line import sim_links
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.virtual import VirtualClock, run_virtual
from siteward_drivers.wire import char_s, t35_s

from .plant import PROFILES, RTU, TCP, alone, charger, plant
from .rig import OpenGate

HEIDELBERG = "heidelberg_energy_control"


def boxes(count: int) -> list:  # type: ignore[type-arg]
    return [charger(f"A{i:02}", RTU, 10 + i, HEIDELBERG) for i in range(count)]


def test_a_lines_load_is_the_sum_of_its_devices_polls() -> None:
    site = plant(*boxes(2))
    rtu, tcp = plan_lines(site, PROFILES)
    assert (rtu.line, tcp.line) == (RTU, TCP)
    meter = rtu.devices[0]
    line = site.lines[0]
    # Two requests of 8 bytes, answers of 45 and 17 bytes (fault 12: two registers more), 20 ms of thinking and 20 ms
    # of silence each.
    assert meter.wire_s == pytest.approx((8 + 45 + 8 + 17) * char_s(line) + 2 * 0.04)
    assert rtu.load == pytest.approx(sum(d.load for d in rtu.devices))
    assert [d.requests for d in rtu.devices] == [2, 3, 3]
    assert not rtu.too_full
    assert (tcp.load, tcp.worst_reaction_s, tcp.devices) == (0, 0.0, ())


def test_a_line_above_seventy_percent_is_told() -> None:
    plans = {n: plan_lines(plant(*boxes(n)), PROFILES)[0] for n in (1, 4, 8, 16)}
    assert [plans[n].too_full for n in (1, 4, 8, 16)] == [False, False, True, True]
    assert plan_lines(plant(*boxes(4), baud=2400), PROFILES)[0].too_full


def test_the_worst_reaction_grows_with_the_chargers_and_is_told_above_ten_seconds() -> None:
    times = [plan_lines(plant(*boxes(n)), PROFILES)[0].worst_reaction_s for n in (1, 4, 16)]
    assert times == sorted(times)
    assert times[0] > 1.5
    slow = plan_lines(plant(*boxes(40), baud=1200), PROFILES)[0]
    assert slow.too_slow
    assert not plan_lines(plant(*boxes(4)), PROFILES)[0].too_slow


def test_connectors_of_one_device_are_planned_each() -> None:
    site = plant(charger("C", TCP, 1, "phoenix_charx_sec", channels=12))
    tcp = plan_lines(site, PROFILES)[1]
    assert [d.device for d in tcp.devices][:2] == ["C-1", "C-2"]
    assert len(tcp.devices) == 12
    assert tcp.load < 0.7


def test_the_silence_of_a_line_follows_the_specification() -> None:
    line = plant().lines[0]
    assert t35_s(line) == pytest.approx(3.5 * 10 / 19200)
    fast = plant(baud=115200).lines[0]
    assert t35_s(fast) == 0.00175


MODBUS = [
    name
    for name in (*PROFILES.names("meter"), *PROFILES.names("charger"))
    if PROFILES[name].file.protocol is Language.MODBUS
]


@pytest.mark.parametrize("profile", MODBUS)
def test_a_poll_sends_what_is_planned(profile: str) -> None:
    """Ruling 4, fault 12: the read that guards a stream against old answers is on the wire, so it is in the plan."""
    site = alone(profile, PROFILES[profile].file.wire.transports[0])
    site = replace(site, feeders=tuple(replace(feeder, meter=None) for feeder in plant().feeders))

    async def main(clock: VirtualClock) -> None:
        sim = SimSite.from_site(site, PROFILES, clock=clock)
        lines = build_lines(site, PROFILES, clock, OpenGate(), lambda _: None, sim_links(sim))
        await lines.open()
        await clock.sleep(0.05)
        device, *_ = (*lines.meters, *lines.chargers)
        counts = []
        for _ in range(40):
            before = sim.bank("l1").count.requests
            await device.read()
            counts.append(sim.bank("l1").count.requests - before)
            await clock.sleep(0.2)
        await lines.close()
        planned, *_ = plan_lines(site, PROFILES)[0].devices
        # A slow block or a life bit comes along now and then; never less than the plan, and mostly the plan.
        assert min(counts[-20:]) == planned.requests
        assert counts[-20:].count(planned.requests) >= 5

    run_virtual(main)
