"""What an open session costs: its tariff, its segments, how long its car only stood, and the total so far (S-42)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from siteward.control.bill import bill_data, make_bill
from siteward.control.register import Register
from siteward.control.segments import Moment, Pricer, Running, Step, ended, so_far
from siteward.model.bill import Bill, Cut, Segment
from siteward.model.sessions import SessionRecord
from siteward.model.tariff import Tariff, TariffBook

TOTAL_S = 5.0
"""The running total is worked out again at most so often, besides at each row; a heartbeat is no more frequent."""


class Account(NamedTuple):
    """The money side of an open session. closed are its segments so far, the open one of an earlier life included.

    tariff is the one pinned at its start, None where nothing prices it. A tuple, for each reading replaces it.
    """

    tariff: Tariff | None = None
    running: Running | None = None
    closed: tuple[Segment, ...] = ()
    idle_s: float = 0.0
    total: int | None = None
    total_at: float = 0.0


class Read(NamedTuple):
    """The account after a reading, and the segments that it closed."""

    account: Account
    closed: tuple[Segment, ...] = ()


def opened(pricer: Pricer, tariff: Tariff | None, moment: Moment, register: Register) -> Account:
    """The account of a new session; its first segment begins with its first reading."""
    account = Account(tariff, total_at=moment.at)
    return read(pricer, account, moment, register).account


def recalled(record: SessionRecord, book: TariffBook, at: float) -> Account:
    """The account as the row left it; the first reading goes on from there."""
    tariff = book.find(record.tariff, record.tariff_version)
    return Account(tariff, None, record.segments, float(record.idle_s), record.total, at)


def read(pricer: Pricer, account: Account, moment: Moment, register: Register) -> Read:
    """Take in the register as believed, and what became of the clock."""
    running = account.running
    told: tuple[Segment, ...] = ()
    if running is not None and (moment.step_s or moment.trusted is not running.trusted):
        step = pricer.clock(running, moment)
        account, running, told = _after(account, step), step.running, step.closed
    fresh_at = register.fresh_at
    if register.wh is None or fresh_at is None or (running is not None and running.at == fresh_at):
        return Read(account, told)
    step = _reading(pricer, account, moment, fresh_at, register)
    account = _after(account, step)
    grown = running is None or step.running.wh != running.wh
    if account.tariff is not None and grown and moment.at - account.total_at >= TOTAL_S:
        account = account._replace(total=total(account, pricer.book, moment), total_at=moment.at)
    return Read(account, (*told, *step.closed))


def _reading(pricer: Pricer, account: Account, moment: Moment, at: float, register: Register) -> Step:
    counted_wh = (register.wh or 0) + register.rolled_wh
    running = account.running
    if running is not None:
        return pricer.read(running, moment, at, counted_wh, register.name)
    if account.closed and account.closed[-1].ended is None:
        return pricer.resume(account.closed[-1], account.tariff, moment, at, counted_wh, register.name)
    return Step(pricer.begin(account.tariff, moment, at, counted_wh, register.name))


def _after(account: Account, step: Step) -> Account:
    kept = account.closed
    if account.running is None and kept and kept[-1].ended is None:
        kept = kept[:-1]
    return account._replace(running=step.running, closed=(*kept, *step.closed) if step.closed else kept)


def segments(account: Account, moment: Moment) -> tuple[Segment, ...]:
    """All segments, the running one last and open."""
    if account.running is None:
        return account.closed
    return (*account.closed, so_far(account.running, moment))


def total(account: Account, book: TariffBook, moment: Moment) -> int | None:
    """What the session costs by now, in minor units."""
    found = _bill(account, segments(account, moment), book)
    return None if found is None else found.total


def on_row(account: Account, record: SessionRecord, book: TariffBook, moment: Moment) -> SessionRecord:
    """The record as its row keeps it."""
    return replace(
        record,
        segments=segments(account, moment),
        idle_s=int(account.idle_s),
        total=total(account, book, moment),
    )


def closing(account: Account, moment: Moment) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """All segments of a session that ends now, and those that end with it."""
    if account.running is not None:
        last = ended(account.running, moment)
        return (*account.closed, *last), last
    if account.closed and account.closed[-1].ended is None:
        last = (replace(account.closed[-1], ended=Cut.END),)
        return (*account.closed[:-1], *last), last
    return account.closed, ()


def settlement(account: Account, record: SessionRecord, book: TariffBook) -> tuple[SessionRecord, dict[str, object]]:
    """The final record, and what session.finished says of money: nothing is priced where no tariff is."""
    bill = _bill(account, record.segments, book)
    if bill is None:
        return replace(record, total=None), {}
    data: dict[str, object] = {"segments": len(record.segments), "idle_s": record.idle_s, **bill_data(bill)}
    return replace(record, total=bill.total), data


def _bill(account: Account, parts: Sequence[Segment], book: TariffBook) -> Bill | None:
    return None if account.tariff is None else make_bill(account.tariff, parts, int(account.idle_s), book)
