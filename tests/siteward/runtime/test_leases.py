"""Leases: when the turn is dead each charger hears min(last limit, fail-safe) once, then nothing (R7)."""

from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant
from siteward.model.wire import WriteKind
from siteward.runtime.leases import LeaseWatch
from siteward_drivers.sim.virtual import run_virtual
from tests.fixtures.sites import two_connector_site


def _grant(connector: str, limit_a: float) -> Grant:
    return Grant(ConnectorId(connector), limit_a, limit_a, limit_a, limit_a, True, True, ())


def test_r7_a_dead_turn_costs_one_farewell_each_and_never_raises():
    async def story(clock):
        farewells = []
        watch = LeaseWatch(two_connector_site(), clock, farewells.append)
        grants = {ConnectorId("A1"): _grant("A1", 16.0), ConnectorId("A2"): _grant("A2", 0.0)}
        watch.renew(grants.keys(), grants, turn=7, at=clock.now())
        await clock.sleep(4.9)
        watch.look()
        assert farewells == []
        await clock.sleep(0.2)
        watch.look()
        watch.look()
        assert [(w.connector, w.kind, w.value_a) for w in farewells] == [
            ("A1", WriteKind.LIMIT, 6.0),
            ("A2", WriteKind.LIMIT, 0.0),
        ]

    run_virtual(story)


def test_r7_a_living_turn_never_says_farewell():
    async def story(clock):
        farewells = []
        watch = LeaseWatch(two_connector_site(), clock, farewells.append)
        grants = {ConnectorId("A1"): _grant("A1", 16.0)}
        for turn in range(20):
            watch.renew(grants.keys(), grants, turn, at=clock.now())
            await clock.sleep(1.0)
            watch.look()
        assert farewells == []

    run_virtual(story)
