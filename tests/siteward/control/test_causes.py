"""Why this current: the installer's limit is named where it binds, the fuse where the fuse does (B15, S-20)."""

from dataclasses import replace

import pytest

from siteward.model.ids import ConnectorId, FeederId
from siteward.model.limits import Cause, CauseStep, Limit, LimitSource
from siteward.model.site import StaticLimit
from tests.siteward.control.hand import Hand
from tests.siteward.control.sites import Box, feeder, site

GRID = FeederId("grid")


def outer(limits: tuple[StaticLimit, ...], more: tuple[Limit, ...] = ()) -> CauseStep:
    """The fuse or limit that bounds a connector of two on a 40 A fuse, once all is settled."""
    built = replace(site([feeder("grid", 40.0)], [Box(), Box()]), limits=limits)
    hand = Hand(built)
    hand.limits = more
    chain = hand.obey(40).grants[ConnectorId("c00")].chain
    return next(step for step in reversed(chain) if step.cause in (Cause.FUSE, Cause.LIMIT))


@pytest.mark.parametrize(
    ("limits", "step"),
    [
        ((), CauseStep(Cause.FUSE, 40.0, GRID)),
        ((StaticLimit("contract", GRID, (40.0, 40.0, 40.0)),), CauseStep(Cause.FUSE, 40.0, GRID)),
        ((StaticLimit("contract", GRID, (30.0, 30.0, 30.0)),), CauseStep(Cause.LIMIT, 30.0, GRID, "contract")),
        (
            (StaticLimit("a", GRID, (30.0, 30.0, 30.0)), StaticLimit("b", GRID, (20.0, 20.0, 20.0))),
            CauseStep(Cause.LIMIT, 20.0, GRID, "b"),
        ),
    ],
)
def test_the_lowest_of_fuse_and_static_limits_is_named(limits: tuple[StaticLimit, ...], step: CauseStep) -> None:
    """It bound all along, but was shown as the fuse."""
    assert outer(limits) == step


def test_a_lower_limit_of_today_is_named_before_the_installers() -> None:
    """Effective = minimum."""
    contract = StaticLimit("contract", GRID, (30.0, 30.0, 30.0))
    cloud = Limit("cloud-1", LimitSource.CLOUD, (25.0, 25.0, 25.0), feeder=GRID)
    assert outer((contract,), (cloud,)) == CauseStep(Cause.LIMIT, 25.0, GRID, "cloud-1")
