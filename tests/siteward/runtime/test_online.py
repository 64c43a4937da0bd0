"""Whether the platform can be reached: by sync's word, and no longer than that word is fresh (B17, law 5)."""

from types import SimpleNamespace

from siteward.runtime.alarm_watch import REPORT_S, AlarmWatch, WatchPorts
from tests.fixtures.clock import RealClock
from tests.fixtures.sites import two_connector_site


class HandClock(RealClock):
    """A clock that a test moves."""

    at = 100.0

    def now(self) -> float:
        """What the test says."""
        return self.at


def test_silence_is_a_no() -> None:
    """Law 5: nothing said, said long ago, and said no are all offline."""
    clock = HandClock()
    watch = AlarmWatch(two_connector_site(), clock, SimpleNamespace(chargers={}, meters={}, misses={}), WatchPorts())  # type: ignore[arg-type]
    assert not watch.online
    watch.report(connected=True, failing=())
    clock.at += REPORT_S
    assert watch.online
    clock.at += 0.1
    assert not watch.online
    watch.report(connected=True, failing=())
    watch.report(connected=False, failing=())
    assert not watch.online
