"""The committer: raises wait for the commit, or for the store declared failed (R14); nothing queued is lost."""

import asyncio

import pytest

from siteward.model.alarms import Alarm
from siteward.model.batch import Batch
from siteward.model.errors import StoreError
from siteward.model.events import ClockQuality, EventType, Fact
from siteward.model.ids import ConnectorId
from siteward.model.recovered import LedgerEntry
from siteward.model.wire import Write, WriteKind
from siteward.runtime.committer import Committer
from siteward_drivers.sim.virtual import VirtualClock, run_virtual

A1 = ConnectorId("A1")
RAISE = Write(A1, WriteKind.LIMIT, 16.0, raises=True, turn=3, deadline=99.0)
FACT = Batch(ClockQuality.NTP, facts=(Fact(EventType.CONFIG_CHANGED),))
ROW = Batch(ClockQuality.NTP, ledger=(LedgerEntry(A1, 6.0, None),))


class FakeJournal:
    """Keeps batches; fails or hangs on demand."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.broken = False
        self.slow_s = 0.0

    @property
    def alarms(self) -> frozenset[Alarm]:
        """Nothing is wrong with it."""
        return frozenset()

    async def commit(self, batch: Batch) -> int:
        """Commit in memory."""
        if self.slow_s:
            await asyncio.sleep(self.slow_s)
        if self.broken:
            raise StoreError("disk full")
        self.batches.append(batch)
        return len(self.batches)


async def _start(journal: FakeJournal | None, clock: VirtualClock):
    sent: list[Write] = []
    committer = Committer(clock, sent.extend)
    if journal is not None:
        committer.attach(journal)
    task = asyncio.create_task(committer.run())
    return committer, sent, task


def test_r14_a_raise_goes_out_only_after_its_commit():
    async def story(clock):
        journal = FakeJournal()
        journal.slow_s = 0.5
        committer, sent, task = await _start(journal, clock)
        committer.put(FACT, (RAISE,))
        await asyncio.sleep(0.4)
        assert sent == []
        await asyncio.sleep(0.3)
        assert sent == [RAISE]
        assert journal.batches == [FACT]
        task.cancel()

    run_virtual(story)


def test_r14_without_a_store_raises_go_at_once_and_batches_are_kept():
    async def story(clock):
        committer, sent, task = await _start(None, clock)
        assert committer.failed
        committer.put(FACT, (RAISE,))
        assert sent == [RAISE]
        journal = FakeJournal()
        committer.attach(journal)
        await asyncio.sleep(0.1)
        assert journal.batches == [FACT]
        assert not committer.failed
        task.cancel()

    run_virtual(story)


def test_r14_a_store_silent_for_two_seconds_counts_as_failed():
    async def story(clock):
        journal = FakeJournal()
        journal.broken = True
        committer, sent, task = await _start(journal, clock)
        committer.put(FACT, ())
        await asyncio.sleep(2.5)
        assert committer.failed
        assert committer.last_error == "disk full"
        committer.put(FACT, (RAISE,))
        assert sent == [RAISE]
        journal.broken = False
        await asyncio.sleep(1.0)
        assert journal.batches == [FACT, FACT]
        assert committer.age_s == 0.0
        task.cancel()

    run_virtual(story)


@pytest.mark.parametrize(("batch", "latest_s"), [(FACT, 0.1), (ROW, 1.1)])
def test_ruling_17_facts_commit_at_once_and_rows_within_a_second(batch, latest_s):
    async def story(clock):
        journal = FakeJournal()
        committer, _, task = await _start(journal, clock)
        await asyncio.sleep(0.05)
        committer.put(batch, ())
        await asyncio.sleep(latest_s)
        assert journal.batches == [batch]
        task.cancel()

    run_virtual(story)


def test_an_empty_batch_is_never_written_but_its_raises_go():
    async def story(clock):
        journal = FakeJournal()
        committer, sent, task = await _start(journal, clock)
        committer.put(Batch(ClockQuality.NTP), (RAISE,))
        await asyncio.sleep(1.5)
        assert sent == [RAISE]
        assert journal.batches == []
        task.cancel()

    run_virtual(story)
