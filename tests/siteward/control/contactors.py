"""The contactors of a box in the truth model: they switch, stick, or say that they switched and did not."""

from __future__ import annotations

from dataclasses import dataclass, field

ONE, THREE = 1, 3
DEAD_S, BETWEEN_S, MOST = 40.0, 600.0, 4
"""No current for 10 s and 30 s of dead time lie before a switch; 10 minutes between two; so many in a session."""


@dataclass
class Contactors:
    """How many phases are closed in truth, what the register says, and every promise about them that was broken.

    mode: obeys, stuck (the register keeps the truth), lies (the register takes over what was written), back (closes
    three phases again under way, the register keeps saying one).
    """

    mode: str = "obeys"
    closed: int = THREE
    shown: int = THREE
    flowed_at: float = -1e9
    moved: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def closes(self, phase: int) -> bool:
        """Whether charger phase 0..2 is fed."""
        return phase == 0 or self.closed == THREE

    def flow(self, at: float, amps: float) -> None:
        """Current flows now."""
        if amps >= 0.5:
            self.flowed_at = at

    def order(self, at: float, phases: int) -> None:
        """A write arrived; law of B14: never under load, never soon after another, not too often."""
        if at - self.flowed_at < DEAD_S:
            self.broken.append(f"told at {at:.1f}, current flowed at {self.flowed_at:.1f}")
        if self.moved and at - self.moved[-1] < BETWEEN_S:
            self.broken.append(f"told at {at:.1f}, {at - self.moved[-1]:.0f} s after the last time")
        self.moved.append(at)
        if self.mode in ("obeys", "back"):
            self.closed = phases
        if self.mode != "stuck":
            self.shown = phases
