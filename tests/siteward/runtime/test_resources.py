"""S-59: the controller's own processor, memory and disk, measured and judged like any other figure."""

from dataclasses import replace
from pathlib import Path

from siteward.model.alarms import Alarm, AlarmCode, Severity
from siteward.model.watch import AlarmRule, Figure, Watched
from siteward.runtime.alarm_watch import REPORT_S, AlarmWatch, WatchPorts
from siteward.runtime.resources import Resources
from tests.fixtures.sites import small_site
from tests.siteward.panel.conftest import HandClock

CPU, MEMORY, DISK = ((Watched.STATION, f) for f in (Figure.CPU_PERCENT, Figure.MEMORY_PERCENT, Figure.DISK_PERCENT))


class Nothing:
    """No device has said anything yet."""

    meters = chargers = misses = {}  # type: ignore[var-annotated]  # noqa: RUF012


def proc(folder: Path, busy: int, idle: int, free_kb: int) -> Path:
    """The kernel's own figures."""
    (folder / "stat").write_text(f"cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 1 1 1\n")
    (folder / "meminfo").write_text(f"MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: {free_kb} kB\n")
    return folder


def test_figures_are_shares_of_the_whole_machine(tmp_path: Path) -> None:
    """S-59: the processor's since the last look, memory that nobody could have, the disk of the state."""
    resources = Resources(tmp_path, lambda: 0.0, proc(tmp_path, 100, 900, 400))
    first = resources.measure()
    assert (first[CPU], first[MEMORY]) == (None, 60.0)
    assert 0.0 < (first[DISK] or 0.0) < 100.0
    proc(tmp_path, 190, 910, 50)
    assert (resources.measure()[CPU], resources.measure()[MEMORY]) == (90.0, 95.0)


def test_a_service_that_sees_no_machine_tells_its_own_share(tmp_path: Path) -> None:
    """S-59: ProcSubset=pid hides /proc/stat and /proc/meminfo from core."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "statm").write_text("1000 100 50 1 0 1 0\n")
    now = iter((10.0, 20.0))
    resources = Resources(tmp_path / "gone", lambda: next(now), tmp_path)
    resources.measure()
    figures = resources.measure()
    assert figures[CPU] is not None
    assert 0.0 <= figures[CPU] < 100.0
    assert figures[MEMORY] is not None
    assert figures[MEMORY] < 1.0
    assert figures[DISK] is None


async def test_the_watch_judges_what_was_measured_and_what_sync_says() -> None:
    """S-59, S-89, fault 39: resources and backlog by rule; an output that fails is an alarm while sync lives."""
    rules = (
        AlarmRule("disk", Watched.STATION, Figure.DISK_PERCENT, Severity.MEDIUM, above=85.0),
        AlarmRule("slow", Watched.STATION, Figure.TURN_MS, Severity.MEDIUM, above=500.0),
        AlarmRule("backlog", Watched.UPLINK, Figure.BACKLOG_EVENTS, Severity.MEDIUM, above=5000.0),
        AlarmRule("up", Watched.UPLINK, Figure.SILENT_S, Severity.MEDIUM, above=120.0),
    )
    site = replace(small_site(), alarms=rules, cloud=True)
    clock = HandClock()
    watch = AlarmWatch(
        site, clock, Nothing(), WatchPorts(lambda: {DISK: 91.0}, turn_ms=lambda: 20.0, backlog=lambda: 6000)
    )
    watch._figures = {DISK: 91.0}
    watch.look()
    assert {a.code for a in watch.alarms} == {AlarmCode.DISK_HIGH, AlarmCode.UPLINK_BACKLOG}
    watch.report(connected=True, failing=("mail",))
    assert watch.failing == {Alarm(AlarmCode.OUTPUT_FAILED, "mail")}
    clock.at += REPORT_S + 1.0
    assert watch.failing == frozenset()
    clock.at += 100.0
    watch.look()
    assert AlarmCode.UPLINK_LOST in {a.code for a in watch.alarms}
    watch.report(connected=True, failing=())
    watch.look()
    assert AlarmCode.UPLINK_LOST not in {a.code for a in watch.alarms}
