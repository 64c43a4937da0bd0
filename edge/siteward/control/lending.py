"""A phase that a car leaves unused is lent to others only while the fuse could carry it there for 10 s (R9, 6c)."""

from math import inf

from siteward.control.caps import K10
from siteward.control.tree import Outlet
from siteward.control.work import Work


def lent_bound(work: Work, o: Outlet) -> tuple[float, int]:
    """The most that an outlet may have for the sake of the phases that it lends, in A, and the cell that says so.

    No bound, and -1, where it lends nothing. What others have on that phase this instant does not pause it, for they
    are cut first (R12): only the load that nobody can lower does.
    """
    mask, found = work.used[o.index], (inf, -1)
    for phase in range(o.phases):
        if mask >> phase & 1:
            continue
        for cell in o.by_phase[phase]:
            left = K10 * work.tree.rating[cell] - work.base_cut[cell]
            amps = max(left - work.total_a[cell], min(o.floor_a, left))
            if amps < found[0]:
                found = (amps, cell)
    return found
