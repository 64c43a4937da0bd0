"""A ration of notes about refusals: whoever sends rubbish may fill the journal only slowly."""

BURST = 30
REFILL_S = 60.0


class Ration:
    """At most 30 notes at once, then one a minute; what was left out is counted for the next one. Times are Clock's."""

    def __init__(self, now: float) -> None:
        self._tokens = float(BURST)
        self._at = now
        self.left_out = 0

    def take(self, now: float) -> bool:
        """Whether one more note may be written; if not, it counts as left out."""
        self._tokens = min(float(BURST), self._tokens + (now - self._at) / REFILL_S)
        self._at = now
        if self._tokens < 1:
            self.left_out += 1
            return False
        self._tokens -= 1
        return True

    def settle(self) -> int:
        """How many notes were left out before the one that is written now; counted anew from here."""
        left_out, self.left_out = self.left_out, 0
        return left_out
