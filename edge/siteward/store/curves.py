"""The power of sessions beside the trace: short stretches of each, bounded in number, thinned by SQLite itself."""

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

from siteward.model.curve import Curve, CurveState, Drawn, Gap, Stretch
from siteward.model.ids import SessionId

MOST_ROWS = 1_000_000
"""Stretches that are kept, about 45 MB: of six connectors that charge eight hours a day the last four weeks."""

GAP_S = 10
"""Nothing recorded for so long is a gap: control misses no turn by so much."""

MOST_RUNS = 60
MOST_GAPS = 200

_INSERT = """
INSERT INTO curve VALUES ((SELECT id FROM curve_of WHERE session = ?), ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (of, at) DO UPDATE SET
    until = max(until, excluded.until),
    state = excluded.state,
    low_w = min(coalesce(low_w, excluded.low_w), coalesce(excluded.low_w, low_w)),
    high_w = max(coalesce(high_w, excluded.high_w), coalesce(excluded.high_w, high_w)),
    low_limit_w = min(low_limit_w, excluded.low_limit_w),
    high_limit_w = max(high_limit_w, excluded.high_limit_w)
"""
_DROP = "DELETE FROM curve WHERE (of, at) IN (SELECT of, at FROM curve ORDER BY of, at LIMIT ?)"
_DROP_NAMES = "DELETE FROM curve_of WHERE id < coalesce((SELECT min(of) FROM curve), 0)"

# One pass in C: of a day of 17,000 stretches no more than a screen has pixels ever become Python objects.
_POINTS = """
SELECT min(at), max(until), state, min(low_w), max(high_w), min(low_limit_w), max(high_limit_w)
FROM curve WHERE of = :of GROUP BY (at - :begin) / :width, state ORDER BY 1, 2
"""
_BESIDE = """
SELECT *, lag(state) OVER (ORDER BY at) AS was, lag(until) OVER (ORDER BY at) AS before FROM curve WHERE of = :of
"""
_RUNS = f"""
SELECT min(at), max(until), state, min(low_w), max(high_w), min(low_limit_w), max(high_limit_w)
FROM (SELECT *, sum(was IS NOT state OR at - before > {GAP_S}) OVER (ORDER BY at) AS run FROM ({_BESIDE}))
GROUP BY run ORDER BY run LIMIT {MOST_RUNS + 1}
"""  # noqa: S608 - numbers of this file
_GAPS = f"SELECT before, at FROM ({_BESIDE}) WHERE at - before > {GAP_S} ORDER BY at LIMIT {MOST_GAPS}"  # noqa: S608


def insert(connection: sqlite3.Connection, rows: Sequence[Drawn]) -> None:
    """Write stretches; one that is there already (the clock went back) then holds both."""
    connection.executemany(
        "INSERT OR IGNORE INTO curve_of (session, w_per_a) VALUES (?, ?)",
        list(dict.fromkeys((row.session, row.w_per_a) for row in rows)),
    )
    connection.executemany(
        _INSERT,
        [
            (row.session, s.begin, s.end, s.state.value, s.low_w, s.high_w, s.low_limit_w, s.high_limit_w)
            for row in rows
            for s in (row.stretch,)
        ],
    )


def prune(connection: sqlite3.Connection, most: int = MOST_ROWS) -> None:
    """Drop the oldest stretches above `most`."""
    rows = int(connection.execute("SELECT count(*) FROM curve").fetchone()[0])
    if rows > most:
        connection.execute(_DROP, (rows - most,))
        connection.execute(_DROP_NAMES)


def read(connection: sqlite3.Connection, session: SessionId, points: int) -> Curve:
    """What is kept of a session, in about so many points."""
    oldest = connection.execute("SELECT at FROM curve ORDER BY of, at LIMIT 1").fetchone()
    since = None if oldest is None else datetime.fromtimestamp(oldest[0], UTC)
    known = connection.execute("SELECT id, w_per_a FROM curve_of WHERE session = ?", (session,)).fetchone()
    if known is None:
        return Curve(kept_since=since)
    of = {"of": known[0]}
    begin, end = connection.execute("SELECT min(at), max(until) FROM curve WHERE of = :of", of).fetchone()
    if begin is None:
        return Curve(kept_since=since)
    width = max(1, -(-(end - begin) // max(1, points)))
    runs = connection.execute(_RUNS, of).fetchall()
    return Curve(
        points=tuple(map(_stretch, connection.execute(_POINTS, {**of, "begin": begin, "width": width}).fetchall())),
        runs=tuple(map(_stretch, runs[:MOST_RUNS])),
        gaps=tuple(Gap(*row) for row in connection.execute(_GAPS, of).fetchall()),
        more=len(runs) > MOST_RUNS,
        w_per_a=known[1],
        kept_since=since,
    )


def _stretch(row: tuple[int, int, str, int | None, int | None, int, int]) -> Stretch:
    return Stretch(row[0], row[1], CurveState(row[2]), *row[3:])
