"""Hash of a journal event over RFC 8785 canonical JSON: one form for edge, store and platform."""

import hashlib
from collections.abc import Mapping
from typing import Any

import rfc8785

from siteward.model.errors import SitewardError

FIRST_HASH = "0" * 64
"""prevHash of the first event of a journal (contract section 4)."""

_UNHASHED = ("hash", "journalId")


class NotCanonical(SitewardError):
    """Fix the value: it has no canonical JSON (NaN, an integer beyond 2^53, a key that is no text)."""


def canonical(value: Mapping[str, Any]) -> bytes:
    """RFC 8785 bytes of a JSON object. Raises NotCanonical."""
    try:
        return rfc8785.dumps(dict(value))
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as error:
        raise NotCanonical(f"no canonical JSON: {error}") from error


def event_hash(event: Mapping[str, Any], journal_id: str) -> str:
    """SHA-256, lower-case hex, of the event (wire keys) without `hash` and with journalId added. Raises NotCanonical.

    journalId enters the hash so that an event cannot be moved from one journal of a station to another unseen.
    """
    hashed = {key: value for key, value in event.items() if key not in _UNHASHED}
    hashed["journalId"] = journal_id
    return hashlib.sha256(canonical(hashed)).hexdigest()
