"""The right to drive an arm into the way, judged at the instant of sending from its newest step (I11, I12)."""

from siteward.control.access import Arm, ArmMemory, may_block
from siteward.model.points import Drive, PointName


class ArmGate:
    """model.ports.DriveGate over the newest step of every arm; before the first one nothing risky may go out."""

    def __init__(self) -> None:
        self._arms: dict[PointName, tuple[Arm, ArmMemory]] = {}

    def renew(self, arm: Arm, memory: ArmMemory) -> None:
        """Judge an arm by this memory from now on."""
        self._arms[arm.motion.block] = (arm, memory)

    def may_drive(self, drive: Drive, at: float) -> bool:
        """Whether the arm is still on its way and the way still free."""
        found = self._arms.get(drive.point)
        return found is not None and may_block(found[0], found[1], at)
