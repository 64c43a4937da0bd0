"""The live hub and its streams: one subscription, latest wins, old is said, only changes are sent."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.panel import text, view
from siteward.panel.fragments import Audience, changes, event_text, rendered
from siteward.panel.live import Frame, HubClosed, LiveHub
from siteward.panel.probes import exposition
from siteward.panel.render import Pages
from siteward.panel.stream import MOST_STREAMS_EACH, Streams
from tests.fixtures.depot import Depot, scene
from tests.siteward.panel.conftest import HandClock, Panel


async def test_many_readers_share_one_subscription() -> None:
    """flows.md: panel holds ONE subscription and fans it out."""
    core = Depot()
    core.pace_s = 0.01
    hub = LiveHub(core, HandClock())
    task = asyncio.create_task(hub.run())
    frames = await asyncio.gather(*(hub.newer(3) for _ in range(50)))
    assert core.subscriptions == 1
    assert all(frame.version > 3 and not frame.old for frame in frames)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert core.subscriptions == 0


async def test_a_view_is_old_when_core_is_gone_and_live_again_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """flows.md, core down: the last view stays, marked old."""
    monkeypatch.setattr("siteward.panel.live.RETRY_S", 0.01)
    core = Depot()
    core.pace_s = 0.01
    hub = LiveHub(core, HandClock())
    assert hub.frame.view is None
    task = asyncio.create_task(hub.run())
    first = await hub.newer(0)
    core.down = True
    while not hub.frame.old:
        await asyncio.sleep(0.01)
    assert hub.frame.view is not None
    version = hub.frame.version
    await asyncio.sleep(0.1)
    assert hub.frame.version == version, "no flood of equal frames while core stays away"
    core.down = False
    back = await hub.newer(version)
    assert not back.old
    assert back.version > first.version
    task.cancel()


async def test_a_silent_stream_is_as_bad_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that hangs must not look alive."""
    monkeypatch.setattr("siteward.panel.live.OLD_AFTER_S", 0.05)
    core = Depot()
    core.pace_s = 60.0
    hub = LiveHub(core, HandClock())
    task = asyncio.create_task(hub.run())
    await hub.newer(0)
    async with asyncio.timeout(2):
        while not hub.frame.old:
            await asyncio.sleep(0.01)
    assert hub.frame.old
    task.cancel()


async def test_closing_the_hub_frees_everybody() -> None:
    """The panel stops within seconds whoever listens (finding 13)."""
    hub = LiveHub(Depot(), HandClock())
    waiting = [asyncio.create_task(hub.newer(0)) for _ in range(3)]
    pausing = asyncio.create_task(hub.pause(60))
    await asyncio.sleep(0)
    await hub.close()
    for task in (*waiting, pausing):
        with pytest.raises(HubClosed):
            await task


def test_only_changed_parts_are_sent() -> None:
    """A quiet connector costs no bytes; the clock on the page moves."""
    pages = Pages()
    audience = Audience("overview", "en", True)
    one = rendered(pages, Frame(1, scene(1), False, 0.0), audience)
    two = rendered(pages, Frame(2, scene(2), False, 0.0), audience)
    changed = {name for name, _ in changes(one, two)}
    assert "now" in changed
    assert "card-A01-1" in changed
    assert not {"card-A04-1", "act-A01-1", "leaf-D02-1", "banner"} & changed


def test_a_dc_charger_is_shown_in_kw() -> None:
    """R20: people think of it in kW; amperes stay beside it, an AC charger has them alone."""
    live = scene(1)
    first, *others = live.connectors
    told = live.model_copy(update={"connectors": (first.model_copy(update={"limit_w": 43_210.0}), *others)})
    for language, word in (("en", "Limit"), ("zh", "限值")):
        cards = rendered(Pages(), Frame(1, told, False, 0.0), Audience("overview", language, True))
        assert f"{word} 43.2 kW · " in cards[f"card-{first.id}"]
        assert " kW · " not in cards[f"card-{others[0].id}"]


def test_one_frame_is_rendered_once_for_equal_readers() -> None:
    """Twenty phones cost one rendering; another language or role is another audience."""
    pages, frame = Pages(), Frame(1, scene(1), False, 0.0)
    first = rendered(pages, frame, Audience("overview", "en", True))
    assert rendered(pages, frame, Audience("overview", "en", True)) is first
    viewer = rendered(pages, frame, Audience("overview", "en", False))
    assert viewer["act-A01-1"] == ""
    assert "Stop" in first["act-A01-1"]


def test_events_keep_their_lines() -> None:
    """The wire form of server-sent events: no data can forge an event."""
    assert event_text("a", "x\n\nevent: b") == "event: a\ndata: x\ndata: \ndata: event: b\n\n"
    assert event_text("a", "") == "event: a\ndata: \n\n"


async def test_a_stream_carries_changes_and_ends_with_the_session(panel: Panel) -> None:
    """First everything, then what changed; `gone` when the person is logged out."""
    await panel.login()
    session = next(iter(panel.desk.sessions._sessions.values()))
    events = Streams(panel.desk)._counted(session, Audience("overview", "en", True))
    first = await anext(events)
    assert "event: pulse" in first
    assert "event: fuse-grid" in first
    assert session.streams == 1
    panel.core.tick += 1
    await panel.desk.hub._publish(panel.core.live(), False)
    second = await anext(events)
    assert "event: card-A01-1" in second
    assert "event: card-A04-1" not in second
    panel.desk.sessions.close_user("tina")
    await panel.desk.hub._publish(panel.core.live(), False)
    assert (await anext(events)).startswith("event: gone")
    with pytest.raises(StopAsyncIteration):
        await anext(events)
    assert session.streams == 0


async def test_a_new_site_makes_browsers_load_anew(panel: Panel) -> None:
    """The skeleton of a page is the site's; another site hash is another skeleton."""
    await panel.login()
    session = next(iter(panel.desk.sessions._sessions.values()))
    events = Streams(panel.desk)._counted(session, Audience("overview", "en", True))
    await anext(events)
    await panel.desk.hub._publish(panel.core.live().model_copy(update={"site_hash": "1" * 64}), False)
    assert (await anext(events)).startswith("event: reload")
    await events.aclose()  # type: ignore[attr-defined]


async def test_open_pages_are_bounded(panel: Panel) -> None:
    """IEC 62443-4-2 CR 7.1: one login cannot take all streams."""
    await panel.login()
    next(iter(panel.desk.sessions._sessions.values())).streams = MOST_STREAMS_EACH
    answer = await panel.client.get("/live?page=overview")
    assert answer.status_code == 503
    assert (await panel.client.get("/live?page=../etc")).status_code == 404


async def test_pages_say_when_core_is_down(panel: Panel) -> None:
    """The page still opens, with the last view and a banner."""
    await panel.login()
    panel.core.down = True
    await panel.desk.hub._publish(panel.desk.hub.frame.view, True)
    page = (await panel.client.get("/")).text
    assert "The controller does not answer" in page
    assert "A01-1" in page
    events = await panel.client.get("/events")
    assert (events.status_code, "does not answer" in events.text) == (200, True)
    assert (await panel.client.get("/connectors/A01-1")).status_code == 200


async def test_the_journal_pages_back_to_its_beginning(panel: Panel) -> None:
    """Newest first, fifty a page, nothing twice and nothing left out; filters keep their kind."""
    await panel.login()
    first = (await panel.client.get("/events")).text
    second = (await panel.client.get("/events", params={"before": 11})).text
    assert [f">#{n}<" in first for n in (60, 11, 10)] == [True, True, False]
    assert "before=11" in first
    assert [f">#{n}<" in second for n in (11, 10, 1)] == [False, True, True]
    assert "before=" not in second
    audits = (await panel.client.get("/events", params={"only": "audit", "before": "nonsense"})).text
    assert "audit.login" in audits
    assert "alarm.raised" not in audits


def test_bars_place_load_against_rating() -> None:
    """load, other load and reservation on one scale; the level needs no colour to be read."""
    live = scene(0)
    nodes = {node.feeder.id: node for node in view.nodes(view.tree(live))}
    assert list(nodes) == ["grid", "north", "row-a", "row-b", "south", "row-c", "canopy"]
    assert nodes["row-a"].level == "unknown"
    assert nodes["north"].level == "near"
    feeder = nodes["grid"].feeder.model_copy(update={"load_a": (161.0, 0.0, 0.0)})
    bar = view._bar(feeder, 0)
    assert (bar.level, bar.share_percent) == ("over", 101)
    assert bar.rating_at < bar.load_end < 100
    assert view._bar(feeder.model_copy(update={"load_a": (900.0, 0.0, 0.0)}), 0).load_end == 100


@pytest.mark.parametrize(
    ("changes_made", "state"),
    [
        ({}, "charging"),
        ({"suspended_by": "car"}, "suspended_car"),
        ({"suspended_by": "station"}, "suspended_station"),
        ({"online": False}, "offline"),
        ({"status": "Faulted"}, "faulted"),
        ({"session": None}, "plugged"),
        ({"session": None, "status": "Available"}, "available"),
        ({"session": None, "status": "Reserved"}, "reserved"),
        ({"session": None, "status": "Unavailable"}, "unavailable"),
    ],
)
def test_connector_states(changes_made: dict[str, object], state: str) -> None:
    """One word and one picture for each situation; a silent charger is never shown as charging."""
    connector = next(c for c in scene(0).connectors if c.id == "A01-1").model_copy(update=changes_made)
    assert view.connector_state(connector) == state


def test_a_car_that_only_stands_after_its_session_is_not_shown_as_charging() -> None:
    """0051: under an idle fee the session is open until the car leaves; there is nothing left to stop."""
    connector = next(c for c in scene(0).connectors if c.id == "A01-1")
    assert connector.session is not None
    over = connector.session.model_copy(update={"stop_reason": "user", "ended_at": connector.session.created_at})
    stands = connector.model_copy(update={"session": over, "current_a": (0.0, 0.0, 0.0)})
    assert view.connector_state(stands) == "ended"
    assert not view.can_stop(stands)
    assert not view.can_start(stands)
    assert view.can_wait(stands)
    assert text.order(over, "en") == "Ended, car still there"
    assert text.order(over.model_copy(update={"state": "SETTLED"}), "en") == "settled"
    ending = over.model_copy(update={"ended_at": None})
    assert text.order(ending, "en") == "charging", "0065: decided, but its current was not seen to stop"
    draws = connector.model_copy(update={"session": over})
    assert view.connector_state(draws) == "charging", "what still draws is not over, whatever it was told"
    assert view.can_stop(draws)


def test_what_a_silent_charger_drew_is_not_what_it_draws() -> None:
    """Law 5: a value that is not known is none; the last one is told as such."""
    connector = next(c for c in scene(0).connectors if c.id == "A01-1")
    silent = connector.model_copy(update={"online": False})
    assert view.worst_current(silent) is None
    assert view.last_current(silent) == view.worst_current(connector)


def test_a_fuse_without_meter_says_when_its_bound_is_passed() -> None:
    """Goal 2, fault 14: what may flow at most can pass a rating that nobody measures."""
    feeder = next(f for f in scene(0).feeders if f.id == "grid").model_copy(update={"load_a": None})
    assert view._bar(feeder.model_copy(update={"base_a": (0.0,) * 3, "reserved_a": (160.0,) * 3}), 0).level == "unknown"
    assert view._bar(feeder.model_copy(update={"base_a": (1.0,) * 3, "reserved_a": (160.0,) * 3}), 0).level == "bound"


def test_alarms_stand_worst_first() -> None:
    """Ruling 30: severity before age; of equal ones the oldest first."""
    live = scene(0)
    one = live.alarms[0]
    given = [("low", 0), ("highest", 5), ("high", 3), ("high", 9)]
    alarms = [
        one.model_copy(update={"severity": severity, "raised_at": one.raised_at - timedelta(minutes=minutes)})
        for severity, minutes in given
    ]
    told = view.worst_first(live.model_copy(update={"alarms": tuple(alarms)}))
    assert [alarm.severity for alarm in told] == ["highest", "high", "high", "low"]
    assert told[1].raised_at < told[2].raised_at


def test_a_closed_wire_has_no_good_devices() -> None:
    """Fault 1 as a technician sees it: good counts from before do not make a device good now."""
    slave = scene(0).lines[0].slaves[0]
    assert view.slave_level(slave, reachable=True) == "ok"
    assert view.slave_level(slave, reachable=False) == "dead"


async def test_probes_are_for_loopback_or_a_token(panel: Panel) -> None:
    """Ruling 29: healthz, readyz and metrics from core's figures."""
    for path in ("/healthz", "/readyz", "/metrics"):
        assert (await panel.client.get(path)).status_code == 403
        answer = await panel.client.get(path, headers={"authorization": "Bearer figures-please"})
        assert answer.status_code == 200
    assert 'siteward_feeder_rating_amperes{feeder="grid",phase="L1"} 160.0' in answer.text
    await panel.desk.hub._publish(panel.desk.hub.frame.view, True)
    ready = await panel.client.get("/readyz", headers={"authorization": "Bearer figures-please"})
    assert ready.status_code == 503
    assert "siteward_core_up 0" in exposition(panel.desk.hub.frame)


def test_frames_share_no_cache() -> None:
    """An old frame's text never shows up in a new one."""
    frame = Frame(1, scene(1), False, 0.0)
    rendered(Pages(), frame, Audience("alarms", "en", False))
    assert replace(frame, version=2, cache={}).cache == {}
    assert Frame(2, scene(2), False, 0.0).cache == {}
