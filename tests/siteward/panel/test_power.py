"""S-42: the picture of a session: what was recorded and nothing else, prices, pauses and gaps marked, told in words."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from siteward.client.bills import recompute
from siteward.client.curve_messages import CurveMessage, GapMessage, StretchMessage
from siteward.panel.picture import Picture, picture, span
from siteward.panel.prices import bands
from siteward.panel.scales import step_of, time_ticks
from tests.fixtures import curves
from tests.siteward.panel.conftest import Panel
from tests.siteward.panel.test_bill_page import evidence as billed

SHANGHAI = ZoneInfo("Asia/Shanghai")
END = curves.BEGIN + timedelta(minutes=80)


def drawn(curve: CurveMessage, end: datetime = END) -> Picture:
    whole = curves.evidence()
    return picture(curve, bands(recompute(whole), whole.session, curves.BEGIN, end), curves.BEGIN, end, SHANGHAI)


def places(path: str) -> list[list[tuple[int, int]]]:
    """The points of each part of a path."""
    return [[(int(x), int(y)) for x, y in re.findall(r"(-?\d+) (-?\d+)", part)] for part in path.split("M") if part]


def test_lines_go_only_where_something_was_recorded() -> None:
    """Law 5: nothing crosses a gap, nothing was read while the charger was silent; the offer is ours and goes on."""
    d = drawn(curves.curve())
    width = 10_000 / 80
    parts = places(d.measured)
    assert [(round(p[0][0] / width), round(max(x for x, _ in p) / width)) for p in parts] == [(0, 45), (58, 80)]
    offers = places(d.offered)
    assert [(round(p[0][0] / width), round(p[-1][0] / width)) for p in offers] == [(0, 48), (58, 80)]
    for part in (*parts, *offers):
        for one, other in pairwise(part):
            assert one[0] == other[0] or one[1] == other[1], "straight on, or straight up or down"
    assert (d.low_w, d.high_w) == (0, 10_950 - 0)
    assert [(g.x, g.width) for g in d.gaps] == [("60.00", "12.50")]
    assert d.kinds == ("starting", "charging", "station", "unread", "car")


def test_prices_are_bands_with_their_boundary() -> None:
    """S-18: the peak price ends at 11:00 by the site's clock, 40 of 80 minutes into the session."""
    d = drawn(curves.curve())
    assert [(p.x, p.width, p.label, p.rank) for p in d.prices] == [
        ("0.00", "50.00", "峰", 3),
        ("50.00", "50.00", "平", 0),
    ]
    assert d.boundaries == (("50.00", True),)
    assert [(p.name, p.per_kwh, p.currency) for p in d.price_list] == [("平", "1.3007", "CNY"), ("峰", "1.7009", "CNY")]


def test_what_was_billed_says_where_a_boundary_lies() -> None:
    """S-16: segments before tariffs, and an estimate at a boundary is shown as one; one price is one band."""
    found = recompute(billed("S1"))
    begin, end = found.segments[0].begin, found.segments[-1].end
    (band,) = bands(found, billed("S1").session, begin, end)
    assert (band.begin, band.end, band.name) == (begin, end, "峰")
    assert not bands(recompute(billed("S1").model_copy(update={"tariffs": ()})), billed("S1").session, begin, end)


def test_a_record_that_begins_late_or_ends_early_has_gaps_there() -> None:
    curve = curves.curve(points=(curves.stretch(10, 1, 5, 9), curves.stretch(11, 1, 5, 9)), gaps=())
    begin, end = span(curve, curves.BEGIN, END, END + timedelta(days=3))
    assert (begin, end) == (curves.BEGIN, END)
    assert [(g.x, g.width) for g in drawn(curve).gaps] == [("0.00", "12.50"), ("15.00", "85.00")]
    running = span(curve, curves.BEGIN, None, curves.BEGIN + timedelta(minutes=12, seconds=20))
    assert running[1] == curves.BEGIN + timedelta(minutes=12), "the newest stretch is on its way"
    stuck = span(curve, curves.BEGIN, None, curves.BEGIN + timedelta(minutes=40))
    assert stuck[1] == curves.BEGIN + timedelta(minutes=40), "nothing recorded for half an hour is shown"


def test_a_year_of_prices_leaves_the_power_to_be_seen() -> None:
    """A clock that was years off draws no fence of boundaries and no ticks without end."""
    points = (curves.stretch(0, 1, 5, 9), curves.stretch(400 * 1440, 1, 5, 9))
    d = drawn(curves.curve(points=points, gaps=()), curves.BEGIN + timedelta(days=401))
    assert d.boundaries == ()
    assert len(d.prices) <= 400
    assert len(d.times) <= 60


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(1, 300), st.none() | st.integers(-500, 400_000), st.integers(0, 9)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([690.0, 230.0, None]),
)
def test_any_course_stays_inside_its_frame(rows: list[tuple[int, int, int | None, int]], w_per_a: float | None) -> None:
    """Whatever was recorded: no place outside of the plot, no box outside of 0..100 %, every value below the top."""
    at, points = 0, []
    for hole, length, power, spread in rows:
        at += hole
        high = None if power is None else power + spread
        limit = max(0, power or 0)
        points.append(
            StretchMessage(
                begin=int(curves.BEGIN.timestamp()) + at,
                end=int(curves.BEGIN.timestamp()) + at + length,
                state="charging" if spread % 2 else "station",
                low_w=power,
                high_w=high,
                low_limit_w=limit // 2,
                high_limit_w=limit,
            )
        )
        at += length
    curve = CurveMessage(points=tuple(points), gaps=(GapMessage(begin=0, end=9_999_999_999),), w_per_a=w_per_a)
    end = curves.BEGIN + timedelta(seconds=at)
    d = picture(curve, (), curves.BEGIN, end, UTC)
    for path in (d.area, d.measured, d.offered):
        for part in places(path):
            assert all(0 <= x <= 10_000 and 0 <= y <= 1_000 for x, y in part)
            assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(part))
    for box in (*d.states, *d.gaps):
        assert float(box.x) >= 0.0
        assert float(box.x) + float(box.width) <= 100.02
    assert all(0.0 <= float(t.place) <= 180.0 for t in (*d.kilowatts, *d.amps))
    assert 2 <= len(d.kilowatts) <= 6
    assert len(d.amps) <= 6
    assert bool(d.amps) is (w_per_a is not None)
    assert len(d.times) <= 13
    assert sum(t.narrow for t in d.times) <= 6


@pytest.mark.parametrize(
    ("minutes", "wide", "narrow"),
    [
        (0.5, ["23:40:10", "23:40:20"], 2),
        (80, ["23:50", "07-01", "00:10"], 3),
        (1440, ["07-01", "03:00"], 4),
        (10_000, ["07-01", "07-02"], 1),
    ],
)
def test_ticks_are_round_times_of_the_site(minutes: float, wide: list[str], narrow: int) -> None:
    begin = datetime(2026, 6, 30, 23, 40, 3, tzinfo=SHANGHAI)
    ticks = time_ticks(begin, begin + timedelta(minutes=minutes), SHANGHAI)
    told = [t.text for t in ticks]
    assert all(text in told for text in wide), told
    assert len(ticks) <= 11
    assert narrow <= sum(t.narrow for t in ticks) <= 5
    assert all(begin <= t.at <= begin + timedelta(minutes=minutes) for t in ticks)


def test_ticks_survive_the_hour_that_comes_twice_and_the_one_that_never_comes() -> None:
    """B24: in Berlin on 25 October and 29 March."""
    berlin = ZoneInfo("Europe/Berlin")
    for day in (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 3, 28, 23, 0, tzinfo=UTC)):
        ticks = time_ticks(day, day + timedelta(hours=6), berlin)
        assert 5 <= len(ticks) <= 8
        assert all(t.at.astimezone(berlin).minute == 0 for t in ticks)
    assert step_of(11.48, 5) == 5.0
    assert step_of(4.9, 5) == 1.0
    assert step_of(390.0, 5) == 100.0


async def test_the_page_shows_and_tells_it(panel: Panel) -> None:
    """Both languages, by the site's clock, with words and a table for who does not see the picture."""
    await panel.login()
    panel.core.timezone = "Asia/Shanghai"
    panel.desk.hub._frame.cache.clear()
    panel.core.bills["S1"], panel.core.curves["S1"] = curves.evidence(ended_at=END), curves.curve()
    page = (await panel.client.get("/sessions/S1")).text
    assert '<svg class="chart" role="img" aria-labelledby="power-title" aria-describedby="power-desc">' in page
    for said in (
        "measured 0.0–10.9 kW, offered 0.0–16.0 A.",
        "Pauses: 2. Times without a record: 1.",
        "Price boundaries: 1; prices: 平 1.3007 CNY/kWh, 峰 1.7009 CNY/kWh.",
        "paused by the station",
        "charger silent",
        "nothing recorded",
        "1 A offered is 0.69 kW",
        "10.2–10.9 kW",
    ):
        assert said in page, said
    await panel.client.get("/language/zh")
    page = (await panel.client.get("/sessions/S1")).text
    for said in ("功率曲线", "实测功率 0.0–10.9 kW，允许值 0.0–16.0 A。", "充电站暂停", "无记录", "以表格查看"):
        assert said in page, said


async def test_a_session_without_a_record_says_so(panel: Panel) -> None:
    """Older than what is kept, never recorded, or not to be read now: said, never an empty picture."""
    await panel.login()
    panel.core.bills["S1"] = curves.evidence()
    page = (await panel.client.get("/sessions/S1")).text
    assert "nothing of this session&#39;s power was recorded" in page
    assert '<svg class="chart"' not in page
    panel.core.curves["S1"] = CurveMessage(kept_since=curves.BEGIN + timedelta(days=2))
    assert "older than what is kept of power (since 2026-07-03 " in (await panel.client.get("/sessions/S1")).text
    late = curves.curve(
        points=tuple(p for p in curves.curve().points if p.begin > curves.BEGIN.timestamp() + 1800),
        kept_since=curves.BEGIN + timedelta(minutes=30),
    )
    panel.core.curves["S1"] = late
    assert "The beginning of this session is older than what is kept." in (await panel.client.get("/sessions/S1")).text


async def test_a_running_session_looks_again_and_that_keeps_nobody_logged_in(panel: Panel) -> None:
    """Fault 71: a page left open for half an hour is one that nobody looks at."""
    await panel.login()
    panel.core.bills["S1"], panel.core.curves["S1"] = curves.evidence(), curves.curve()
    assert 'hx-trigger="every 30s"' in (await panel.client.get("/sessions/S1")).text
    for _ in range(40):
        panel.clock.at += 60.0
        answer = await panel.client.get("/sessions/S1", headers={"hx-request": "true"})
    assert answer.status_code == 401
    await panel.login()
    panel.core.bills["S1"] = curves.evidence(state="FINISHED", ended_at=END)
    assert 'hx-trigger="every 30s"' not in (await panel.client.get("/sessions/S1")).text
