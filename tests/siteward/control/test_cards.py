"""B17: the list with versions, what holds offline, the cap of each card, and a reason for each refusal (S-75, S-94)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siteward.model.auth import LIST_MOST, AccessRule, AuthorisedBy, AuthRules, OfflinePolicy
from siteward.model.events import ClockQuality, EventType
from siteward.model.ids import ConnectorId
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import Request
from siteward.model.sessions import OrderState, StopReason
from tests.fixtures.story_rig import Rig, story_site

A1 = ConnectorId("A1")


def card_rig(**rules: object) -> Rig:
    """A station with a platform, a car at A1 and A2, and a list of three cards."""
    auth = replace(AuthRules(platform=True), **rules)  # type: ignore[arg-type]
    rig = Rig(replace(story_site(), auth=auth))
    rig["A1"].plugged = rig["A2"].plugged = True
    rig.turn()
    expired = datetime(2026, 1, 1, tzinfo=UTC).isoformat()
    tokens = [
        {"id": "CA4D", "group": "fleet"},
        {"id": "b10c", "blocked": True},
        {"id": "01D0", "validUntil": expired},
    ]
    rig.turn(rig.request("SET_AUTH_LIST", "list-1", version=1, tokens=tokens))
    assert rig.log.stages("list-1") == ["accepted", "done"]
    return rig


def tap(rig: Rig, token: str, command: str = "t1", target: str = "A1", online: bool = True) -> Request:
    """A card at the reader of a connector."""
    return rig.start(target, command, source="card", token=token, online=online)


def test_a_card_of_the_list_starts_and_its_record_says_by_which_list() -> None:
    """S-94, B17: version and age of the list stand on every record; capital letters do not count."""
    rig = card_rig()
    rig.turns(59)
    rig.turn(tap(rig, "ca4d"))
    session = rig.memory.posts[A1].session
    assert session is not None
    found = session.record.authorised
    assert found is not None
    assert (found.by, found.token, found.list_version, found.list_age_s) == (AuthorisedBy.LIST, "CA4D", 1, 60)
    created = rig.log.last(EventType.SESSION_CREATED).data["authorised"]
    assert created == {"by": "list", "token": "CA4D", "listVersion": 1, "listAge_s": 60, "platformReached": True}
    granted = rig.log.last(EventType.ACCESS_GRANTED)
    assert (granted.connector, granted.data["token"], granted.data["listVersion"]) == (A1, "CA4D", 1)


@pytest.mark.parametrize(
    ("token", "code"),
    [("FFFF", Refusal.CARD_UNKNOWN), ("B10C", Refusal.CARD_BLOCKED), ("01d0", Refusal.CARD_EXPIRED)],
)
def test_every_refusal_of_a_card_has_its_code_and_is_told(token: str, code: Refusal) -> None:
    """Ruling 30: a code with a sentence in both languages; the platform hears of the card and may start it itself."""
    rig = card_rig()
    rig.turn(tap(rig, token))
    assert rig.log.stages("t1") == [f"rejected {code}"]
    denied = rig.log.last(EventType.ACCESS_DENIED)
    assert (denied.connector, denied.data["code"], denied.data["token"]) == (A1, code.value, token.upper())
    assert denied.data["listVersion"] == 1
    assert REFUSALS[code].en
    assert REFUSALS[code].zh
    assert rig.log.types("session") == []


def test_a_card_without_a_token_or_a_connector_is_asked_for_what_is_missing() -> None:
    """B17: nothing is guessed."""
    rig = card_rig()
    rig.turn(rig.start("A1", "t1", source="card"), rig.request("START_CHARGE", "t2", source="card", token="CA4D"))
    assert rig.log.stages("t1") == ["rejected BAD_PARAMS"]
    assert rig.log.stages("t2") == ["rejected READER_UNCLEAR"]


def test_a_card_that_nobody_can_place_is_told_with_its_reader() -> None:
    """S-85: a driver complains that his card was refused; which reader and which card is in the journal."""
    rig = card_rig()
    rig.turn(rig.request("START_CHARGE", "t1", source="card", token="CA4D", reader="row-a"))
    denied = rig.log.last(EventType.ACCESS_DENIED)
    assert denied.connector is None
    assert (denied.data["code"], denied.data["token"], denied.data["reader"]) == ("READER_UNCLEAR", "CA4D", "row-a")


@pytest.mark.parametrize(
    ("policy", "known", "seen", "strange"),
    [
        (OfflinePolicy.DENY, "rejected OFFLINE_DENIED", "rejected OFFLINE_DENIED", "rejected OFFLINE_DENIED"),
        (OfflinePolicy.KNOWN, "accepted", "rejected CARD_UNKNOWN", "rejected CARD_UNKNOWN"),
        (OfflinePolicy.SEEN, "accepted", "accepted", "rejected CARD_UNKNOWN"),
        (OfflinePolicy.ALL, "accepted", "accepted", "accepted"),
    ],
)
def test_what_each_policy_lets_in_offline(policy: OfflinePolicy, known: str, seen: str, strange: str) -> None:
    """B17: deny, known list, known and seen before, all."""
    for token, expected in (("CA4D", known), ("5EE0", seen), ("FFFF", strange)):
        rig = card_rig(offline=policy)
        rig.turn(rig.start("A2", "c0", order="O-0", token="5EE0"))
        rig.turns(5)
        rig.turn(tap(rig, token, online=False))
        assert rig.log.stages("t1")[0] == expected, token
        blocked = card_rig(offline=policy)
        blocked.turn(tap(blocked, "B10C", online=False))
        assert blocked.log.stages("t1") == ["rejected CARD_BLOCKED"]


@pytest.mark.parametrize(("days", "expected"), [(13.9, "accepted"), (14.1, "rejected CARD_UNKNOWN")])
def test_a_card_counts_as_seen_for_fourteen_days(days: float, expected: str) -> None:
    """B17: known and seen within 14 days, also over a restart."""
    rig = card_rig()
    rig.turn(rig.start("A2", "c0", order="O-0", token="5EE0"))
    rig.skew += timedelta(days=days)
    rig.crash()
    rig.turns(2)
    rig.turn(tap(rig, "5EE0", online=False))
    assert rig.log.stages("t1")[0] == expected


def test_a_card_taken_off_the_list_is_not_let_in_for_having_been_seen() -> None:
    """B17: who removes a card means it."""
    rig = card_rig()
    rig.turn(tap(rig, "CA4D"))
    assert "CA4D" in rig.memory.book.seen
    rig.turn(rig.request("SET_AUTH_LIST", "l2", version=2, update="differential", baseVersion=1, remove=["ca4d"]))
    assert rig.log.stages("l2") == ["accepted", "done"]
    rig.crash()
    rig.turns(2)
    rig.turn(tap(rig, "CA4D", "t2", "A2", online=False))
    assert rig.log.stages("t2") == ["rejected CARD_UNKNOWN"]


def test_an_untrusted_clock_lets_the_list_hold_and_judges_no_age() -> None:
    """Ruling 10: local starts are allowed and flagged; B21: no figure that only a wrong clock knows."""
    rig = card_rig()
    rig.clock = ClockQuality.UNSYNCED
    rig.turn(tap(rig, "01D0"))
    assert rig.log.stages("t1") == ["accepted"]
    assert "listAge_s" not in rig.log.last(EventType.SESSION_CREATED).data["authorised"]  # type: ignore[operator]


def charged(rig: Rig, number: int, online: bool, seconds: int = 10) -> str:
    """One session of the card at A1, from tap to the car leaving; the first stage of its start."""
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(tap(rig, "CA4D", f"t{number}", online=online))
    rig.turns(seconds)
    rig["A1"].plugged = False
    rig.turns(12)
    return rig.log.stages(f"t{number}")[0]


def test_a_card_has_three_sessions_until_the_platform_acknowledged_one() -> None:
    """B17: the cap is counted by what the platform does not have; an acknowledgement gives it back, a restart not."""
    rig = card_rig()
    assert [charged(rig, n, online=False) for n in (1, 2, 3)] == ["accepted"] * 3
    assert charged(rig, 4, online=False) == "rejected OFFLINE_CAP"
    rig.crash()
    rig.turns(3)
    assert charged(rig, 5, online=False) == "rejected OFFLINE_CAP"
    first = next(iter(rig.memory.finished))
    rig.turn(settled=(first,))
    assert charged(rig, 6, online=False) == "accepted"


def test_the_cap_counts_energy_and_ends_a_session_at_what_is_left() -> None:
    """B17: 100 kWh until next sync, here 300 Wh; MicroOcpp's lesson: energy beyond the wallet while offline."""
    rig = card_rig(offline_energy_wh=300)
    assert charged(rig, 1, online=False, seconds=60) == "accepted"
    used = rig.memory.finished[next(iter(rig.memory.finished))].energy_wh or 0
    assert 0 < used < 300
    rig["A1"].plugged = True
    rig.turns(2)
    rig.turn(tap(rig, "CA4D", "t2", online=False))
    rig.turns(150)
    last = list(rig.log.rows.values())[-1]
    assert last.stop_reason is StopReason.ENERGY_LIMIT
    assert last.max_energy_wh == 300 - used
    rig["A1"].plugged = False
    rig.turns(5)
    assert charged(rig, 3, online=False) == "rejected OFFLINE_CAP"
    assert charged(rig, 4, online=True) == "accepted"


@pytest.mark.parametrize("together", [True, False])
def test_two_connectors_at_once_get_one_allowance(together: bool) -> None:
    """B17: 300 Wh of a card are 300 Wh, in one turn or one after the other, and also after a restart."""
    rig = card_rig(offline_energy_wh=300)
    rig["A1"].plugged = rig["A2"].plugged = True
    rig.turns(2)
    taps = tap(rig, "CA4D", "t1", "A1", online=False), tap(rig, "CA4D", "t2", "A2", online=False)
    if together:
        rig.turn(*taps)
    else:
        rig.turn(taps[0])
        rig.turns(10)
        rig.crash()
        rig.turns(3)
        rig.turn(taps[1])
    rig.turns(200)
    assert rig.log.stages("t2") == ["rejected OFFLINE_CAP"]
    assert sum(row.energy_wh or 0 for row in rig.log.rows.values()) < 300 + 30


def test_a_station_without_a_platform_has_no_cap() -> None:
    """B17: where nobody ever synchronises, nothing waits for it."""
    rig = card_rig(platform=False)
    assert [charged(rig, n, online=False) for n in (1, 2, 3, 4)] == ["accepted"] * 4


def test_rules_say_who_may_use_what_when() -> None:
    """Issue 5 point 6: rules as data; a thing that no rule names is open to every card let through."""
    night = AccessRule("night", frozenset({"A1"}), frozenset({"fleet"}), frozenset(range(7)), 22 * 60, 6 * 60)
    rig = card_rig(rules=(night,), offline=OfflinePolicy.ALL)
    rig.turn(tap(rig, "CA4D"))
    assert rig.log.stages("t1") == ["rejected ACCESS_RULE"]
    rig.turn(tap(rig, "CA4D", "t2", "A2"))
    assert rig.log.stages("t2") == ["accepted"]
    rig.skew += timedelta(hours=15)
    rig.turn(tap(rig, "FFFF", "t3"))
    assert rig.log.stages("t3") == ["rejected ACCESS_RULE"]
    rig.turn(tap(rig, "CA4D", "t4"))
    assert rig.log.stages("t4") == ["accepted"]
    other = card_rig(rules=(night,))
    other.clock = ClockQuality.UNSYNCED
    other.turn(tap(other, "CA4D"))
    assert other.log.stages("t1") == ["rejected ACCESS_RULE"]


def test_a_card_that_is_taken_away_during_its_session_goes_on_to_its_end_and_begins_no_other() -> None:
    """Fault 45: who is charging is not cut off in the dark; the card still ends its session, and starts none."""
    for change in ({"tokens": [{"id": "CA4D", "blocked": True}]}, {"remove": ["CA4D"]}):
        rig = card_rig()
        rig.turn(tap(rig, "CA4D"))
        rig.turns(5)
        session = rig.memory.posts[A1].session
        assert session is not None
        update: dict[str, object] = {"version": 2, "update": "differential", "baseVersion": 1, **change}
        rig.turn(rig.request("SET_AUTH_LIST", "revoked", **update))
        assert rig.log.stages("revoked") == ["accepted", "done"]
        rig.turns(60)
        held = rig.memory.posts[A1].session
        assert held is not None
        assert (held.record.id, held.record.state) == (session.record.id, OrderState.CHARGING)
        assert rig["A1"].amps > 0.0
        rig.turn(tap(rig, "CA4D", "elsewhere", "A2"))
        assert rig.log.stages("elsewhere")[0].startswith("rejected CARD_")
        rig.turn(rig.stop("end", token="CA4D", sessionId=session.record.id, source="card", online=True))
        rig.turns(12)
        assert rig.log.rows[session.record.id].state is OrderState.FINISHED
        rig.turn(tap(rig, "CA4D", "again"))
        assert rig.log.stages("again")[0].startswith("rejected CARD_")


def test_only_the_card_that_began_a_session_ends_it() -> None:
    """B17: a card is no remote control for other people's cars."""
    rig = card_rig(offline=OfflinePolicy.ALL)
    rig.turn(tap(rig, "CA4D"))
    rig.turns(5)
    session = rig.memory.posts[A1].session
    assert session is not None
    named = {"sessionId": session.record.id, "source": "card", "online": True}
    rig.turn(rig.stop("s1", token="FFFF", **named))
    rig.turn(rig.stop("s2", token="ca4d", **named))
    assert rig.log.stages("s1") == ["rejected NOT_AUTHORISED"]
    assert rig.log.stages("s2")[0] == "accepted"
    rig.turns(12)
    assert rig.log.rows[session.record.id].state is OrderState.FINISHED


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"version": 1}, "rejected LIST_VERSION"),
        ({"version": 2, "update": "differential", "baseVersion": 0}, "rejected LIST_VERSION"),
        ({"version": 2, "update": "differential"}, "rejected BAD_PARAMS"),
        ({"version": 0}, "rejected BAD_PARAMS"),
        ({"version": True}, "rejected BAD_PARAMS"),
        ({"version": 2, "update": "half"}, "rejected BAD_PARAMS"),
        ({"version": 2, "remove": ["CA4D"]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": "a b"}]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": "AB"}, {"id": "ab"}]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": "AB", "grupo": "x"}]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": "AB", "validUntil": "soon"}]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": "AB", "blocked": "yes"}]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": "AB"}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": ["AB"]}, "rejected BAD_PARAMS"),
        ({"version": 2, "tokens": [{"id": f"C{n}"} for n in range(501)]}, "rejected BAD_PARAMS"),
    ],
)
def test_an_update_that_does_not_fit_changes_nothing(params: dict[str, object], expected: str) -> None:
    """Law 5 of data: a stale, foreign or broken update is refused whole (S-75, S-99)."""
    rig = card_rig()
    before = rig.memory.book.list
    rig.turn(rig.request("SET_AUTH_LIST", "l2", **params))
    assert rig.log.stages("l2") == [expected]
    assert rig.memory.book.list == before


def test_an_update_is_told_whole_and_found_again_after_a_restart() -> None:
    """Flows: lists are journal facts, not files; the same update twice has one effect (S-75)."""
    rig = card_rig()
    update = {"version": 2, "update": "differential", "baseVersion": 1, "tokens": [{"id": "NEW", "group": "guest"}]}
    rig.turn(rig.request("SET_AUTH_LIST", "l2", remove=["B10C"], role="installer", source="panel", **update))
    told = rig.log.last(EventType.AUDIT_AUTH_LIST).data
    assert told["tokens"] == [{"id": "NEW", "group": "guest"}]
    assert (told["removed"], told["version"], told["baseVersion"], told["count"]) == (["B10C"], 2, 1, 3)
    assert (told["user"], told["source"]) == ("ann", "panel")
    rig.turn(rig.request("SET_AUTH_LIST", "l3", remove=["B10C"], **update))
    assert rig.log.stages("l3") == ["accepted", "done"]
    assert rig.log.types("audit.auth_list") == ["audit.auth_list"] * 2
    before = rig.memory.book.list
    rig.crash()
    assert rig.memory.book.list == before
    assert sorted(before.tokens) == ["01D0", "CA4D", "NEW"]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"source": "card"}, "rejected NOT_AUTHORISED"),
        ({"source": "local"}, "rejected NOT_AUTHORISED"),
        ({"source": "panel", "role": "technician"}, "rejected NOT_AUTHORISED"),
        ({"source": "panel"}, "rejected NOT_AUTHORISED"),
        ({"source": "cli"}, "accepted"),
    ],
)
def test_who_may_write_the_list(fields: dict[str, object], expected: str) -> None:
    """S-43: the platform, the console and installers."""
    rig = card_rig()
    rig.turn(rig.request("SET_AUTH_LIST", "l2", version=2, **fields))
    assert rig.log.stages("l2")[0] == expected


def test_a_lost_batch_loses_list_and_answer_together() -> None:
    """Law 4: the command is unknown then, and the old list holds (I8)."""
    rig = card_rig()
    request = rig.request("SET_AUTH_LIST", "l2", version=2)
    rig.turn(request)
    rig.crash(unfinished=(request,), lost=True)
    rig.turns(2)
    assert rig.log.stages("l2") == ["failed OUTCOME_UNKNOWN"]
    assert rig.memory.book.list.head.version == 1


def test_a_list_takes_no_more_cards_than_the_station_holds() -> None:
    """B17, fault 47: the difference that would pass 10,000 changes nothing; one that fills the list is taken."""
    rig = card_rig()
    held = rig.memory.book.list
    tokens = {name: replace(held.tokens["CA4D"], id=name) for name in (f"C{n}" for n in range(LIST_MOST - 1))}
    rig.memory = replace(rig.memory, book=replace(rig.memory.book, list=replace(held, tokens=tokens)))
    change = {"version": 2, "update": "differential", "baseVersion": 1}
    rig.turn(rig.request("SET_AUTH_LIST", "two", tokens=[{"id": "NEW1"}, {"id": "NEW2"}], **change))
    assert rig.log.stages("two") == ["rejected LIST_FULL"]
    assert (rig.memory.book.list.head.version, len(rig.memory.book.list.tokens)) == (1, LIST_MOST - 1)
    rig.turn(rig.request("SET_AUTH_LIST", "one", tokens=[{"id": "NEW1"}], **change))
    assert rig.log.stages("one") == ["accepted", "done"]
    assert len(rig.memory.book.list.tokens) == LIST_MOST
