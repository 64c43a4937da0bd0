"""Certificates of our own, and the signatures of commands, tariffs and meters: the one file that knows cryptography."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from siteward.model.errors import SitewardError

BUILT = datetime(2026, 1, 1, tzinfo=UTC)
"""No certificate begins before this: a computer without a clock battery starts in 1970 (ruling 10)."""

LIFETIME = timedelta(days=820)
"""Phones refuse own certificates that live longer than 825 days."""


CURVES: dict[str, type[ec.EllipticCurve]] = {
    "secp192r1": ec.SECP192R1,
    "secp256k1": ec.SECP256K1,
    "secp256r1": ec.SECP256R1,
    "secp384r1": ec.SECP384R1,
    "secp521r1": ec.SECP521R1,
    "brainpool256r1": ec.BrainpoolP256R1,
    "brainpoolP256r1": ec.BrainpoolP256R1,
    "brainpool384r1": ec.BrainpoolP384R1,
    "brainpoolP384r1": ec.BrainpoolP384R1,
}
"""Curves by their names in OCMF (table 22) and, for Brainpool, by those that meters write instead."""


class CertificateError(SitewardError):
    """A certificate cannot be read."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A private key and its certificate, both PEM."""

    key: bytes
    certificate: bytes


def verified(key: bytes, text: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature over a text is that of a public key. Raises ValueError for a key that is none."""
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, text)
    except InvalidSignature:
        return False
    return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key pair as a platform holds it: `private` never leaves it, `public` goes to its stations."""

    private: bytes
    public: bytes

    def sign(self, text: bytes) -> bytes:
        """The 64 bytes of a signature."""
        return self._key.sign(text)

    def pem(self) -> bytes:
        """The private key as an unprotected PKCS 8 file."""
        form = serialization.PrivateFormat.PKCS8
        return self._key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())

    @property
    def _key(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(self.private)


def new_key() -> SigningKey:
    """Make a key pair."""
    return _pair(ed25519.Ed25519PrivateKey.generate())


def private_key(pem: bytes) -> SigningKey:
    """The key pair of a PKCS 8 file, as `openssl genpkey -algorithm ed25519` makes it. Raises CertificateError."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(f"not a PEM private key without a password: {error}") from error
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise CertificateError("not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    return _pair(key)


def public_key(pem: bytes) -> bytes:
    """The 32 bytes of a PEM public key, as `openssl pkey -pubout` writes it. Raises CertificateError."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("not a PEM public key; make it with `openssl pkey -pubout`") from error
    if not isinstance(key, ed25519.Ed25519PublicKey):
        raise CertificateError("not an Ed25519 key; make one with `openssl genpkey -algorithm ed25519`")
    return key.public_bytes_raw()


def _pair(key: ed25519.Ed25519PrivateKey) -> SigningKey:
    return SigningKey(key.private_bytes_raw(), key.public_key().public_bytes_raw())


def curve_verified(curve: str, key: bytes, text: bytes, signature: bytes) -> bool:
    """Whether an ECDSA signature (DER, SHA-256) over a text is that of a public key (DER) on a curve named by OCMF.

    Raises ValueError for a curve that nobody knows and for a key that is none of it.
    """
    known = CURVES.get(curve)
    if known is None:
        raise ValueError(f"no curve {curve!r}")
    try:
        public = serialization.load_der_public_key(key)
    except UnsupportedAlgorithm as error:
        raise ValueError(f"not a public key: {error}") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, known):
        raise ValueError(f"not a public key on {curve}")
    try:
        public.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def is_curve_key(key: bytes) -> bool:
    """Whether these bytes are a public key (DER) on a curve that OCMF knows."""
    try:
        public = serialization.load_der_public_key(key)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return isinstance(public, ec.EllipticCurvePublicKey) and isinstance(public.curve, tuple(CURVES.values()))


def curve_public(secret: int, curve: str = "secp256r1") -> bytes:
    """The public key (DER) of a secret number on a curve. Raises ValueError for a number that the curve has not."""
    key = ec.derive_private_key(secret, CURVES[curve]())
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def curve_signed(secret: int, text: bytes, curve: str = "secp256r1") -> bytes:
    """An ECDSA signature (DER, SHA-256) over a text with a secret number, as meters make them."""
    return ec.derive_private_key(secret, CURVES[curve]()).sign(text, ec.ECDSA(hashes.SHA256()))


def self_sign(name: str, hosts: Iterable[str], now: datetime) -> Issued:
    """Make an EC P-256 key and a certificate for host names and addresses, valid from a day before `now`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    start = max(now, BUILT) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFETIME)
        .add_extension(x509.SubjectAlternativeName([_general(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Issued(pem, certificate.public_bytes(serialization.Encoding.PEM))


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a PEM certificate as browsers show it: `AB:CD:...`. Raises CertificateError."""
    return _load(certificate).fingerprint(hashes.SHA256()).hex(":").upper()


def usable(certificate: bytes, now: datetime) -> bool:
    """Whether a PEM certificate is valid for at least 30 days more. Raises CertificateError."""
    at = max(now, BUILT)
    loaded = _load(certificate)
    return loaded.not_valid_before_utc <= at < loaded.not_valid_after_utc - timedelta(days=30)


def _load(certificate: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise CertificateError(f"not a PEM certificate: {error}") from error


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
