"""Whether a signed meter value is what its meter signed, byte for byte."""

from siteward.control.ocmf import BadOcmf, parse
from siteward.trust.crypto import CURVES, curve_verified


def verified(document: bytes, key: bytes | None) -> bool | None:
    """Whether the signature holds over the payload's bytes; None: no key, or an algorithm or key that tells nothing.

    A record that cannot be read holds nothing.
    """
    if key is None:
        return None
    try:
        record = parse(document)
    except BadOcmf:
        return False
    if record.curve not in CURVES:
        return None
    try:
        return curve_verified(record.curve, key, record.payload, record.signature)
    except ValueError:
        return False
