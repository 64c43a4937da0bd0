"""B17: judging one card at one moment, at the edges where one Wh or one policy decides."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siteward.control.authorise import Moment, authorise, offline_rest_wh
from siteward.control.book import Book
from siteward.model.auth import Authorisation, AuthorisedBy, AuthRules, OfflinePolicy
from siteward.model.ids import ConnectorId, SessionId
from siteward.model.refusals import Refusal
from siteward.model.sessions import OrderState, SessionRecord, StopReason
from tests.fixtures.story_rig import story_site

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SEEN = Book(seen={"CA4D": NOW})


@pytest.mark.parametrize(
    ("platform", "online", "let_in"),
    [(True, True, True), (True, False, False), (False, False, True), (False, True, True)],
)
def test_deny_refuses_only_where_there_is_a_platform_that_cannot_be_reached(
    platform: bool, online: bool, let_in: bool
) -> None:
    """B17: a station that has no platform is never offline; the list of a station that reaches its own holds."""
    rules = AuthRules(platform=platform, offline=OfflinePolicy.DENY)
    site = replace(story_site(), auth=rules)
    found = authorise(site, SEEN, "CA4D", ("A1",), Moment(NOW, True, online))
    assert found is (Refusal.CARD_UNKNOWN if let_in else Refusal.OFFLINE_DENIED)


@pytest.mark.parametrize(("platform", "told"), [(True, True), (False, None)])
def test_a_record_says_whether_the_platform_was_there_where_there_is_one(platform: bool, told: bool | None) -> None:
    """B17: on every record."""
    site = replace(story_site(), auth=AuthRules(platform=platform, offline=OfflinePolicy.SEEN))
    found = authorise(site, SEEN, "CA4D", ("A1",), Moment(NOW, True, True))
    assert found == Authorisation(AuthorisedBy.SEEN, "CA4D", 0, None, told)


def session(number: int, energy_wh: int) -> SessionRecord:
    """A session of the card that the platform has not acknowledged."""
    row = SessionRecord(SessionId(f"s{number}"), ConnectorId("A1"), OrderState.FINISHED, NOW, "card")
    row = replace(row, start_register_wh=500, last_register_wh=500 + energy_wh)
    return replace(row, authorised=Authorisation(AuthorisedBy.LIST, "CA4D", 1, 0, False))


@pytest.mark.parametrize(
    ("energies_wh", "rest_wh"),
    [((), 1000), ((999,), 1), ((1000,), None), ((1001,), None), ((1, 1), 998), ((1, 1, 1), None)],
)
def test_a_card_begins_nothing_for_which_not_one_wh_is_left(energies_wh: tuple[int, ...], rest_wh: int | None) -> None:
    """B17: so many sessions and so much energy until the platform has acknowledged one."""
    rules = AuthRules(platform=True, offline_energy_wh=1000, offline_sessions=3)
    sessions = [session(number, energy_wh) for number, energy_wh in enumerate(energies_wh)]
    assert offline_rest_wh(rules, "CA4D", sessions) == rest_wh


@pytest.mark.parametrize(
    ("state", "bound_wh", "ended", "rest_wh"),
    [
        (OrderState.FINISHED, 900, True, 990),
        (OrderState.CHARGING, 900, False, 100),
        (OrderState.CHARGING, 900, True, 990),
        (OrderState.CREATED, 1000, False, None),
        (OrderState.CHARGING, 5, False, 990),
        (OrderState.CHARGING, None, False, 990),
    ],
)
def test_a_session_that_runs_counts_with_what_it_may_still_take(
    state: OrderState, bound_wh: int | None, ended: bool, rest_wh: int | None
) -> None:
    """B17: what an empty account can cost is bounded, also by a card that is held to two connectors at once."""
    rules = AuthRules(platform=True, offline_energy_wh=1000, offline_sessions=3)
    reason = StopReason.USER if ended else None
    running = replace(session(1, 10), state=state, max_energy_wh=bound_wh, stop_reason=reason)
    assert offline_rest_wh(rules, "CA4D", [running]) == rest_wh
