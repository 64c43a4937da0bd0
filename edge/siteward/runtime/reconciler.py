"""Keeps the books of energy beside the turn: each whole quarter of an hour becomes facts, and figures for its rule."""

from collections.abc import Callable, Mapping

from siteward.control.decide import Decision
from siteward.control.reconcile import Books, keep_books
from siteward.model.batch import Batch
from siteward.model.ids import FeederId
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot


class Reconciler:
    """`put` takes the facts of a quarter, `drifted` the drift of each feeder that could be judged."""

    def __init__(
        self,
        site: Site,
        put: Callable[[Batch], None],
        drifted: Callable[[Mapping[FeederId, tuple[float, float]]], None],
    ) -> None:
        self._site = site
        self._put = put
        self._drifted = drifted
        self._books = Books()

    def look(self, snapshot: Snapshot, decision: Decision) -> None:
        """After each turn; work only where a session ended or a quarter did."""
        open_now = {name: now.session for name, now in decision.connectors.items()}
        closed = keep_books(self._site, self._books, snapshot, open_now, decision.batch.sessions)
        self._books = closed.books
        if closed.facts:
            self._put(Batch(clock=snapshot.clock, facts=closed.facts))
        if closed.drifts is not None:
            self._drifted(closed.drifts)
