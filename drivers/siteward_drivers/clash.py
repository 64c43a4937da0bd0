"""Whether two devices bear one number: signs of it in the answers of one address while the others speak clearly."""

from collections import deque
from collections.abc import Iterable
from enum import Enum, auto

CLEAR_S = 60.0
CLEAR_READS = 20
"""After so many clear reads, over so long a time, two devices are no longer believed in."""

EXTRA_BYTES = 4
"""So many bytes behind a whole answer are no glitch of a driver: somebody else answers too."""

_WINDOW_S = 60.0
_LAST = 10
_DAMAGED, _SECOND = 8, 3
_OTHERS_HEARD, _OTHERS_SHARE = 5, 0.1


class Sign(Enum):
    """What became of a read: a whole answer, nothing, bytes that were none, or a whole one with more behind it."""

    CLEAR = auto()
    SILENT = auto()
    DAMAGED = auto()
    SECOND = auto()


class Clash:
    """The reads of one address lately (fault 9); times are the loop's.

    Two drivers that speak at once pull the line down together, so that nearly every answer is damaged; one that is
    slower speaks behind the answer of the other. Noise does the same to everybody: only an address that stands out is
    taken by two. Writes are no evidence: two devices of one kind echo the same. `standing` holds until reads were
    clear for a while.
    """

    def __init__(self) -> None:
        self.standing = False
        self._reads: deque[tuple[float, Sign]] = deque(maxlen=2 * _LAST)
        self._last_sign = 0.0
        self._clear = 0

    def clear(self, now: float) -> None:
        """A read was answered."""
        self._reads.append((now, Sign.CLEAR))
        self._clear += 1
        if self._clear >= CLEAR_READS and now - self._last_sign >= CLEAR_S:
            self.standing = False

    def silent(self, now: float) -> None:
        """A read brought nothing: no sign of two, yet who is not heard does not speak clearly either."""
        self._reads.append((now, Sign.SILENT))

    def damaged(self, now: float) -> None:
        """A read brought bytes that were no answer."""
        self._reads.append((now, Sign.DAMAGED))
        self._last_sign, self._clear = now, 0

    def second(self, now: float) -> None:
        """More bytes came behind the answer of the last read, and nobody's late answer was due."""
        if self._reads:
            self._reads.pop()
        self._reads.append((now, Sign.SECOND))
        self._last_sign, self._clear = now, 0

    def proven(self, now: float) -> None:
        """Two serial numbers took turns."""
        self._last_sign, self._clear = now, 0
        self.standing = True

    def judge(self, others: Iterable["Clash"], now: float) -> None:
        """After a sign: whether it is this address alone, or the wire."""
        last = [sign for at, sign in self._reads if at > now - _WINDOW_S][-_LAST:]
        twice = last.count(Sign.SECOND) >= _SECOND
        if (twice or last.count(Sign.DAMAGED) >= _DAMAGED) and _stands_out(others, now, alone=twice):
            self.standing = True

    def tally(self, now: float) -> tuple[int, int]:
        """Reads of the last minute (the last ten at most), and how many of them were not clear."""
        lately = [sign for at, sign in self._reads if at > now - _WINDOW_S][-_LAST:]
        if lately.count(Sign.SILENT) == len(lately):
            # Dead, or without a word yet: it says nothing about the wire.
            return 0, 0
        return len(lately), len(lately) - lately.count(Sign.CLEAR)


def _stands_out(others: Iterable[Clash], now: float, alone: bool) -> bool:
    """Whether the others speak clearly; `alone` is the verdict for a device that has the wire for itself.

    Damage there may be the wire's; a second answer behind the first cannot.
    """
    heard = [other.tally(now) for other in others if not other.standing]
    reads, signs = (sum(part) for part in zip(*heard, strict=True)) if heard else (0, 0)
    return signs <= _OTHERS_SHARE * reads if reads >= _OTHERS_HEARD else alone
