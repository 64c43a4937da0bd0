"""Golden stories: each file is one story as data, with everything that it must journal and answer (I10, S-14)."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from siteward.model.events import ClockQuality
from siteward.model.ids import SessionId
from siteward.model.requests import Request
from tests.fixtures.story_rig import Rig

STORIES = sorted((Path(__file__).parents[2] / "golden" / "story").glob("*.toml"))
_SHOWN = {
    "session.suspended": ("suspendedBy",),
    "session.resumed": ("reason",),
    "session.finished": ("stopReason", "stopDetail", "energy_wh", "duration_s", "estimated", "gap"),
    "session.failed": ("stopReason", "stopDetail"),
    "session.cancelled": ("stopReason", "stopDetail"),
    "connector.status": ("state", "status"),
    "limit.changed": ("cause", "limit_a"),
    "alarm.raised": ("code", "subject"),
    "alarm.cleared": ("code", "subject"),
    "clock.changed": ("from", "to"),
}


class _Teller:
    """Plays a story's events on the rig."""

    def __init__(self) -> None:
        self.rig = Rig()
        self.zero = self.rig.at
        self.sent: list[Request] = []
        self.sessions: dict[str, SessionId] = {}

    def play(self, story: dict[str, Any]) -> list[str]:
        events = list(story["event"])
        first_fact = len(self.rig.log.facts)
        while self.rig.at - self.zero < story["end_s"]:
            now = [event for event in events if event["at_s"] == self.rig.at - self.zero + 1]
            sent, settled = [], []
            for event in now:
                sent += self._request(event)
                settled += [self.sessions[event["settle"]]] if "settle" in event else []
                self._world(event)
            self.rig.turn(*sent, settled=tuple(settled))
            self._note_sessions()
        return self._lines(first_fact)

    def _world(self, event: dict[str, Any]) -> None:
        for name, value in event.get("set", {}).items():
            setattr(self.rig[event["outlet"]], name, value)
        if "clock" in event:
            self.rig.clock = ClockQuality(event["clock"])
        if "commit_age_s" in event:
            self.rig.commit_age_s = event["commit_age_s"]
        if "crash_s" in event:
            final = {reply.command for _, reply in self.rig.log.replies if reply.stage.final}
            unfinished = tuple(r for r in self.sent if r.id not in final)
            self.rig.crash(event["crash_s"] - 1, unfinished)

    def _request(self, event: dict[str, Any]) -> list[Request]:
        if "send" not in event:
            return []
        fields = dict(event["send"])
        if str(fields.get("sessionId", "")).startswith("of "):
            fields["sessionId"] = self.sessions[fields["sessionId"].removeprefix("of ")]
        self.rig.at += 1.0
        request = self.rig.request(fields.pop("name"), fields.pop("id"), **fields)
        self.rig.at -= 1.0
        self.sent.append(request)
        return [request]

    def _note_sessions(self) -> None:
        for name, post in self.rig.memory.posts.items():
            if post.session is not None:
                self.sessions[name] = post.session.record.id

    def _lines(self, first_fact: int) -> list[str]:
        lines = []
        for at, fact in self.rig.log.facts[first_fact:]:
            shown = [f"{key}={fact.data[key]}" for key in _SHOWN.get(fact.type, ()) if fact.data.get(key) is not None]
            lines.append((at, " ".join([fact.type.value, *([fact.connector] if fact.connector else []), *shown])))
        for at, reply in self.rig.log.replies:
            result = dict(reply.result or {})
            waits = [f"waitingFor={result['waitingFor']}"] if "waitingFor" in result else []
            code = [reply.code] if reply.code else []
            lines.append((at, " ".join([reply.command, reply.stage.value, *code, *waits])))
        return [f"{at - self.zero:g} {line}" for at, line in sorted(lines, key=lambda pair: pair[0])]


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_story(path: Path) -> None:
    story = tomllib.loads(path.read_text("utf-8"))
    assert _Teller().play(story) == story["expect"], story["rule"]


def test_the_stories_are_there() -> None:
    assert len(STORIES) >= 12


MONEY = {
    "charging_s",
    "duration_s",
    "energy_wh",
    "estimated",
    "gap",
    "meter",
    "rolled_wh",
    "source",
    "start_register_wh",
}
MONEY |= {"createdAt", "startedAt", "endedAt", "stopReason", "stop_register_wh", "unmetered"}
FIELDS: dict[str, set[str]] = {
    "alarm.cleared": {"code", "raisedAt", "subject"},
    "alarm.raised": {"code", "severity", "subject", "textEn", "textZh"},
    "connector.status": {"fault", "online", "state", "status", "suspendedBy"},
    "limit.changed": {"cause", "limitId", "limit_a", "onExpiry", "source", "target", "validFor_s"},
    "session.cancelled": MONEY | {"stopDetail"},
    "session.charging": {"meter", "start_register_wh"},
    "session.created": {
        "authorised",
        "commandId",
        "max_current_a",
        "max_energy_wh",
        "max_time_s",
        "meter",
        "source",
        "start_register_wh",
    },
    "session.failed": MONEY | {"stopDetail"},
    "session.finished": MONEY,
    "session.resumed": {"energy_wh", "gap", "reason"},
    "session.settled": {"energy_wh"},
    "session.starting": set(),
    "session.suspended": {"energy_wh", "suspendedBy"},
    "received": set(),
    "accepted": set(),
    "rejected": set(),
    "done": set(),
    "failed": set(),
}
"""Fields that every fact of a type, and every result of a stage, carries (contract section 4)."""

SOMETIMES = {
    "session.finished": {"stopDetail"},
    "session.suspended": {"cause"},
    "accepted": {"connectorId", "limitId", "sessionId", "waitingFor"},
    "done": {"connectorId", "limitId", "sessionId", "waitingFor", "observed"},
    "failed": {"connectorId", "limitId", "sessionId", "observed"},
}


def test_what_is_told_has_exactly_the_promised_fields() -> None:
    """S-14: platforms read fields by name; none is missing, none is called otherwise, each optional one occurs."""
    seen: dict[str, list[frozenset[str]]] = {}
    for path in STORIES:
        teller = _Teller()
        teller.play(tomllib.loads(path.read_text("utf-8")))
        for _, fact in teller.rig.log.facts:
            seen.setdefault(fact.type.value, []).append(frozenset(fact.data))
        for _, reply in teller.rig.log.replies:
            seen.setdefault(reply.stage.value, []).append(frozenset(reply.result or {}))
    for kind, found in seen.items():
        assert frozenset.intersection(*found) == FIELDS[kind], kind
        assert frozenset.union(*found) == FIELDS[kind] | SOMETIMES.get(kind, set()), kind
