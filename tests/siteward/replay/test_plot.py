"""The plot of a replay: load against rating per feeder, on light and dark, in both languages (contract section 3)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from siteward.model.ids import FeederId
from siteward.replay.curves import Curves
from siteward.replay.plot import draw
from tests.siteward.control.sites import feeder

BEGAN = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
SVG = "{http://www.w3.org/2000/svg}"
GRID = FeederId("grid")


def curves(hours: float = 1.0) -> Curves:
    """The running load rises over the rating; the new one stays below; a hole in the middle."""
    found = Curves(BEGAN, BEGAN + timedelta(hours=hours))
    for i in range(round(hours * 3600)):
        wall = BEGAN + timedelta(seconds=i)
        if not 0.5 < i / (hours * 3600) < 0.6:
            found.put(GRID, "running", wall, 1.3 if i > 3000 else 0.9)
            found.put(GRID, "changed", wall, 0.7)
    return found


def paths(text: str, kind: str) -> list[str]:
    """The path data of a kind of line inside the panels."""
    root = ElementTree.fromstring(text)  # noqa: S314 - our own picture
    return [p.get("d", "") for p in root.iter(f"{SVG}path") if p.get("class") == kind]


def test_each_strategy_and_the_rating_have_a_line_and_a_hole_breaks_it() -> None:
    """Nothing is drawn where nothing is known (law 5)."""
    text = draw(curves(), [feeder("grid", 63.0)], ZONE, "en")
    (_, running), (_, new) = paths(text, "running"), paths(text, "changed")
    assert running.count("M") == new.count("M") == 2
    assert len(paths(text, "rating")) == 2
    assert not paths(text, "recorded")


def test_an_overload_is_drawn_above_the_rating() -> None:
    """SVG counts downwards: the highest point of the running line lies above the rating's, all of the new one below."""
    text = draw(curves(), [feeder("grid", 63.0)], ZONE, "en")
    level = float(paths(text, "rating")[1].split()[1].split("H")[0])

    def ys(kind: str) -> list[float]:
        return [float(part.split("H")[0].split()[1]) for part in paths(text, kind)[1].replace("L", "M").split("M")[1:]]

    assert min(ys("running")) < level
    assert min(ys("changed")) > level


def test_it_reads_on_dark_and_in_chinese_and_no_name_breaks_it() -> None:
    """Names come from a file: a bracket in one is text."""
    node = replace(feeder("grid", (63.0, 63.0, 40.0)), name="Hall <1> & yard")
    text = draw(curves(), [node, feeder("unknown", 10.0)], ZONE, "zh")
    root = ElementTree.fromstring(text)  # noqa: S314 - our own picture
    words = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert "Hall <1> & yard (grid), 63 / 40 A" in words
    assert "新配置" in words
    assert "prefers-color-scheme: dark" in text
    assert not any("unknown" in word for word in words), "a feeder without a curve has no panel"


def test_times_are_the_sites() -> None:
    """Marks are round local times, whatever the length of the day."""
    for hours, mark in ((0.05, "14:01:00"), (1.0, "14:30"), (24.0, "12:00")):
        assert f">{mark}<" in draw(curves(hours), [feeder("grid", 63.0)], ZONE, "en")


def test_a_day_is_a_few_hundred_points_of_its_highest_load() -> None:
    """24 h stay readable, and a second above the rating is not averaged away."""
    found = Curves(BEGAN, BEGAN + timedelta(hours=24))
    for i in range(86_400):
        found.put(GRID, "running", BEGAN + timedelta(seconds=i), 1.5 if i == 40_000 else 0.5)
    line = found.lines[GRID]["running"]
    assert len(line) <= 720
    assert sorted(set(line), key=str) == [0.5, 1.5]
    found.put(GRID, "running", BEGAN - timedelta(hours=1), 2.0)
    found.put(GRID, "running", BEGAN + timedelta(hours=30), 2.0)
    assert (line[0], line[-1]) == (2.0, 2.0)
