"""A meter, a contract, and windows in their course, laid out by hand."""

from __future__ import annotations

from siteward.control.window import Window
from siteward.model.ids import MeterId
from siteward.model.readings import MeterReading
from siteward.model.rules import DemandWindow

METER = MeterId("m-grid")
AT = 10_000.0
RULE = DemandWindow(METER, 36_000.0, 900.0, aligned=True, margin=0.1)
"""9 kWh in a quarter of an hour, of which 8.1 are used."""


def reading(
    sent_at: float, wh: int | None = None, watts: float | None = None, amps: float | None = None
) -> MeterReading:
    """An answer of the meter."""
    return MeterReading(METER, sent_at, None if amps is None else (amps,) * 3, power_w=watts, energy_wh=wh)


def running(begun_s: float | None, used_wh: float, since: float | None = None) -> Window:
    """A window that began so long ago and has used so much."""
    begun_at = None if begun_s is None else AT - begun_s
    trail = ((AT - 2000.0, 0.0), (AT - (begun_s or 0.0), 100.0), (AT, 100.0 + used_wh))
    return Window(trail, AT - 2000.0 if since is None else since, begun_at=begun_at, begun_wh=100.0)


def known(register: float | None = 1000.0, since: float = AT) -> Window:
    """A window that stands at 50 Wh and this register."""
    return Window(((since - 100.0, 0.0), (since, 50.0)), since - 100.0, register)
