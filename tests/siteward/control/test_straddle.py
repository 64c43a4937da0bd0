"""A poll takes several requests; a write that goes out between them is ours, not a stranger's (R5)."""

from siteward.control.flight import settle
from siteward.control.memory import Flight, Watch
from siteward.control.tree import tree_of
from siteward.model.readings import ChargerReading
from tests.fixtures.sites import two_connector_site

OUTLET = tree_of(two_connector_site()).outlets[0]


def _watch(value_a: float, sent_at: float) -> Watch:
    flight = Flight(value_a, 3, sent_at + 2.0, raises=value_a > 6.0, sends=1)._replace(sent_at=sent_at)
    return Watch(conf_a=6.0, limit_a=value_a, flights=(flight,), unread=False)


def test_r5_a_write_inside_a_poll_is_neither_foreign_nor_confirmed():
    watch = _watch(8.5, sent_at=100.1)
    reading = ChargerReading(OUTLET.id, sent_at=100.0, set_point_a=8.5)
    assert settle(OUTLET, watch, reading) is False
    assert watch.conf_a == 6.0
    assert len(watch.flights) == 1


def test_r5_another_value_inside_a_poll_is_foreign():
    watch = _watch(8.5, sent_at=100.1)
    reading = ChargerReading(OUTLET.id, sent_at=100.0, set_point_a=14.0)
    assert settle(OUTLET, watch, reading) is True
    assert watch.conf_a == 14.0
