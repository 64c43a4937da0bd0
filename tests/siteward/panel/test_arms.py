"""The access page: what a barrier or a lock shows, who may move it, and what is asked before it moves toward people."""

from html import unescape
from re import findall, search

import pytest

from siteward.control.barrier import BarrierState
from siteward.control.lock import LockState
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName
from siteward.panel import arms, vocabulary
from siteward.panel.desk import MENU
from siteward.panel.fragments import Audience, changes, rendered
from siteward.panel.live import Frame
from siteward.panel.render import HERE, Pages
from siteward.panel.words import WORDS
from tests.fixtures.depot import Depot, arm, scene
from tests.siteward.panel.conftest import Panel

STATES = {*BarrierState, *LockState}


def test_every_state_of_both_tables_has_words_and_a_picture() -> None:
    """Ruling 30: closed vocabularies, in both languages; no state is told by colour alone."""
    assert set(vocabulary.ARM_STATES) == set(arms.MARKS) == STATES
    assert set(vocabulary.ARM_VERBS) == set(arms.VERBS)
    icons = (HERE / "templates" / "icons.html").read_text(encoding="utf-8")
    assert all(f'id="i-{mark}"' in icons for mark in arms.MARKS.values())


@pytest.mark.parametrize(
    ("state", "more", "enabled"),
    [
        ("open", {}, {"close"}),
        ("open", {"blocked": "LOOP_NOT_FREE"}, set()),
        ("closed", {}, {"open"}),
        ("closing", {}, {"open"}),
        ("opening", {"blocked": "ARM_MOVING"}, set()),
        ("stopped", {}, {"open", "close"}),
        ("stopped", {"blocked": "SENSOR_UNKNOWN"}, {"open"}),
        ("failed", {"blocked": "ARM_FAULTED"}, {"open"}),
        ("unknown", {"blocked": "SENSOR_UNKNOWN"}, {"open"}),
    ],
)
def test_a_barrier_offers_what_makes_sense(state: str, more: dict[str, str], enabled: set[str]) -> None:
    """I11: freeing the way is offered in every state but those that free it; closing only when nothing blocks it."""
    offered = arms.buttons(arm("gate", state, **more))
    assert [b.verb for b in offered] == ["open", "close"]
    assert {b.verb for b in offered if b.enabled} == enabled
    assert [b.sure for b in offered] == [False, True]


def test_a_lock_that_waits_to_rise_can_be_called_off() -> None:
    """I12: the one retry comes by itself; a person can take it back although the lock is down."""
    offered = arms.buttons(arm("bay-1", "down", blocked="BAY_NOT_FREE", waits=True))
    assert [(b.verb, b.enabled) for b in offered] == [("lower", True), ("raise", False)]


def test_colours_tell_rest_from_movement_and_trouble() -> None:
    """Trouble and emergencies need a person; what moves or is not known is no rest."""
    assert [arms.level(arm("gate", state)) for state in ("open", "closed", "closing", "unknown", "failed")] == [
        "good",
        "good",
        "near",
        "near",
        "bad",
    ]
    assert arms.level(arm("gate", "open", emergency=True)) == "bad"


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_each_card_says_state_sensor_and_what_blocks_it(panel: Panel, language: str) -> None:
    """Contract 5, access page: state, what stands in the way, and the reason from the model's own catalogue."""
    await panel.login()
    await panel.client.get(f"/language/{language}")
    page = unescape((await panel.client.get("/access")).text)
    assert f">{_said(WORDS['access'], language)}<" in page
    cards = {name: _card(page, name) for name in ("gate-north", "gate-south", "gate-east", "bay-1", "bay-3", "bay-4")}
    assert _said(REFUSALS[Refusal.LOOP_NOT_FREE], language) in cards["gate-north"]
    assert _said(WORDS["taken_barrier"], language) in cards["gate-north"]
    assert _said(vocabulary.ARM_STATES["closing"], language) in cards["gate-south"]
    assert _said(WORDS["blocks_barrier"], language) not in cards["gate-south"]
    assert _said(WORDS["arm_emergency"], language) in cards["gate-east"]
    assert _said(WORDS["way_unknown"], language) in cards["gate-east"]
    assert 'href="/connectors/A04-1"' in cards["bay-1"]
    assert _said(WORDS["arm_waits_text"], language) in cards["bay-3"]
    assert _said(REFUSALS[Refusal.ARM_TIMEOUT], language) in cards["bay-4"]


async def test_only_what_moves_toward_people_is_asked_about(panel: Panel) -> None:
    """A close or a rise asks first, in words that say what to look at; opening and lowering lose no second."""
    await panel.login()
    page = unescape((await panel.client.get("/access")).text)
    forms = findall(r'<form method="post" action="/access/([^"]+)"([^>]*)>', page)
    assert len(forms) == 2 * len(scene(0).arms)
    for action, rest in forms:
        assert ("hx-confirm" in rest) == action.endswith(("/close", "/raise")), action
    assert "make sure that nobody stands or walks below it" in page
    assert "make sure that nobody stands on it" in page


@pytest.mark.parametrize(
    ("path", "name", "target"),
    [
        ("/access/gate-south/open", CommandName.OPEN_BARRIER, "gate-south"),
        ("/access/gate-south/close", CommandName.CLOSE_BARRIER, "gate-south"),
        ("/access/bay-1/raise", CommandName.RAISE_LOCK, "bay-1"),
        ("/access/bay-2/lower", CommandName.LOWER_LOCK, "bay-2"),
    ],
)
async def test_a_button_reaches_core_with_the_person_behind_it(
    panel: Panel, path: str, name: CommandName, target: str
) -> None:
    """S-73, flows.md: the panel asks like everybody; core judges, and the journal names the person (I16)."""
    await panel.login()
    answer = await panel.press(path)
    assert answer.status_code == 200
    assert 'data-stage="received"' in answer.text
    asked = panel.core.requests[-1]
    assert (asked.name, asked.target, asked.params) == (name.value, target, None)
    assert asked.actor is not None
    assert (asked.actor.user, asked.actor.role) == ("tina", "technician")


async def test_who_may_not_act_sees_no_button_and_is_refused(panel: Panel) -> None:
    """IEC 62443-4-2 CR 2.1, fault 73: viewers, requests without token, and odd verbs or names move nothing."""
    await panel.login("vera")
    page = (await panel.client.get("/access")).text
    assert 'action="/access/' not in page
    assert WORDS["need_technician_access"].en in page
    refused = await panel.press("/access/gate-south/close")
    assert (refused.status_code, WORDS["need_technician_access"].en in refused.text) == (403, True)
    await panel.login("tina")
    assert (await panel.client.post("/access/gate-south/close")).status_code == 403
    assert (await panel.press("/access/gate-south/explode")).status_code == 404
    assert (await panel.press("/access/a%20b/close")).status_code == 404
    assert panel.core.requests == []


def test_an_arm_that_moves_sends_its_own_parts_and_nothing_else() -> None:
    """Live pages: only what changed travels, buttons with it: what closes can be opened, what is open closed."""
    pages, audience = Pages(), Audience("access", "en", may_act=True)
    before = scene(1)
    south = before.arms[1].model_copy(update={"state": "open"})
    after = before.model_copy(update={"arms": (before.arms[0], south, *before.arms[2:])})
    shown = [rendered(pages, Frame(n, view, False, 0.0), audience) for n, view in enumerate((before, after))]
    assert [name for name, _ in changes(*shown)] == ["arm-gate-south", "move-gate-south"]
    assert [html["move-gate-south"].count("disabled") for html in shown] == [1, 1]
    assert "Closing" in shown[0]["arm-gate-south"]


async def test_a_site_without_arms_has_no_access_in_its_menu(panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is sent to an empty page; who types its address is told."""
    await panel.login()
    assert 'href="/access"' in (await panel.client.get("/")).text
    bare = Depot().live().model_copy(update={"arms": ()})
    await panel.desk.hub._publish(bare, False)
    assert ("access", "/access") in MENU
    assert 'href="/access"' not in (await panel.client.get("/")).text
    assert WORDS["access_none"].en in (await panel.client.get("/access")).text


def _said(sentence: object, language: str) -> str:
    return str(getattr(sentence, language))


def _card(page: str, name: str) -> str:
    found = search(rf'<article class="card" id="arm-{name}".*?</article>', page, flags=16)
    assert found is not None, name
    return found.group(0)
