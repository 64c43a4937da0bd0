"""Passwords: argon2id hashes, the rules for new ones, and generated first ones. The one file that knows argon2."""

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from siteward.panel.errors import PasswordUnfit

MIN_LENGTH = 10
MAX_LENGTH = 128
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_PARALLEL = 2


class Passwords:
    """Hashes and checks in a worker thread, at most two at a time, so that a flood of logins cannot take the computer.

    19 MiB and two passes (about 33 ms on a small computer) are the figures of OWASP's password storage sheet.
    """

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(_PARALLEL)
        self._nobody = _HASHER.hash(secrets.token_hex(16))

    async def hash(self, password: str) -> str:
        """Argon2id hash in its own text form."""
        async with self._room:
            return await asyncio.to_thread(_HASHER.hash, password)

    async def check(self, stored: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; None (no such user) costs the same time and is never true."""
        async with self._room:
            right = await asyncio.to_thread(_verify, stored or self._nobody, password)
        return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def generate() -> str:
    """A first password: 12 characters without look-alikes (59 bits), in groups that can be read out aloud."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def demand_fit(password: str, user: str, old: str) -> None:
    """Raise PasswordUnfit for a password that is too short, too long, the user's name, or the old one."""
    if len(password) < MIN_LENGTH:
        raise PasswordUnfit("password_short")
    if len(password) > MAX_LENGTH:
        raise PasswordUnfit("password_long")
    if password == old:
        raise PasswordUnfit("password_same")
    if user.lower() in password.lower():
        raise PasswordUnfit("password_name")
    if len(set(password)) < 5:
        raise PasswordUnfit("password_simple")
