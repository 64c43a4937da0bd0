"""Start and stop: who may, what reaches core, and what the person reads about it."""

from datetime import UTC, datetime
from html import unescape

import pytest

from siteward.client.errors import Refused
from siteward.client.messages import ReplyMessage, RequestMessage
from siteward.model.ids import is_id
from siteward.model.refusals import REFUSALS, Refusal
from siteward.panel.text import leaving
from tests.fixtures.depot import scene
from tests.siteward.panel.conftest import Panel


async def test_a_start_reaches_core_with_the_person_behind_it(panel: Panel) -> None:
    """flows.md: the panel adds the actor; the command id is unique and of the promised form."""
    await panel.login()
    answer = await panel.press("/connectors/A04-1/start")
    assert answer.status_code == 200
    asked = panel.core.requests[-1]
    assert (asked.name, asked.target, asked.params) == ("START_CHARGE", "A04-1", None)
    assert asked.actor is not None
    assert asked.actor.model_dump() == {"user": "tina", "role": "technician", "address": "192.0.2.7"}
    assert is_id(asked.command_id)
    await panel.press("/connectors/A04-1/start")
    assert panel.core.requests[-1].command_id != asked.command_id


async def test_a_stop_names_the_session_that_was_seen(panel: Panel) -> None:
    """Contract 4: a STOP matches only the session it names."""
    await panel.login()
    page = (await panel.client.get("/connectors/A01-1")).text
    session = next(c.session for c in panel.core.live().connectors if c.id == "A01-1")
    assert session is not None
    assert f'name="session" value="{session.id}"' in page
    await panel.press("/connectors/A01-1/stop", session=session.id)
    assert panel.core.requests[-1].params == {"sessionId": session.id}


async def test_the_reply_is_followed_until_it_is_final(panel: Panel) -> None:
    """received, accepted, done; only the last one stops asking."""
    await panel.login()
    first = await panel.press("/connectors/A04-1/start")
    command = panel.core.requests[-1].command_id
    follow = f'hx-get="/requests/{command}"'
    assert follow in first.text
    assert 'data-stage="received"' in first.text
    second = await panel.client.get(f"/requests/{command}")
    assert 'data-stage="accepted"' in second.text
    assert follow in second.text
    third = await panel.client.get(f"/requests/{command}")
    assert "Done. (waiting for current)" in third.text
    assert follow not in third.text


async def test_nobody_sees_the_requests_of_others(panel: Panel) -> None:
    """A command id of another session is not found."""
    await panel.login()
    await panel.press("/connectors/A04-1/start")
    command = panel.core.requests[-1].command_id
    await panel.login("ines")
    assert (await panel.client.get(f"/requests/{command}")).status_code == 404


@pytest.mark.parametrize(("user", "status"), [("vera", 403), ("tina", 200), ("ines", 200)])
async def test_viewers_may_not_act(panel: Panel, user: str, status: int) -> None:
    """IEC 62443-4-2 CR 2.1: start and stop need technician; a viewer has no buttons and is refused."""
    await panel.login(user)
    buttons = "/stop" in (await panel.client.get("/")).text
    assert buttons == (status == 200)
    answer = await panel.press("/connectors/A01-1/stop")
    assert answer.status_code == status
    assert len(panel.core.requests) == (status == 200)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_refusals_are_told_in_the_persons_language(
    panel: Panel, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ruling 30: the sentences come from the model's catalogue."""

    async def no(request: RequestMessage) -> ReplyMessage:
        raise Refused("CONNECTOR_BUSY", "busy", "忙", 409)

    await panel.login()
    monkeypatch.setattr(panel.core, "submit", no)
    await panel.client.get(f"/language/{language}")
    answer = await panel.press("/connectors/A01-1/start")
    sentence = REFUSALS[Refusal.CONNECTOR_BUSY]
    assert (sentence.zh if language == "zh" else sentence.en) in answer.text


async def test_core_down_is_told_and_nothing_is_queued(panel: Panel) -> None:
    """When core is away a button says so; it does not act later."""
    await panel.login()
    panel.core.down = True
    answer = await panel.press("/connectors/A01-1/start")
    assert REFUSALS[Refusal.CORE_DOWN].en in unescape(answer.text)
    panel.core.down = False
    assert panel.core.requests == []


@pytest.mark.parametrize("target", ["a%20b", "x" * 65, "é"])
async def test_odd_names_never_reach_core(panel: Panel, target: str) -> None:
    """ETSI EN 303 645 5.13."""
    await panel.login()
    assert (await panel.press(f"/connectors/{target}/start")).status_code == 404
    assert (await panel.press("/connectors/A01-1/stop", session="a b")).status_code == 404
    assert panel.core.requests == []


async def test_a_start_carries_its_departure(panel: Panel) -> None:
    """B12: time by the site's clocks and energy, both or neither."""
    await panel.login()
    page = (await panel.client.get("/")).text
    assert "Leaves at (UTC)" in page
    await panel.press("/connectors/A04-1/start", departs="07:30", wants_kwh="12.5")
    assert panel.core.requests[-1].params == {"departsAt": "07:30", "wantedEnergy_wh": 12_500}
    await panel.press("/connectors/A04-1/start", departs="", wants_kwh="")
    assert panel.core.requests[-1].params is None


async def test_a_start_carries_the_consent_to_switch_phases(panel: Panel) -> None:
    """B14: only a tick in the form is a consent, with or without a departure."""
    await panel.login()
    assert "between one and three phases" not in (await panel.client.get("/")).text, "no connector here may be switched"
    await panel.press("/connectors/A04-1/start", phase_switching="yes")
    assert panel.core.requests[-1].params == {"phaseSwitching": True}
    await panel.press("/connectors/A04-1/start", phase_switching="yes", departs="07:30", wants_kwh="1")
    assert panel.core.requests[-1].params == {"departsAt": "07:30", "wantedEnergy_wh": 1000, "phaseSwitching": True}
    await panel.press("/connectors/A04-1/start", phase_switching="on please")
    assert panel.core.requests[-1].params is None
    await panel.press("/connectors/A01-1/stop", session="S1", phase_switching="yes")
    assert panel.core.requests[-1].params == {"sessionId": "S1"}


@pytest.mark.parametrize(
    ("departs", "wanted"),
    [("07:30", ""), ("", "20"), ("25:00", "20"), ("07:30", "-1"), ("07:30", "1e9"), ("٠٧:30", "2"), ("07:30", "0")],
)
async def test_no_whole_departure_starts_nothing(panel: Panel, departs: str, wanted: str) -> None:
    """B12: told in the person's language, and core is not asked."""
    await panel.login()
    answer = await panel.press("/connectors/A04-1/start", departs=departs, wants_kwh=wanted)
    assert "departure and the energy wanted together" in unescape(answer.text)
    assert 'data-stage="rejected"' in answer.text
    await panel.client.get("/language/zh")
    assert (
        "离开时间和所需电量" in (await panel.press("/connectors/A04-1/start", departs=departs, wants_kwh=wanted)).text
    )
    assert panel.core.requests == []


@pytest.mark.parametrize(("zone", "time"), [("Asia/Shanghai", "07:30"), ("Nowhere/Land", "23:30")])
def test_a_departure_is_told_by_the_clocks_of_the_site(zone: str, time: str) -> None:
    """B12: when it leaves and how much of its energy it has; a zone that nobody knows is UTC."""
    session = next(c.session for c in scene(0).connectors if c.session is not None)
    leaves = session.model_copy(
        update={"departs_at": datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "wanted_wh": 20_000, "start_register_wh": 0}
    ).model_copy(update={"energy_wh": 12_400})
    assert leaving(leaves, zone, "en") == f"Leaves {time}, 12.4 of 20.0 kWh"
    assert leaving(leaves, zone, "zh") == f"{time} 离开，已充 12.4 / 20.0 kWh"
    assert leaving(session, zone, "en") == ""
