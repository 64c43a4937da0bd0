"""Web sessions of the panel: opaque ids in memory, idle and absolute time-outs; a restart of the panel logs out."""

import hashlib
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from siteward.client.messages import ActorMessage
from siteward.model.requests import Role

IDLE_S = 1800.0
ABSOLUTE_S = 43_200.0
_MOST = 200
_MOST_REQUESTS = 50
_RANKS = {Role.VIEWER: 0, Role.TECHNICIAN: 1, Role.INSTALLER: 2}


@dataclass(slots=True)
class WebSession:
    """One logged-in browser. Times are boot-time seconds; `requests` are the command ids that it sent."""

    user: str
    role: Role
    must_change: bool
    address: str
    csrf: str
    made_at: float
    seen_at: float
    streams: int = 0
    requests: deque[str] = field(default_factory=lambda: deque(maxlen=_MOST_REQUESTS))

    def may(self, role: Role) -> bool:
        """Whether the person has at least this role."""
        return _RANKS[self.role] >= _RANKS[role]

    def alive(self, at: float) -> bool:
        """Whether neither time-out has passed."""
        return at - self.seen_at < IDLE_S and at - self.made_at < ABSOLUTE_S

    @property
    def actor(self) -> ActorMessage:
        """The person, as core wants to hear of them."""
        return ActorMessage(user=self.user, role=self.role.value, address=self.address[:64])


class WebSessions:
    """All sessions, kept under the hash of their id, so that a memory dump holds no usable cookie."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, WebSession] = OrderedDict()

    def open(self, user: str, role: Role, must_change: bool, address: str, at: float) -> str:
        """Start a session and return its id, 256 random bits for the cookie."""
        token = secrets.token_urlsafe(32)
        session = WebSession(user, role, must_change, address, secrets.token_urlsafe(32), at, at)
        self._sessions[_key(token)] = session
        while len(self._sessions) > _MOST:
            self._sessions.popitem(last=False)
        return token

    def find(self, token: str | None, at: float, touch: bool = True) -> WebSession | None:
        """Return the living session of an id; `touch` counts as activity of the person."""
        if not token:
            return None
        key = _key(token)
        session = self._sessions.get(key)
        if session is None:
            return None
        if not session.alive(at):
            del self._sessions[key]
            return None
        if touch:
            session.seen_at = at
        return session

    def holds(self, session: WebSession, at: float) -> bool:
        """Whether this very session is still logged in."""
        return session.alive(at) and any(held is session for held in self._sessions.values())

    def close(self, token: str | None) -> None:
        """End one session."""
        if token:
            self._sessions.pop(_key(token), None)

    def close_user(self, user: str) -> None:
        """End every session of a user (its password changed)."""
        for key in [key for key, session in self._sessions.items() if session.user == user]:
            del self._sessions[key]


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
