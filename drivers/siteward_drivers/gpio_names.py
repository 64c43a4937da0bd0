"""Which chips of the computer itself a site names: asked before the drivers of their lines are loaded (goal 14)."""

from siteward.model.access import Barrier, Lock
from siteward.model.points import GPIO_PREFIX, PointName, device_of
from siteward.model.site import Site


def gpio_names(site: Site) -> list[str]:
    """Every chip that barriers, locks, limits and feeders of the site name, as `gpio:chip`."""
    points: list[PointName] = []
    arms: list[Barrier | Lock] = [*site.barriers, *site.locks]
    for arm in arms:
        points += [*arm.motion.outputs, *(contact.point for contact in arm.contacts)]
    points += [*site.watched_points, *site.trips.values()]
    return sorted({device_of(point) for point in points if point.startswith(GPIO_PREFIX)})
