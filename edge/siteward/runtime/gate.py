"""The right to speak on a wire, judged at the instant of sending from the newest ledger (turn.md step 14)."""

from siteward.control.ledger import Ledger, may_send, may_speak
from siteward.model.ids import ConnectorId
from siteward.model.wire import Write
from siteward.runtime.arm_gate import ArmGate


class LedgerGate:
    """model.ports.Gate over the ledger of the last completed turn; before the first turn nobody may write.

    `arms` is the same for outputs.
    """

    def __init__(self) -> None:
        self.arms = ArmGate()
        self._ledger: Ledger | None = None
        self._farewells: set[Write] = set()

    def renew(self, ledger: Ledger) -> None:
        """Judge by this turn's ledger from now on."""
        self._ledger = ledger
        self._farewells.clear()

    def allow_farewell(self, write: Write) -> None:
        """Let one write pass although its lease has ended: min(last limit, fail-safe), once (R7).

        It passes until its deadline or the next turn: a limit may take several frames, and none may be left out.
        """
        self._farewells.add(write)

    def may_send(self, write: Write, at: float) -> bool:
        """Whether this write is still right."""
        if write in self._farewells:
            return at <= write.deadline
        return self._ledger is not None and may_send(self._ledger, write, at)

    def may_speak(self, connector: ConnectorId, at: float) -> bool:
        """Whether any other request may go out; the first reads of a start come before the first ledger (R14)."""
        return self._ledger is None or may_speak(self._ledger, connector, at)
