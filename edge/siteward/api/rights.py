"""Who may do what: the socket is the caller, each caller has a fixed set of rights, and a person's role caps it."""

from collections.abc import Iterable
from enum import StrEnum

from siteward.model.requests import Actor, Role, Source
from siteward.model.users import User


class Right(StrEnum):
    """A kind of call."""

    READ = "read"
    EVENTS = "events"
    REQUEST = "request"
    ACK = "ack"
    AUDIT = "audit"
    USERS = "users"
    WIRE = "wire"


RIGHTS: dict[Source, frozenset[Right]] = {
    Source.CLI: frozenset(Right) - {Right.ACK},
    Source.PANEL: frozenset(Right) - {Right.ACK, Right.WIRE},
    Source.CLOUD: frozenset({Right.READ, Right.EVENTS, Right.REQUEST, Right.ACK, Right.AUDIT}),
    Source.LOCAL: frozenset({Right.READ, Right.REQUEST, Right.AUDIT}),
    Source.CARD: frozenset(),
}
"""Rights of each socket. Source.CARD has no socket of its own: cards come in over the field process."""

SOCKETS: dict[str, Source] = {
    "cli": Source.CLI,
    "panel": Source.PANEL,
    "sync": Source.CLOUD,
    "field": Source.LOCAL,
}
"""Name of each socket file in the run directory (without .sock) and the caller that it stands for."""


def may_request(caller: Source, actor: Actor | None, users: Iterable[User]) -> bool:
    """Whether this person may hand in requests. The panel must name one whose stored role is the claimed one."""
    if caller is not Source.PANEL:
        return True
    role = _proven_role(actor, users)
    return role is not None and role is not Role.VIEWER


def may_change_user(caller: Source, actor: Actor | None, user: User, users: Iterable[User]) -> bool:
    """Whether this person may write this user: installers all, everybody their own password; the cli is the console.

    A new station has nobody who could be asked: its panel may then make one installer, whose password must change.
    """
    if caller is Source.CLI:
        return True
    known = tuple(users)
    if not known:
        return caller is Source.PANEL and user.role is Role.INSTALLER and user.must_change
    role = _proven_role(actor, known)
    if role is None or actor is None:
        return False
    return role is Role.INSTALLER or (actor.user == user.name and role is user.role)


def _proven_role(actor: Actor | None, users: Iterable[User]) -> Role | None:
    """The role that both the panel's session and core's own list give to the person, else None."""
    if actor is None:
        return None
    return next((user.role for user in users if user.name == actor.user and user.role is actor.role), None)
