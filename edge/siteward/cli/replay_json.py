"""The result of `replay` for programs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from siteward.model.alarms import ALARMS
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant
from siteward.panel.words import say
from siteward.replay.compare import Difference, Replay, Run
from siteward.replay.obedience import Disobedience
from siteward.replay.tally import ConnectorTally, Episode, FeederTally
from siteward.replay.words import NOTES, WORDS

PHASES = ("L1", "L2", "L3")


def as_json(done: Replay, language: str) -> dict[str, Any]:
    """One document; times are UTC, currents A, energies Wh."""
    document: dict[str, Any] = {
        "began": _time(done.began),
        "ended": _time(done.ended),
        "length_s": round(done.seconds, 1),
        "assumption": say(WORDS["open_loop"], language),
        "notes": [
            {"code": note.value, "subject": subject, "text": say(NOTES[note], language, subject=subject)}
            for note, subject in done.notes
        ],
        "recorded": {
            "feeders": {name: _feeder(tally) for name, tally in done.recorded.items()},
            "disobeyed": {name: _disobeyed(d) for name, d in done.disobeyed.items()},
        },
        "running": _run(done.running, language),
    }
    if done.changed is not None:
        document["new"] = _run(done.changed, language)
        document["firstDifferences"] = [_difference(d) for d in sorted(done.differences.values(), key=lambda d: d.wall)]
    return document


def _run(run: Run, language: str) -> dict[str, Any]:
    tally = run.tally
    return {
        "siteHash": run.site.hash,
        "feeders": {name: _feeder(f) for name, f in tally.feeders.items()},
        "connectors": {name: _connector(c) for name, c in tally.connectors.items()},
        "alarms": [
            {
                "code": alarm.code.value,
                "subject": alarm.subject,
                "first": _time(first),
                "length_s": round(length, 1),
                "text": say(ALARMS[alarm.code], language, subject=alarm.subject),
            }
            for alarm, (first, length) in tally.alarms.items()
        ],
        "overloads": [_episode(e) for e in tally.episodes],
        "overloadsLeftOut": tally.episodes_left_out,
    }


def _feeder(f: FeederTally) -> dict[str, Any]:
    return {
        "rating_a": list(f.rating_a),
        "metered": f.metered,
        "peak_a": round(f.peak_a, 2),
        "peakPhase": PHASES[f.peak_phase],
        "peakAt": _time(f.peak_at),
        "peakShare": round(f.peak_used, 4),
        "over_s": round(f.over_s, 1),
        "longestOver_s": round(f.longest_over_s, 1),
        "sheds": f.sheds,
    }


def _connector(c: ConnectorTally) -> dict[str, Any]:
    return {
        "energy_wh": round(c.energy_wh),
        "mean_a": round(c.mean_a, 2),
        "drawing_s": round(c.drawing_s),
        "wanted_s": round(c.wanted_s),
        "paused_s": round(c.paused_s),
        "pauses": c.pauses,
        "why": [
            {
                "chain": [{"cause": cause.value, "feeder": feeder, "limit": limit} for cause, feeder, limit in chain],
                "length_s": seconds,
            }
            for chain, seconds in c.why.most_common()
        ],
    }


def _disobeyed(d: Disobedience) -> dict[str, Any]:
    return {
        "first": _time(d.first),
        "over_s": round(d.over_s, 1),
        "longestOver_s": round(d.longest_s, 1),
        "mostOver_a": round(d.most_a, 2),
        "granted_a": d.granted_a,
    }


def _episode(e: Episode) -> dict[str, Any]:
    return {
        "feeder": e.feeder,
        "began": _time(e.began),
        "ended": _time(e.ended),
        "over_s": round(e.seconds, 1),
        "phase": PHASES[e.phase],
        "peak_a": round(e.peak_a, 2),
        "rating_a": e.rating_a,
        "otherLoad_a": round(e.base_a, 2),
        "forcedCut": e.forced,
        "connectors": [_grant(grant, e.before_a) for grant in e.grants],
    }


def _difference(d: Difference) -> dict[str, Any]:
    return {
        "connector": d.connector,
        "at": _time(d.wall),
        "running": {"limit_a": d.running_a, "chain": _chain(d.running)},
        "new": {"limit_a": d.changed_a, "chain": _chain(d.changed)},
    }


def _grant(grant: Grant, before_a: Mapping[ConnectorId, float]) -> dict[str, Any]:
    return {
        "connector": grant.connector,
        "before_a": before_a.get(grant.connector),
        "limit_a": grant.limit_a,
        "target_a": grant.target_a,
        "chain": _chain(grant),
    }


def _chain(grant: Grant) -> list[dict[str, Any]]:
    return [
        {"cause": link.cause.value, "limit_a": link.limit_a, "feeder": link.feeder, "limit": link.limit}
        for link in grant.chain
    ]


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")
