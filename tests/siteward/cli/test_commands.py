"""Contract section 3: every verb against a real local API, for people and for programs, with its exit status."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from siteward.cli import act
from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen
from siteward.client.messages import ReplyMessage
from siteward.model.live import ArmKind, ArmView
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName
from tests.fixtures.core import FakeCore
from tests.siteward.cli.shell import Shell


async def test_status_shows_fuses_connectors_and_why(shell: Shell) -> None:
    """S-36, S-90: a technician sees load against rating and why a connector has its current."""
    status, out, _ = await shell("status")
    assert status == 0
    assert "row A" in out
    assert "fuse at row-a" in out
    assert "row-a (row A): " in out, "the name that `limit` takes"
    assert "MEDIUM Connector" in out
    assert "contract" in out, "limits in force are listed"
    live = await shell.json("status")
    assert len(live["connectors"]) == 12
    assert live["connectors"][0]["grant"]["limit_a"] >= 0


async def test_status_says_why_in_whole_sentences(shell: Shell) -> None:
    """S-36: the cause chain of each connector, the binding cause first."""
    status, out, _ = await shell("status", "--why")
    assert status == 0
    assert out.startswith("why this current")
    assert "The fuse of row A leaves" in out
    assert "\u00a0" not in out


async def test_status_shows_barriers_and_locks_and_what_blocks_them(shell: Shell, core: FakeCore) -> None:
    """Issue 3, I11: where each arm is, what stands in its way, and the reason that a close would be refused with."""
    assert "barrier" not in (await shell("status"))[1]
    core.arms = {
        "gate": ArmView(
            "gate", "North gate", ArmKind.BARRIER, "open", True, "LOOP_NOT_FREE", "OBSTRUCTED", False, False
        ),
        "bay-1": ArmView("bay-1", "Bay 1", ArmKind.LOCK, "down", None, "SENSOR_UNKNOWN", None, True, True, "A01-1"),
    }
    await core.turn_once()
    _, out, _ = await shell("status")
    (gate,) = (line for line in out.splitlines() if line.lstrip().startswith("gate"))
    assert all(word in gate for word in ("North gate", "open (OBSTRUCTED)", "something", "refused: LOOP_NOT_FREE"))
    (bay,) = (line for line in out.splitlines() if line.lstrip().startswith("bay-1"))
    assert all(word in bay for word in ("down", "not known, EMERGENCY", "by itself"))
    told = (await shell.json("status"))["arms"]
    assert [(row["id"], row["kind"], row["blocked"], row["connector"]) for row in told] == [
        ("gate", "barrier", "LOOP_NOT_FREE", None),
        ("bay-1", "lock", "SENSOR_UNKNOWN", "A01-1"),
    ]


async def test_status_shows_who_leaves_when_and_what_it_has(shell: Shell, core: FakeCore) -> None:
    """B12: what a technician typed at the start is seen again, as on the panel's card, in the site's zone."""
    assert "Leaves" not in (await shell("status"))[1]
    name, record = next(iter(core.session_list.items()))
    leaves = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    core.session_list[name] = replace(
        record, departs_at=leaves, wanted_wh=20_000, start_register_wh=1000, last_register_wh=4210
    )
    await core.turn_once()
    _, out, _ = await shell("status")
    clock = leaves.astimezone(ZoneInfo(core.site().timezone)).strftime("%H:%M")
    (told,) = (line for line in out.splitlines() if "Leaves" in line)
    assert told.startswith(f"{record.connector}: Leaves {clock}, ")
    assert told.endswith(" of 20.0 kWh")
    assert (await shell("watch", "--views", "1"))[1].count("Leaves") == 1


async def test_watch_ends_after_the_pages_asked_for(shell: Shell) -> None:
    """The stream of JSON lines, one a view."""
    status, out, _ = await shell("watch", "--views", "2", "--json")
    assert status == 0
    turns = [json.loads(line)["health"]["turn"] for line in out.splitlines()]
    assert len(turns) == 2
    assert turns[1] > turns[0]


@pytest.mark.parametrize(
    ("verb", "name"),
    [("open", "OPEN_BARRIER"), ("close", "CLOSE_BARRIER"), ("raise", "RAISE_LOCK"), ("lower", "LOWER_LOCK")],
)
async def test_arms_are_moved_by_name(shell: Shell, core: FakeCore, verb: str, name: str) -> None:
    """S-73: a technician opens and closes; the answer is the command's final stage."""
    reply = await shell.json(verb, "gate")
    assert reply["stage"] == "done"
    request = core.requests[reply["commandId"]]
    assert (request.name, request.target, request.params) == (name, "gate", None)


async def test_start_then_stop_tells_the_final_stage(shell: Shell, core: FakeCore) -> None:
    """S-10, S-52: the answer of a verb is the command's final stage; a stop names its session."""
    free = core.site().connectors[5].id
    reply = await shell.json("start", free, "--max-wh", "20000", "--max-a", "10")
    assert reply["stage"] == "done"
    request = core.requests[reply["commandId"]]
    assert (request.target, request.params) == (free, {"maxCurrent_a": 10.0, "maxEnergy_wh": 20000})
    status, out, _ = await shell("stop", free)
    assert (status, out) == (0, f"STOP_CHARGE {free}: done (waitingFor current)\n")
    stopped = [r for r in core.requests.values() if r.name == "STOP_CHARGE"]
    session = next(s for s in core.session_list.values() if s.connector == free)
    assert stopped[0].params == {"sessionId": session.id}


async def test_a_start_allows_phase_switching_only_where_it_says_so(shell: Shell, core: FakeCore) -> None:
    """B14: some cars may be harmed by it, so nobody allows it by leaving something out."""
    reply = await shell.json("start", core.site().connectors[5].id, "--phase-switching")
    assert core.requests[reply["commandId"]].params == {"phaseSwitching": True}


async def test_a_refused_start_is_exit_1_with_the_reason(shell: Shell, core: FakeCore) -> None:
    """Exit status 1 = did not hold; JSON carries the code of the closed list."""
    busy = core.site().connectors[0].id
    status, _, err = await shell("start", busy)
    assert status == 1
    assert "rejected" in err
    assert "siteward events" in err
    status, out, _ = await shell("start", busy, "--json")
    assert (status, json.loads(out)["error"]["code"]) == (1, "CONNECTOR_BUSY")


async def test_a_name_of_another_kind_says_which_verb_moves_it() -> None:
    """S-73: `open` of a parking lock is refused with what to do, and the name is said once."""
    refused = ReplyMessage(
        command_id="c", stage="rejected", code="UNKNOWN_TARGET", message=f"{REFUSALS[Refusal.UNKNOWN_TARGET].en} bay"
    )
    with pytest.raises(CommandFailed) as told:
        act.done(Screen(as_json=False), CommandName.OPEN_BARRIER, "bay", refused)
    assert told.value.sentence == f"OPEN_BARRIER bay: rejected: {REFUSALS[Refusal.UNKNOWN_TARGET].en}"
    assert "`raise` and `lower` move a parking lock" in told.value.advice


@pytest.mark.parametrize(
    ("name", "code", "said", "advice"),
    [
        (
            "RESERVE",
            "CONNECTOR_BUSY",
            "The connector is already in use. (session S1)",
            "`siteward reserve A01-1 --next`",
        ),
        ("START_CHARGE", "OUT_OF_SERVICE", "(session S1)", "`siteward service A01-1 --in`"),
        ("START_CHARGE", "CONNECTOR_RESERVED", "(session S1)", "`siteward reserve A01-1 --cancel`"),
        ("START_CHARGE", "EMERGENCY_STOP", "(session S1)", "`siteward reset STOP`"),
        ("RESET", "EMERGENCY_STOP", "(session S1)", "release its button"),
        ("START_CHARGE", "CONNECTOR_BUSY", "(session S1)", "`siteward events`"),
    ],
)
def test_a_refusal_says_what_to_do_next(name: str, code: str, said: str, advice: str) -> None:
    """Contract 5: what core adds to the sentence stands apart from it, and the next step is a command to type."""
    refused = ReplyMessage(
        command_id="c", stage="rejected", code=code, message=f"{REFUSALS[Refusal(code)].en} session S1"
    )
    with pytest.raises(CommandFailed) as told:
        act.done(Screen(as_json=False), CommandName(name), "A01-1", refused)
    assert told.value.sentence.endswith(said)
    assert advice in told.value.advice


def test_a_cable_whose_lock_is_not_shown_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    """S-43: `effect not_readable` tells nobody to try the plug."""
    reply = ReplyMessage(command_id="c", stage="done", result={"sent": True, "effect": "not_readable"})
    assert act.done(Screen(as_json=False), CommandName.UNLOCK_CONNECTOR, "C01-2", reply) == 0
    assert "does not show its lock: try the plug" in capsys.readouterr().out


async def test_stop_without_a_session_says_what_to_do(shell: Shell, core: FakeCore) -> None:
    """Neither a free connector nor an unknown name is handed to core."""
    before = len(core.requests)
    for target, code in ((core.site().connectors[7].id, "NO_SUCH_SESSION"), ("nowhere", "UNKNOWN_TARGET")):
        status, out, _ = await shell("stop", target, "--json")
        assert (status, json.loads(out)["error"]["code"]) == (1, code)
    assert len(core.requests) == before


async def test_a_limit_ends_by_the_stations_own_clock(shell: Shell, core: FakeCore) -> None:
    """S-20, R15: validUntil counts from the station's time, not from the terminal's."""
    await shell.json("limit", "row-a", "32", "--minutes", "30")
    request = next(r for r in core.requests.values() if r.name == "LIMIT_POWER")
    assert request.target == "row-a"
    assert request.params is not None
    assert request.params["limit_a"] == 32
    assert str(request.params["validUntil"]).endswith("Z")
    await shell.json("limit", "grid", "100")
    last = next(r for r in core.requests.values() if r.target == "grid")
    assert last.params == {"limit_a": 100.0}


async def test_sessions_and_events_read_back_what_happened(shell: Shell, core: FakeCore) -> None:
    """S-61: what the station wrote down, newest last, with its numbers."""
    rows = await shell.json("sessions", "--limit", "1")
    assert len(rows) == 1
    assert rows[0]["state"] == "CHARGING"
    _, out, _ = await shell("sessions")
    assert rows[0]["id"] in out
    _, out, _ = await shell("events", "--after", "0", "--limit", "2")
    assert [line.split()[0] for line in out.splitlines()] == ["1", "2"]
    assert "session.created" in out
    _, out, _ = await shell("events", "--json")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == list(range(1, len(core.texts) + 1))


async def test_an_untouched_journal_holds(shell: Shell, core: FakeCore) -> None:
    """I16, S-16: every hash is recomputed."""
    for turn in range(30):
        core.add_event(core_event("connector.status"), {"turn": turn})
    found = await shell.json("journal", "verify")
    assert (found["holds"], found["events"]) == (True, len(core.texts))


@pytest.mark.parametrize("touch", ["change", "drop", "swap", "rehash"])
async def test_a_touched_journal_is_found(shell: Shell, core: FakeCore, touch: str) -> None:
    """I16: a changed, missing or moved event, or one whose own hash was made to fit, does not go unseen."""
    for turn in range(10):
        core.add_event(core_event("connector.status"), {"turn": turn})
    event = json.loads(core.texts[5])
    if touch == "change":
        core.texts[5] = json.dumps(event | {"data": {"turn": 99}})
    elif touch == "drop":
        del core.texts[5]
    elif touch == "swap":
        core.texts[5], core.texts[6] = core.texts[6], core.texts[5]
    else:
        from siteward.client.canonical import event_hash

        forged = event | {"data": {"turn": 99}}
        core.texts[5] = json.dumps(forged | {"hash": event_hash(forged, core.journal)})
    status, out, _ = await shell("journal", "verify", "--json")
    assert status == 1
    assert json.loads(out)["error"]["code"] == "JOURNAL_BROKEN"


async def test_users_get_a_made_password_once(shell: Shell, core: FakeCore) -> None:
    """ETSI 5.1: no default password; it is made, shown once and must be changed; only its hash is kept."""
    made = await shell.json("user", "add", "li", "--role", "technician")
    assert made["mustChange"]
    kept = core.user_list["li"]
    assert kept.password_hash.startswith("$argon2id$")
    assert made["password"] not in kept.password_hash
    status, _, err = await shell("user", "add", "li")
    assert status == 1
    assert "siteward user passwd li" in err
    again = await shell.json("user", "passwd", "li")
    assert again["password"] != made["password"]
    assert core.user_list["li"].role == "technician"
    assert await shell.json("user", "list") == [{"name": "li", "role": "technician", "mustChange": True}]
    status, _, err = await shell("user", "passwd", "nobody")
    assert status == 1
    assert "siteward user list" in err


async def test_a_typed_password_must_be_fit(shell: Shell, core: FakeCore, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-43: a short password is refused with what to take instead; a good one needs no change."""
    import io

    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    status, _, err = await shell("user", "add", "wang", "--type")
    assert status == 1
    assert "10 or more" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    status, out, _ = await shell("user", "add", "wang", "--type")
    assert status == 0
    assert "correct horse" not in out
    assert not core.user_list["wang"].must_change


def core_event(name: str) -> Any:
    """An event type by its name."""
    from siteward.model.events import EventType

    return EventType(name)


async def test_frames_of_a_line_become_a_file_whose_ending_says_the_form(shell: Shell, tmp_path: Path) -> None:
    """S-24: one command from the wire to Wireshark, and a clear word when it cannot be."""
    file = tmp_path / "line.pcap"
    status, out, _ = await shell("frames", "rs485-1", "-o", str(file), "--last", "60")
    assert status == 0
    assert str(file) in out
    assert file.read_bytes() == b"pcap of rs485-1, 60 s\xff"
    status, _, err = await shell("frames", "rs485-9", "-o", str(file))
    assert status == 1
    assert "rs485-9" in err
    status, _, err = await shell("frames", "rs485-1", "-o", str(tmp_path / "line.txt"))
    assert status == 1
    assert ".csv or .pcap" in err


async def test_what_a_session_costs_so_far_is_shown_beside_its_energy(shell: Shell, core: FakeCore) -> None:
    """S-42, S-53: in the page of the station and in the list of sessions, in the words of its currency."""
    record = next(s for s in core.session_list.values() if s.state.open)
    core.session_list[record.id] = replace(record, total=1234, currency="CNY")
    await core.turn_once()
    for verb in ("status", "sessions"):
        (line,) = (line for line in (await shell(verb))[1].splitlines() if record.id in line)
        assert "12.34 CNY" in line


async def test_a_start_may_be_prepaid_and_for_a_card(shell: Shell, core: FakeCore) -> None:
    """B17, S-92: an amount in minor units, the tariff that counts it, and the card that it is for."""
    words = ("--max-amount", "2500", "--tariff", "FLEET", "--card", "04A2B3C4")
    assert (await shell("start", "A03-1", *words))[0] == 0
    (asked,) = core.requests.values()
    assert asked.params == {"maxAmount": 2500, "tariffId": "FLEET", "token": "04A2B3C4"}


async def test_a_start_may_name_its_departure(shell: Shell, core: FakeCore) -> None:
    """B12: the time as typed goes to core, which knows the site's zone; energy in kWh."""
    status, _, _ = await shell("start", "A03-1", "--departs", "07:30", "--wants-kwh", "20")
    assert status == 0
    (asked,) = core.requests.values()
    assert asked.params == {"departsAt": "07:30", "wantedEnergy_wh": 20_000}


@pytest.mark.parametrize(
    ("words", "missing"), [(("--departs", "07:30"), "--wants-kwh"), (("--wants-kwh", "20"), "--departs")]
)
async def test_half_a_departure_is_refused_with_what_is_missing(
    shell: Shell, core: FakeCore, words: tuple[str, str], missing: str
) -> None:
    """B12, S-36: nothing is asked of the station."""
    status, _, told = await shell("start", "A03-1", *words)
    assert status != 0
    assert f"a departure needs {missing} too" in told
    assert core.requests == {}
