"""The file of keys whose commands the station takes: a JWK Set (RFC 7517) of public Ed25519 keys, by name."""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from siteward.client.strict import NotStrict, strict_object
from siteward.model.errors import SitewardError
from siteward.model.ids import is_id

KEY_BYTES = 32
MOST = 16
"""Keys of one station: some for each platform, old and new."""


class BadKeys(SitewardError):
    """Why keys are refused."""


def read_keys(data: bytes) -> dict[str, bytes]:
    """Public keys by their kid. Raises BadKeys: one bad key is a bad file, for nobody knows what else is wrong."""
    try:
        document = strict_object(data)
    except NotStrict as bad:
        raise BadKeys(str(bad)) from bad
    entries = document.get("keys")
    if not isinstance(entries, list) or len(entries) > MOST:
        raise BadKeys(f'a JWK Set is {{"keys": [...]}} with at most {MOST} keys')
    found: dict[str, bytes] = {}
    for entry in entries:
        kid, key = read_key(entry)
        if kid is None or kid in found:
            raise BadKeys("kid is missing" if kid is None else f"kid {kid} occurs twice")
        found[kid] = key
    return found


def read_key(entry: object, named: str | None = None) -> tuple[str | None, bytes]:
    """Name and bytes of one JWK; `named` goes before its own kid. Raises BadKeys."""
    if not isinstance(entry, dict):
        raise BadKeys("a key is a JSON object")
    if "d" in entry:
        raise BadKeys("this is a PRIVATE key: it belongs to the platform alone; make the public one of it")
    if (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
        raise BadKeys("only Ed25519 keys are taken (kty OKP, crv Ed25519)")
    if entry.get("use", "sig") != "sig" or entry.get("alg", "EdDSA") not in ("EdDSA", "Ed25519"):
        raise BadKeys("the key is for something else than signatures")
    kid = named or entry.get("kid")
    if kid is not None and (not isinstance(kid, str) or not is_id(kid)):
        raise BadKeys("kid: letters, digits, dot, hyphen and underscore, at most 64")
    return kid, read_bytes(entry.get("x"))


def read_bytes(text: object) -> bytes:
    """The 32 bytes of a public key in base64 or base64url. Raises BadKeys."""
    raw = b""
    if isinstance(text, str):
        try:
            raw = base64.b64decode(text.rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    if len(raw) != KEY_BYTES:
        raise BadKeys("is no Ed25519 public key: its 32 bytes in base64 are 43 or 44 characters")
    return raw


def write_keys(keys: Mapping[str, bytes]) -> bytes:
    """The file that `read_keys` reads."""
    entries = [_jwk(key) | {"kid": kid, "use": "sig", "alg": "EdDSA"} for kid, key in sorted(keys.items())]
    return (json.dumps({"keys": entries}, indent=2) + "\n").encode()


def thumbprint(key: bytes) -> str:
    """RFC 7638 thumbprint by which two people compare a key over the telephone."""
    text = json.dumps(_jwk(key), separators=(",", ":"), sort_keys=True)
    return _url(hashlib.sha256(text.encode()).digest())


def _jwk(key: bytes) -> dict[str, Any]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _url(key)}


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
