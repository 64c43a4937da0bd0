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


def _again(first_a: float) -> Watch:
    """A cut to 6 A that was answered at 100.1, and the same again inside the poll sent at 105.0."""
    first = Flight(first_a, 3, 102.0, raises=False, sends=1)._replace(sent_at=100.0, answered_at=100.1)
    again = Flight(6.0, 9, 108.0, raises=False, sends=1)._replace(sent_at=106.0, answered_at=106.1)
    return Watch(conf_a=16.0, limit_a=6.0, flights=(first, again), unread=False)


def test_r5_a_cut_repeated_inside_every_poll_is_still_believed():
    """A KEBA takes longer for a poll than its cuts are apart: its pause was never confirmed, its session never over."""
    watch = _again(6.0)
    settle(OUTLET, watch, ChargerReading(OUTLET.id, sent_at=105.0, set_point_a=6.0))
    assert watch.conf_a == 6.0
    assert [flight.turn for flight in watch.flights] == [9]


def test_r5_a_value_that_only_the_overtaking_write_asked_for_proves_nothing():
    """What came before it asked for something else, so that the poll was overtaken."""
    watch = _again(8.0)
    settle(OUTLET, watch, ChargerReading(OUTLET.id, sent_at=105.0, set_point_a=6.0))
    assert watch.conf_a == 16.0
