"""Whether a record is what its meter signed, judged against another implementation of the same curves (fault 81)."""

import subprocess
from pathlib import Path

import pytest

from siteward.trust.crypto import CURVES, curve_public, curve_signed
from siteward.trust.ocmf import verified

PAYLOAD = '{"FV":"1.0","PG":"T1","RD":[ ],"U":"Zähler\t№1 "}'.encode()
SECRET = 0x1234_5678_9ABC_DEF0_1234_5678_9ABC_DEF0
PEERS = {"secp192r1": "prime192v1", "secp256r1": "prime256v1", "brainpool256r1": "brainpoolP256r1"}


def record(payload: bytes, signature: bytes, curve: str) -> bytes:
    """A record as a meter of that curve writes it."""
    section = f'{{"SA":"ECDSA-{curve}-SHA256","SD":"{signature.hex()}"}}'
    return b"OCMF|" + payload + b"|" + section.encode()


@pytest.mark.parametrize("curve", sorted(CURVES))
def test_a_record_holds_by_its_key_and_by_no_other_byte(curve: str) -> None:
    """Fault 81: one changed byte of the payload, a blank even, and it does not hold."""
    document = record(PAYLOAD, curve_signed(SECRET, PAYLOAD, curve), curve)
    key = curve_public(SECRET, curve)
    assert verified(document, key) is True
    assert verified(document, curve_public(SECRET + 1, curve)) is False
    assert verified(document.replace(b"[ ]", b"[]"), key) is False
    assert verified(document.replace("ä".encode(), b"a\xcc\x88"), key) is False
    assert verified(document, None) is None


def test_what_cannot_be_judged_is_said_to_be_so() -> None:
    """Contract: no key and no known algorithm are no verdict; a key of another curve and rubbish do not hold."""
    document = record(PAYLOAD, curve_signed(SECRET, PAYLOAD), "secp256r1")
    assert verified(document, curve_public(SECRET, "secp384r1")) is False
    assert verified(document, b"no key") is False
    assert verified(b"rubbish", curve_public(SECRET)) is False
    assert verified(record(PAYLOAD, b"\x30\x00", "secp192k1"), curve_public(SECRET)) is None
    assert verified(record(PAYLOAD, b"\x30\x00", "secp256r1"), curve_public(SECRET)) is False


@pytest.mark.parametrize("curve", sorted(PEERS))
def test_openssl_signs_what_we_verify_and_verifies_what_we_sign(curve: str, tmp_path: Path) -> None:
    """Fault 81: the verdict is that of another implementation too, in both directions."""

    def openssl(*words: str) -> bytes:
        return subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=tmp_path, timeout=20).stdout

    (tmp_path / "payload").write_bytes(PAYLOAD)
    openssl("ecparam", "-name", PEERS[curve], "-genkey", "-noout", "-out", "theirs.pem")
    openssl("dgst", "-sha256", "-sign", "theirs.pem", "-out", "theirs.sig", "payload")
    theirs = openssl("pkey", "-in", "theirs.pem", "-pubout", "-outform", "DER")
    assert verified(record(PAYLOAD, (tmp_path / "theirs.sig").read_bytes(), curve), theirs) is True
    (tmp_path / "ours.der").write_bytes(curve_public(SECRET, curve))
    (tmp_path / "ours.sig").write_bytes(curve_signed(SECRET, PAYLOAD, curve))
    openssl("pkey", "-pubin", "-inform", "DER", "-in", "ours.der", "-out", "ours.pem")
    assert b"Verified OK" in openssl("dgst", "-sha256", "-verify", "ours.pem", "-signature", "ours.sig", "payload")
