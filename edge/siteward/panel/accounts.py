"""Logging in: users come from core, their passwords are checked here, every login and refusal is audited."""

import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from siteward.client.errors import ClientError
from siteward.client.messages import ActorMessage
from siteward.client.records import UserMessage
from siteward.model.events import EventType
from siteward.model.ids import is_id
from siteward.model.ports import Clock
from siteward.model.requests import Role
from siteward.panel.core import Core
from siteward.panel.errors import LoginRefused
from siteward.panel.lockout import LockOut
from siteward.panel.passwords import MAX_LENGTH, Passwords, demand_fit, generate

FIRST_USER = "admin"
FIRST_FILE = "first-login.txt"
_SELF = ActorMessage(user="panel", role=Role.INSTALLER.value)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """The generated first login of a new station; it must be changed at first entry."""

    user: str
    password: str


class Accounts:
    """Checks logins and changes passwords. `state` is the folder that gets `first-login.txt` (mode 0600)."""

    def __init__(self, core: Core, clock: Clock, state: Path) -> None:
        self._core = core
        self._clock = clock
        self._first_file = state / FIRST_FILE
        self._passwords = Passwords()
        self._lockout = LockOut()

    async def ensure_first(self) -> FirstLogin | None:
        """Create the first user where core has none; returns it, or None. Raises ClientError while core is down."""
        if await self._core.users():
            return None
        first = FirstLogin(FIRST_USER, generate())
        hashed = await self._passwords.hash(first.password)
        user = UserMessage(name=first.user, role=Role.INSTALLER.value, password_hash=hashed, must_change=True)
        _write_private(self._first_file, f"user: {first.user}\npassword: {first.password}\n")
        await self._core.put_user(user, _SELF)
        return first

    async def login(self, name: str, password: str, address: str) -> UserMessage:
        """Return the user, or raise LoginRefused with one and the same text; ClientError while core is down."""
        user = await self._prove(name, password, address)
        actor = ActorMessage(user=user.name, role=user.role, address=address[:64])
        await self._core.audit(EventType.AUDIT_LOGIN.value, {"user": user.name, "address": address}, actor)
        return user

    async def change(self, name: str, old: str, new: str, actor: ActorMessage) -> UserMessage:
        """Set a new password of one's own. Raises LoginRefused (old one wrong), PasswordUnfit, ClientError."""
        demand_fit(new, name, old)
        user = await self._prove(name, old, actor.address)
        hashed = await self._passwords.hash(new)
        changed = UserMessage(name=user.name, role=user.role, password_hash=hashed, must_change=False)
        await self._core.put_user(changed, actor)
        if name == FIRST_USER:
            self._first_file.unlink(missing_ok=True)
        return changed

    async def _prove(self, name: str, password: str, address: str) -> UserMessage:
        at = self._clock.now()
        if self._lockout.locked(name, address, at) or len(password) > MAX_LENGTH:
            raise LoginRefused
        # Counted before the slow check: tries that arrive together must not all pass the gate.
        locked = self._lockout.failed(name, address, at)
        user = await self._find(name)
        if await self._passwords.check(user.password_hash if user else None, password) and user is not None:
            self._lockout.succeeded(name, address)
            return user
        await self._refused(name, address, locked)
        raise LoginRefused

    async def _find(self, name: str) -> UserMessage | None:
        for user in await self._core.users():
            if user.name == name:
                return user
        return None

    async def _refused(self, name: str, address: str, locked: bool) -> None:
        # What was typed may be a password in the wrong field: a name of ours is shown, anything else only as a mark.
        shown = name if is_id(name) and await self._find(name) else "?" + hashlib.sha256(name.encode()).hexdigest()[:8]
        actor = ActorMessage(user=shown, role=Role.VIEWER.value, address=address[:64])
        data = {"user": shown, "address": address, "locked": locked}
        try:
            await self._core.audit(EventType.AUDIT_REFUSED.value, data, actor)
        except ClientError as error:
            # The refusal itself must stand whether or not core can still write it down.
            _log.warning("login refused for %s from %s, not audited: %s", shown, address, error)


def _write_private(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
