"""Which fuses other load could bring over their rating just now: their meters are worth more than a poll a second."""

from collections.abc import Iterable, Mapping

from siteward.control.load import FeederBook
from siteward.model.ids import ConnectorId, FeederId, MeterId
from siteward.model.readings import ChargerReading
from siteward.model.site import Feeder, Site
from siteward.model.units import ZERO

_DRAWS_A = 1.0


class Reach:
    """The metered fuses of a site, each with the connectors below it."""

    def __init__(self, site: Site) -> None:
        below: dict[FeederId, list[ConnectorId]] = {feeder.id: [] for feeder in site.feeders}
        for connector in site.connectors:
            for feeder in site.path(connector.feeder):
                below[feeder.id].append(connector.id)
        self._metered = [(feeder, feeder.meter, below[feeder.id]) for feeder in site.feeders if feeder.meter]

    def within(
        self, books: Mapping[FeederId, FeederBook], chargers: Mapping[ConnectorId, ChargerReading]
    ) -> frozenset[MeterId]:
        """Meters of fuses below which somebody draws and which the worst other load would bring over their rating.

        Everything that the chargers below may draw counts, not what they do draw.
        """
        return frozenset(
            meter
            for feeder, meter, below in self._metered
            if _reachable(feeder, books.get(feeder.id)) and _draws(chargers.get(connector) for connector in below)
        )


def _reachable(feeder: Feeder, book: FeederBook | None) -> bool:
    if book is None:
        return False
    worst = ZERO if feeder.chargers_only else feeder.worst_base_load_a
    return any(book.reserved_a[p] + worst[p] > feeder.rating_a[p] for p in range(3))


def _draws(readings: Iterable[ChargerReading | None]) -> bool:
    """Whether somebody draws current; a charger that does not measure draws when it says that it charges."""
    for reading in readings:
        if reading is None:
            continue
        if reading.charging if reading.measured_a is None else max(reading.measured_a) >= _DRAWS_A:
            return True
    return False
