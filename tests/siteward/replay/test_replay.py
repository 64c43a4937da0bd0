"""`siteward replay` on recorded days: overloads with their causes, what a lower limit avoids, trees that differ.

Build 7 of load management (issue 4, B15), contract section 3; the recorded day is a whole station in virtual time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from siteward.control.record import Recorded
from siteward.model.alarms import AlarmCode
from siteward.model.ids import ChargerId, ConnectorId, FeederId, MeterId
from siteward.model.limits import Cause, Limit, LimitSource
from siteward.model.site import Charger, Site, StaticLimit
from siteward.replay.compare import Note, Replay, replay, tree_notes
from siteward.replay.curves import Curves
from siteward.replay.moments import moments
from siteward.replay.strategy import Strategy
from tests.fixtures.recorded import changed, overload

ROW_A = FeederId("row-a")
LOWER = StaticLimit("evening", ROW_A, (40.0, 40.0, 40.0))


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, list[Recorded]]:
    """Row A full of cars, then 18 A of other load at once: over its fuse until the cars have followed."""
    return overload(tmp_path_factory.mktemp("day"))


def played(site: Site, turns: Sequence[Recorded], new: Site | None = None) -> Replay:
    """Replay under the site it was recorded under."""
    curves = Curves(turns[0].snapshot.wall, turns[-1].snapshot.wall)
    return replay([(turn, site) for turn in turns], site, new, curves)


def test_a_recorded_overload_is_explained_by_its_cause_chains(day: tuple[Site, list[Recorded]]) -> None:
    """Why this current: who was cut, to what, by which fuse; as high and as long as the meter saw it."""
    site, turns = day
    done = played(site, turns)
    (episode,) = (e for e in done.running.tally.episodes if e.feeder == ROW_A)
    seen = done.recorded[ROW_A]
    assert seen.over_s > 3.0, "the day must have an overload, else this proves nothing"
    assert episode.forced
    assert episode.peak_a == pytest.approx(seen.peak_a, abs=2.0)
    assert episode.base_a == pytest.approx(18.0, abs=0.1)
    assert episode.seconds == pytest.approx(seen.over_s, abs=3.0)
    chains = {g.connector: [(s.cause, s.feeder) for s in g.chain] for g in episode.grants}
    assert chains[ConnectorId("A02-1")] == [(Cause.FAIR_SHARE, ROW_A), (Cause.FUSE, ROW_A)]
    assert chains[ConnectorId("A01-1")] == [(Cause.MAXIMUM, None)], "fleet goes before the others"
    lowered = {g.connector: (episode.before_a[g.connector], g.limit_a) for g in episode.grants}
    assert lowered[ConnectorId("A02-1")][0] > lowered[ConnectorId("A02-1")][1] + 2.0


def test_a_lower_limit_would_have_avoided_it(day: tuple[Site, list[Recorded]]) -> None:
    """The new file's limit is named as the cause, its price is told, and the fuse is never over."""
    site, turns = day
    done = played(site, turns, replace(site, limits=(*site.limits, LOWER)))
    assert done.changed is not None
    before, after = done.running.tally, done.changed.tally
    assert before.feeders[ROW_A].over_s > 3.0
    assert after.feeders[ROW_A].over_s == 0.0
    assert after.feeders[ROW_A].peak_used < 1.0
    for name in ("A02-1", "A03-1", "A04-1"):
        assert after.connectors[ConnectorId(name)].energy_wh < before.connectors[ConnectorId(name)].energy_wh - 50.0
        first = done.differences[ConnectorId(name)]
        assert first.wall < turns[150].snapshot.wall, "it would have held them back long before"
        assert [step.cause for step in first.changed.chain[-2:]] == [Cause.LIMIT, Cause.STATIC]
        assert first.changed.chain[-1].limit == "evening"
        assert first.running.chain[-1].cause is Cause.FUSE


def test_what_ran_is_replayed_as_it_was(day: tuple[Site, list[Recorded]]) -> None:
    """The model of cars and chargers is judged by the record, once the cars have woken; twice the same is the same."""
    site, turns = day
    one, other = played(site, turns, site), played(site, turns)
    assert one.differences == {}
    assert one.changed is not None
    assert one.changed.tally == one.running.tally == other.running.tally
    strategy, compared = Strategy(site), 0
    for moment in moments([(turn, site) for turn in turns]):
        drawn = strategy.step(moment).flow.drawn_a
        if 110.0 < (moment.recorded.snapshot.wall - turns[0].snapshot.wall).total_seconds() < 148.0:
            compared += 1
            for name, amps in moment.drawn_a.items():
                assert max(drawn[name]) == pytest.approx(max(amps), abs=1.6), name
            assert sum(map(max, drawn.values())) == pytest.approx(sum(map(max, moment.drawn_a.values())), abs=2.0)
    assert compared > 30


def test_other_load_is_known_although_meter_and_chargers_are_read_seconds_apart(
    day: tuple[Site, list[Recorded]],
) -> None:
    """R10: a ramp of cars is no other load; the step of the other load is, at once and whole."""
    site, turns = day
    base = [m.base_a[ROW_A] for m in moments([(turn, site) for turn in turns]) if ROW_A in m.base_a]
    step = next(i for i, amps in enumerate(base) if amps[0] > 9.0 and i > 60)
    assert all(max(amps) < 0.5 for amps in base[60:step])
    assert all(abs(a - 18.0) < 0.5 for amps in base[step + 1 :] for a in amps)


def test_a_trace_that_does_not_say_who_asked_is_replayed_with_a_note(day: tuple[Site, list[Recorded]]) -> None:
    """Law 5: who got current counts as asking for it; the overload is found all the same."""
    site, turns = day
    done = played(site, [replace(turn, demands=None) for turn in turns])
    assert (Note.NO_DEMANDS, "") in done.notes
    assert done.running.tally.feeders[ROW_A].over_s > 3.0


def test_a_restart_of_the_computer_is_a_gap_and_not_a_day_of_nothing(day: tuple[Site, list[Recorded]]) -> None:
    """The boot clock starts anew, turns from 1; both strategies start anew, and missing time counts for nothing."""
    site, turns = day
    later = [
        replace(
            t,
            snapshot=replace(
                t.snapshot, turn=i + 1, at=t.snapshot.at - 900.0, wall=t.snapshot.wall + timedelta(hours=2)
            ),
        )
        for i, t in enumerate(turns[100:140])
    ]
    moved = [replace(t, snapshot=replace(t.snapshot, chargers={}, meters={})) for t in later]
    done = played(site, [*turns[:60], *moved])
    assert [note for note, _ in done.notes] == [Note.GAP]
    assert done.seconds < 120.0


def test_limits_set_for_a_time_hold_in_both(day: tuple[Site, list[Recorded]]) -> None:
    """B15: what the platform had limited then limits the replay too, and is named; one on nothing known is left out."""
    site, turns = day
    cloud = Limit("cloud-1", LimitSource.CLOUD, (30.0, 30.0, 30.0), feeder=ROW_A)
    lost = Limit("cloud-2", LimitSource.CLOUD, (6.0, 6.0, 6.0), feeder=FeederId("elsewhere"))
    done = played(site, [replace(turn, limits=(cloud, lost)) for turn in turns])
    assert done.running.tally.feeders[ROW_A].over_s == 0.0
    why = done.running.tally.connectors[ConnectorId("A02-1")].why
    assert any((Cause.LIMIT, ROW_A, "cloud-1") in chain for chain in why)


def renamed(site: Site) -> Site:
    """A01 gone, A05 new, A04 moved to row B, row A renamed with its meter, row B with a meter nobody knows."""
    feeders = tuple(
        replace(f, id=FeederId("row-x")) if f.id == ROW_A else f
        for f in changed(site, row_b={"meter": MeterId("m-new")}).feeders
    )

    def moved(charger: Charger) -> Charger:
        target = FeederId("row-b") if charger.id == "A04" else FeederId("row-x")
        return replace(
            charger,
            connectors=tuple(replace(c, feeder=target if c.feeder == ROW_A else c.feeder) for c in charger.connectors),
        )

    chargers = [moved(c) for c in site.chargers if c.id != "A01"]
    new = replace(chargers[0], id=ChargerId("A05"), unit=99)
    new = replace(new, connectors=(replace(new.connectors[0], id=ConnectorId("A05-1"), charger=ChargerId("A05")),))
    meters = (*site.meters, replace(site.meters[0], id=MeterId("m-new")))
    return replace(site, feeders=feeders, chargers=(*chargers, new), meters=meters)


def test_trees_that_differ_are_told_and_the_rest_is_compared(day: tuple[Site, list[Recorded]]) -> None:
    """Connector gone, new, moved; feeder renamed; meter unknown: a sentence each, and a result where it is sound."""
    site, turns = day
    new = renamed(site)
    told = set(tree_notes(site, new))
    assert {
        (Note.CONNECTOR_GONE, "A01-1"),
        (Note.CONNECTOR_NEW, "A05-1"),
        (Note.CONNECTOR_MOVED, "A04-1"),
        (Note.FEEDER_GONE, "row-a"),
        (Note.FEEDER_NEW, "row-x"),
        (Note.NO_METER, "hall"),
    } <= told
    assert (Note.METER_UNKNOWN, "row-b") not in told, "its feeder had a meter: its other load is known"
    done = played(site, turns, new)
    assert done.changed is not None
    after = done.changed.tally
    assert after.connectors[ConnectorId("A05-1")].energy_wh == 0.0
    assert after.connectors[ConnectorId("A02-1")].energy_wh > 300.0
    assert after.feeders[FeederId("row-b")].peak_a > 12.0, "the moved car draws there now"
    assert after.feeders[FeederId("row-x")].peak_a > 18.0, "the other load came along with its meter"
    assert ConnectorId("A01-1") not in done.differences


def test_a_new_meter_stands_at_the_worst_other_load_of_the_new_file(day: tuple[Site, list[Recorded]]) -> None:
    """R11: what no record holds is assumed at its worst, and said."""
    site, turns = day
    new = changed(site, hall={"meter": MeterId("m-new")})
    new = replace(new, meters=(*site.meters, replace(site.meters[0], id=MeterId("m-new"))))
    assert (Note.METER_UNKNOWN, "hall") in tree_notes(site, new)
    done = played(site, turns, new)
    assert done.changed is not None
    before = played(site, turns[:30]).running.tally.feeders[FeederId("hall")].peak_a
    assert done.changed.tally.feeders[FeederId("hall")].peak_a >= before + 8.0
    assert AlarmCode.METER_LOST not in {alarm.code for alarm in done.changed.tally.alarms}, "read, not lost"


def test_a_silent_charger_keeps_what_it_had_until_its_own_watchdog_ends(day: tuple[Site, list[Recorded]]) -> None:
    """R2: nothing reaches it; the others make room for it, as core would have."""
    site, turns = day
    name = ConnectorId("A02-1")

    def silent(turn: Recorded) -> Recorded:
        readings = {k: v for k, v in turn.snapshot.chargers.items() if k != name}
        readings[name] = turns[100].snapshot.chargers[name]
        return replace(turn, snapshot=replace(turn.snapshot, chargers=readings, misses={name: 5}))

    done = played(site, [*turns[:101], *(silent(turn) for turn in turns[101:])])
    alarms = {(alarm.code, alarm.subject) for alarm in done.running.tally.alarms}
    assert ("CHARGER_UNREACHABLE", "A02-1") in alarms
    whole = played(site, turns).running.tally.connectors[name]
    assert done.running.tally.connectors[name].mean_a < whole.mean_a, "it fell back to its fail-safe current"
