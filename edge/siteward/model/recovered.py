"""What the store hands back after a restart or a power cut."""

from dataclasses import dataclass

from siteward.model.alarm_log import AlarmRecord
from siteward.model.ids import ConnectorId
from siteward.model.kept import Kept
from siteward.model.limits import Limit
from siteward.model.requests import Request
from siteward.model.sessions import SessionRecord
from siteward.model.tariff import Tariff


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """The most that a connector could have been told: last confirmed set point and the highest unconfirmed one."""

    connector: ConnectorId
    confirmed_a: float | None
    highest_in_flight_a: float | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """State from the journal: open sessions, limits with remaining validity, ledger, commands without final answer.

    tariffs are those in force, those still to come, and those that open sessions are priced by.
    """

    sessions: tuple[SessionRecord, ...] = ()
    limits: tuple[Limit, ...] = ()
    ledger: tuple[LedgerEntry, ...] = ()
    unfinished: tuple[Request, ...] = ()
    alarms: tuple[AlarmRecord, ...] = ()
    tariffs: tuple[Tariff, ...] = ()
    kept: tuple[Kept, ...] = ()
