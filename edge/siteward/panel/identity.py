"""The panel's TLS files: the installer's where given, else a self-signed pair made at first start."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from siteward.model.ports import Clock
from siteward.panel.errors import PanelError
from siteward.trust.crypto import CertificateError, fingerprint, self_sign, usable


@dataclass(frozen=True, slots=True)
class Identity:
    """Where certificate and key lie, and the fingerprint to compare on the phone."""

    certificate: Path
    key: Path
    fingerprint: str


def own_names(listen: str) -> tuple[str, ...]:
    """Names and addresses under which this computer is reached: loopback, its host name, the same by mDNS."""
    name = socket.gethostname().lower()
    names = ["localhost", "127.0.0.1", "::1"]
    if name and name.isascii() and name not in names:
        names += [name] if name.endswith(".local") else [name, f"{name}.local"]
    if listen not in (*names, "0.0.0.0", "::", ""):  # noqa: S104 - compared, not bound
        names.append(listen)
    return tuple(names)


def identify(state: Path, given: tuple[Path, Path] | None, hosts: tuple[str, ...], clock: Clock) -> Identity:
    """Return the identity to serve with; `given` is (certificate, key). Raises PanelError."""
    if given is not None:
        return _read(*given)
    certificate, key = state / "tls" / "certificate.pem", state / "tls" / "key.pem"
    if not _fit(certificate, key, clock):
        issued = self_sign("siteward panel", hosts, clock.wall())
        _write(key, issued.key)
        _write(certificate, issued.certificate)
    return _read(certificate, key)


def _fit(certificate: Path, key: Path, clock: Clock) -> bool:
    try:
        return key.is_file() and usable(certificate.read_bytes(), clock.wall())
    except (OSError, CertificateError):
        return False


def _read(certificate: Path, key: Path) -> Identity:
    try:
        return Identity(certificate, key, fingerprint(certificate.read_bytes()))
    except (OSError, CertificateError) as error:
        raise PanelError(f"{certificate}: {error}; give a PEM certificate that the panel may read") from error


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all, readable by the panel's user only."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        raise PanelError(f"{path}: {error}; the panel keeps its key there") from error
