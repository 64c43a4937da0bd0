"""The frame of a signed command: JWS in compact form (RFC 7515) with Ed25519 (RFC 8037), and no more of it."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from siteward.client.strict import NotStrict, strict_object
from siteward.model.errors import SitewardError
from siteward.model.ids import is_id

ALGORITHMS = ("EdDSA", "Ed25519")
"""Two names of one algorithm: that of RFC 8037, and the one that RFC 9864 puts in its place."""

HEADER_MOST = 512
"""Longest header in characters: an algorithm and a name."""

SIGNATURE_BYTES = 64

_REFUSED = frozenset({"crit", "b64", "jwk", "jku", "x5c", "x5u", "zip", "enc"})
"""Parts of a header that change what is signed, or bring a key along: the key is the station's, never the token's."""


class BadToken(SitewardError):
    """Why a token is no signed command, in words for the log of the platform."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart, not yet proven: `signed` are the bytes that the signature is over."""

    kid: str
    signed: bytes
    payload: bytes
    signature: bytes


def take_apart(text: str) -> Token:
    """Read the frame of a token. Raises BadToken."""
    parts = text.split(".")
    if len(parts) != 3 or not all(parts):
        raise BadToken("a signed command has three parts with two dots between them")
    head, body, end = parts
    if len(head) > HEADER_MOST:
        raise BadToken(f"header: more than {HEADER_MOST} characters")
    signature = _bytes(end, "signature")
    if len(signature) != SIGNATURE_BYTES:
        raise BadToken(f"signature: {len(signature)} bytes, Ed25519 has {SIGNATURE_BYTES}")
    return Token(_kid(_bytes(head, "header")), f"{head}.{body}".encode("ascii"), _bytes(body, "payload"), signature)


def _kid(head: bytes) -> str:
    try:
        header = strict_object(head)
    except NotStrict as bad:
        raise BadToken(f"header: {bad}") from bad
    if header.get("alg") not in ALGORITHMS:
        raise BadToken(f"header: alg must be {' or '.join(ALGORITHMS)}")
    wrong = sorted(_REFUSED & header.keys())
    if wrong:
        raise BadToken(f"header: {wrong[0]} is not taken")
    kid = header.get("kid")
    if not isinstance(kid, str) or not is_id(kid):
        raise BadToken("header: kid is missing or no name")
    return kid


def _bytes(text: str, part: str) -> bytes:
    """Base64url without padding, in its one spelling: a second spelling of the same token would be a second text."""
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as bad:
        raise BadToken(f"{part}: is no base64url") from bad
    # The decoder passes over what is no letter of it; only the one spelling comes back as it was.
    if _text(data) != text:
        raise BadToken(f"{part}: is no base64url")
    return data


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def put_together(payload: bytes, kid: str, sign: Callable[[bytes], bytes]) -> str:
    """A token over these bytes: what a platform does; `sign` returns the Ed25519 signature of what it is given."""
    head = f'{{"alg":"{ALGORITHMS[0]}","kid":"{kid}"}}'.encode()
    signed = f"{_text(head)}.{_text(payload)}"
    return f"{signed}.{_text(sign(signed.encode('ascii')))}"
