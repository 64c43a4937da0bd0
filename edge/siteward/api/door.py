"""The platform's door: which keys' commands are taken, and whether a command carries a signature that proves it."""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from siteward.api.answers import Denied, parse
from siteward.client.command_keys import BadKeys, read_keys, thumbprint
from siteward.client.jws import BadToken, Token, take_apart
from siteward.client.messages import KeyMessage, KeysMessage, RequestMessage
from siteward.client.strict import NotStrict, strict_object
from siteward.model.ports import Clock
from siteward.model.refusals import Refusal

VALID_MOST = timedelta(days=6)
"""Longest validity of a signed command: a repeated id is known for seven days, and must never outlive that."""

AHEAD_MOST = timedelta(minutes=5)
"""How far a platform's clock may be ahead of a trusted one of ours."""

_FILE_MOST = 64 * 1024
_MARK = b'"jws"'

Stamp = tuple[int, int, int]


class KeyRing:
    """The keys of a file, read again whenever the file was changed, so that a removed key ends at once.

    A file that is missing or cannot be read holds no key: then no signature is good.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.keys: Mapping[str, bytes] = {}
        self.problem = ""
        self.news = False
        self._stamp: Stamp | None = None
        self._read = False

    def refresh(self) -> None:
        """Read the file if it changed; `news` says that other keys are in force since. Blocks for a file's read."""
        stamp = self._look()
        if self._read and stamp == self._stamp:
            return
        before, known = dict(self.keys), self._read
        self._stamp, self._read = stamp, True
        try:
            self.keys, self.problem = self._keys(), ""
        except (OSError, BadKeys) as bad:
            self.keys, self.problem = {}, f"{self.file}: {bad}"
        self.news = self.news or not known or dict(self.keys) != before

    def _look(self) -> Stamp | None:
        try:
            seen = self.file.stat()
        except OSError:
            return None
        return seen.st_mtime_ns, seen.st_size, seen.st_ino

    def _keys(self) -> Mapping[str, bytes]:
        with self.file.open("rb") as file:
            data = file.read(_FILE_MOST + 1)
            self._stamp = _stamp(os.fstat(file.fileno()))
        if len(data) > _FILE_MOST:
            raise BadKeys(f"more than {_FILE_MOST} bytes")
        return read_keys(data)


def _stamp(seen: os.stat_result) -> Stamp:
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


class Door:
    """What the station asks of commands from the platform; without a ring it knows no key and asks for none."""

    def __init__(self, ring: KeyRing | None = None, required: bool | None = None) -> None:
        self._ring = ring
        self.required = ring is not None if required is None else required
        self._lock = asyncio.Lock()

    @property
    def news(self) -> bool:
        """Whether other keys are in force than `keys` told last."""
        return self._ring is not None and self._ring.news

    async def keys(self) -> tuple[KeysMessage, bool]:
        """The keys in force now, and whether that is news."""
        if self._ring is None:
            return KeysMessage(required=self.required), False
        async with self._lock:
            await asyncio.to_thread(self._ring.refresh)
            news, self._ring.news = self._ring.news, False
            found = sorted(self._ring.keys.items())
            keys = tuple(KeyMessage(kid=kid, thumbprint=thumbprint(key)) for kid, key in found)
            file, problem = str(self._ring.file), self._ring.problem or None
        return KeysMessage(required=self.required, file=file, keys=keys, problem=problem), news

    async def command(self, raw: bytes) -> tuple[RequestMessage, bool]:
        """A command of the platform, and whether its signature proves it. Raises Denied."""
        if _MARK not in raw:
            return parse(RequestMessage, raw), False
        try:
            token = strict_object(raw).get("jws")
        except NotStrict as bad:
            raise Denied(Refusal.MALFORMED, str(bad)) from bad
        if not isinstance(token, str):
            return parse(RequestMessage, raw), False
        payload = await self._payload(token)
        try:
            strict_object(payload)
        except NotStrict as bad:
            raise Denied(Refusal.MALFORMED, f"signed payload: {bad}") from bad
        return parse(RequestMessage, payload), True

    async def _payload(self, text: str) -> bytes:
        try:
            token = take_apart(text)
        except BadToken as bad:
            raise Denied(Refusal.BAD_SIGNATURE, str(bad)) from bad
        if self._ring is None:
            raise Denied(Refusal.BAD_SIGNATURE, "this station trusts no key; `siteward keys` installs one")
        async with self._lock:
            if not await asyncio.to_thread(_proves, self._ring, token):
                raise Denied(Refusal.BAD_SIGNATURE, self._why(token))
        return token.payload

    def _why(self, token: Token) -> str:
        if self._ring is None or token.kid in self._ring.keys:
            return f"it does not fit the key {token.kid}"
        return f"no key {token.kid} is trusted here"


def _proves(ring: KeyRing, token: Token) -> bool:
    # Only a site that takes signed commands needs cryptography in core (goal 14).
    from siteward.trust.crypto import verified

    ring.refresh()
    key = ring.keys.get(token.kid)
    try:
        return key is not None and verified(key, token.signed, token.signature)
    except ValueError:
        return False


def whole(message: RequestMessage, clock: Clock) -> None:
    """A signed command names its station and its time, and ends while a repetition is still known. Raises Denied."""
    if message.station_id is None or message.issued_at is None or message.expires_at is None:
        raise Denied(Refusal.MALFORMED, "signed payload: stationId, issuedAt and expiresAt are part of it")
    issued, ends = _utc(message.issued_at), _utc(message.expires_at)
    if ends - issued > VALID_MOST:
        raise Denied(Refusal.BAD_PARAMS, f"expiresAt: at most {VALID_MOST.days} days after issuedAt")
    if clock.quality().trusted and issued > clock.wall() + AHEAD_MOST:
        raise Denied(Refusal.BAD_PARAMS, "issuedAt: lies in the future")


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
