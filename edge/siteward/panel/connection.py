"""HTTP/1.1 connections that give up on a client who does not finish its request head in time (fault 74)."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 10.0
"""Time from the connection, or from the first byte of a request, to the end of its head."""

MOST_CONNECTIONS = 400
"""Open connections in all; further ones are closed at once, so that file descriptors never run out."""

MOST_EACH = 32
"""Open connections of one address: a browser opens six."""


class DeadlineProtocol(H11Protocol):
    """uvicorn's h11 protocol with a deadline for request heads and a bound on connections per address."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline; where there are too many, the one that dawdles longest gives way."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_S, self._late)
        ours = [c for c in self.connections if isinstance(c, DeadlineProtocol)]
        same = [c for c in ours if c.client and self.client and c.client[0] == self.client[0]]
        if len(same) > MOST_EACH:
            _slowest(same, self).transport.abort()
        elif len(ours) > MOST_CONNECTIONS:
            _slowest(ours, self).transport.abort()

    @property
    def waiting_until(self) -> float | None:
        """Loop time at which an unfinished head is given up; None while there is none."""
        return None if self._deadline is None else self._deadline.when()

    def handle_events(self) -> None:
        """A complete head stops the deadline, the next incomplete one starts it again."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """At the end of the panel idle connections go at once: a phone that fell asleep never answers a TLS goodbye."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()
        else:
            super().shutdown()

    def _late(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes of an idle connection begin a new head."""
        if self._deadline is None and self.cycle is not None and self.cycle.response_complete:
            self._deadline = self.loop.call_later(HEAD_S, self._late)
        super().data_received(data)


def _slowest(connections: list[DeadlineProtocol], new: DeadlineProtocol) -> DeadlineProtocol:
    """The connection that has been waiting longest for a head; the new one where all others are at work."""
    waiting = [c for c in connections if c.waiting_until is not None and c is not new]
    return min(waiting, key=lambda c: c.waiting_until or 0.0) if waiting else new
