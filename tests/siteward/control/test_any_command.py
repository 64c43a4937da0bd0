"""Whatever a request holds, in whatever state it comes: the turn goes on, one answer, and a refusal changes nothing."""

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from siteward.control.compose import ask
from siteward.model.events import ClockQuality
from siteward.model.ids import CommandId
from siteward.model.refusals import Refusal
from siteward.model.requests import Actor, CommandName, Request, Role, Source, Stage
from siteward.store.canonical import event
from tests.fixtures.anything import TEXTS, bent
from tests.fixtures.commands import GOOD, TARGETS
from tests.fixtures.story_rig import Rig

STATES = (
    "idle",
    "charging",
    "reserved",
    "next",
    "out of service",
    "fault",
    "offline",
    "no clock",
    "no disk",
    "stopping",
)
ACTORS = (None, None, Actor("ann", Role.INSTALLER), Actor("ann", Role.VIEWER), Actor("\0" * 64, Role.TECHNICIAN))
DEADLINES = (None, None, None, None, 0.0, 107.0, float("inf"), float("-inf"))
_VERBS = tuple((name, params) for name, good in GOOD.items() for params in good)
_OTHERS = tuple((name, {}) for name in CommandName if name not in GOOD)


def rig_in(state: str) -> Rig:
    """A station in which that has just happened at A1."""
    rig = Rig()
    if state in ("charging", "next", "stopping"):
        rig.charging("A1", order="O-1")
    if state in ("reserved", "next"):
        rig.turn(rig.request("RESERVE", "r", target="A1", reservationId="R", next=state == "next"))
    if state == "stopping":
        rig.turn(rig.stop("s", orderId="O-1"))
    if state == "out of service":
        rig.turn(rig.request("SET_AVAILABILITY", "o", target="A1", operative=False))
    rig["A1"].fault, rig["A1"].silent = ("E1" if state == "fault" else None), state == "offline"
    rig.clock = ClockQuality.UNSYNCED if state == "no clock" else ClockQuality.NTP
    rig.commit_age_s = 9.0 if state == "no disk" else 0.0
    rig.turns(3)
    return rig


@st.composite
def asked(draw: st.DrawFn) -> dict[str, Any]:
    """What somebody asks for, up to two values of it wrong."""
    name, params = draw(st.sampled_from(_VERBS + _OTHERS))
    return {
        "name": name,
        "params": draw(bent(params)),
        "source": draw(st.sampled_from(Source)),
        "target": draw(st.sampled_from((*TARGETS, *TEXTS))),
        "order": draw(st.sampled_from((None, "O-1", "O-2", *TEXTS))),
        "actor": draw(st.sampled_from(ACTORS)),
        "deadline": draw(st.sampled_from(DEADLINES)),
        "issued_at": draw(st.none() | st.datetimes(timezones=st.just(UTC))),
    }


def _refused_without_effect(rig: Rig, request: Request) -> None:
    """A refusal is an answer and perhaps a word for the journal: nothing else differs from a turn without it."""
    with_it = ask(rig.site, rig.snapshot((request,)), rig.memory).draft
    mine = [reply for reply in with_it.replies if reply.command == request.id]
    if [reply.stage for reply in mine] not in ([Stage.REJECTED], [Stage.EXPIRED]):
        return
    without = ask(rig.site, rig.snapshot(), rig.memory).draft
    for part in ("posts", "pending", "limits", "prices", "alarms", "ended", "rows", "unlocks"):
        assert getattr(with_it, part) == getattr(without, part), (part, request)
    if request.name is not CommandName.SET_AUTH_LIST:
        # A part that does not fit the others takes the list on its way with it, and says so (B17).
        assert (with_it.book, with_it.kept) == (without.book, without.kept), request
    assert mine[0].code in set(Refusal)
    assert len(mine[0].message or "") < 1000


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@given(st.sampled_from(STATES), st.lists(asked(), min_size=15, max_size=30))
@settings(max_examples=30, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_any_command_has_one_answer_and_ends_no_turn(state: str, asks: list[dict[str, Any]]) -> None:
    """Law 2, I10, S-99: one word of anybody never ends the turn, which is what protects the fuses."""
    rig = rig_in(state)
    for number, fields in enumerate(asks):
        request = Request(CommandId(f"f-{number}"), received_at=rig.at, received_wall=rig.wall, **fields)
        rig_at = replace(request, received_at=rig.at)
        _refused_without_effect(rig, rig_at)
        rig.turn(rig_at)
        stages = rig.log.stages(request.id)
        assert len(stages) in (1, 2), (request, stages)
        assert sum(Stage(stage.split()[0]).final for stage in stages) <= 1, (request, stages)
    rig.crash()
    rig.turns(2)
    finals = [reply.command for _, reply in rig.log.replies if reply.stage.final]
    assert len(set(finals)) == len(finals)
    for _, fact in rig.log.facts:
        event(1, fact, rig.clock, rig.wall, "0" * 64)
