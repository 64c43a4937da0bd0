"""Signed meter values: what a meter is asked to sign, what it handed over, and what a session keeps of that."""

from dataclasses import dataclass
from enum import StrEnum

from siteward.model.ids import ConnectorId, MeterId, SessionId


class SignStep(StrEnum):
    """Which reading of a session."""

    BEGIN = "begin"
    END = "end"


class Unsigned(StrEnum):
    """What becomes of a session whose meter should have signed its begin but does not: charged all the same, or not."""

    ALLOW = "allow"
    REFUSE = "refuse"


class SignFailure(StrEnum):
    """Why a meter handed over no signed value."""

    UNREACHABLE = "UNREACHABLE"
    REFUSED = "REFUSED"
    NOT_ACTIVE = "NOT_ACTIVE"
    LATE = "LATE"

    @property
    def final(self) -> bool:
        """Whether asking again is pointless."""
        return self is SignFailure.NOT_ACTIVE


class SignMark(StrEnum):
    """What is doubtful about signed values; none of them is ever silent."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    SIGNATURE = "signature"
    KEY = "key"
    DIFFERENCE = "difference"
    PAGINATION = "pagination"
    SERIAL = "serial"
    ERROR = "error"
    CLOCK = "clock"

    @property
    def quiet(self) -> bool:
        """Whether it is told, yet no reason to be alarmed: a meter has no clock before it was given one."""
        return self is SignMark.CLOCK


@dataclass(frozen=True, slots=True)
class SignOrder:
    """A meter shall sign one reading of a session; point is the charging point as the signed record names it.

    offset_min is what the site's clock is ahead of UTC.
    """

    meter: MeterId
    connector: ConnectorId
    session: SessionId
    step: SignStep
    point: str
    offset_min: int = 0

    @property
    def key(self) -> tuple[SessionId, SignStep]:
        """What it is about, however often it is said."""
        return self.session, self.step


@dataclass(frozen=True, slots=True)
class SignAnswer:
    """What a meter handed over: the record as it is, its own public key (DER), None where it tells none.

    document None: it has none to give, failure says why. stray is the record of a transaction that was still open and
    had to be ended first.
    """

    document: bytes | None
    public_key: bytes | None = None
    failure: SignFailure | None = None
    stray: bytes | None = None


@dataclass(frozen=True, slots=True)
class SignResult:
    """What became of an order, for the next turn; verified None: there is no key to tell by."""

    order: SignOrder
    answer: SignAnswer
    verified: bool | None = None
    stray_verified: bool | None = None


@dataclass(frozen=True, slots=True)
class SignedValue:
    """One signed reading as a session keeps it: the hash of its record, and what was read in it.

    register_wh is None where the record cannot be read; verified None: no key to tell by.
    """

    sha256: str
    register_wh: int | None
    verified: bool | None


@dataclass(frozen=True, slots=True)
class SignedState:
    """How far signing got in a session: failure is why there is no begin, open that the meter holds it open.

    difference_wh is what the signed registers count more than our own; slack_wh is how much of that their last digits
    and our own readings come to.
    """

    begin: SignedValue | None = None
    end: SignedValue | None = None
    open: bool = False
    failure: SignFailure | None = None
    marks: tuple[SignMark, ...] = ()
    energy_wh: int | None = None
    difference_wh: int | None = None
    slack_wh: int = 0


@dataclass(frozen=True, slots=True)
class SignedHead:
    """What a connector's signing left behind for the next session: the meter's last page, and what is doubtful.

    owed is a session whose end is not signed yet, though it is over, owed_wh its energy by our own registers, owed_from
    what its signed begin said; meter is the serial number.
    """

    connector: ConnectorId
    meter: str = ""
    page: int | None = None
    marks: tuple[SignMark, ...] = ()
    owed: SessionId | None = None
    owed_wh: int | None = None
    owed_from: int | None = None
