"""The gate of who has none: nothing risky is driven."""

from siteward.model.points import Drive


class ClosedGate:
    """Implements model.ports.DriveGate for stations without barriers and locks."""

    def may_drive(self, drive: Drive, at: float) -> bool:
        """Never."""
        return False
