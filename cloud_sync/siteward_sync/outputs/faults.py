"""What is said of a message that did not arrive: where, why, and what to do; never the password."""

import base64
import smtplib
import ssl
from collections.abc import Iterator

_LONGEST = 200
_SHORTEST_SECRET = 4
_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's codes for a chain that ends in nobody who is trusted."""


def told(error: BaseException, user: str | None = None, secret: bytes = b"") -> str:
    """One line about an error of a delivery, with what was sent as a password made unreadable."""
    text = " ".join(_sentence(error).split())
    for part in _secrets(user or "", secret):
        text = text.replace(part, "•••")
    return text[:_LONGEST]


def _sentence(error: BaseException) -> str:
    for inner in _chain(error):
        if isinstance(inner, ssl.SSLCertVerificationError):
            hint = "; name its authority in ca_file" if inner.verify_code in _UNKNOWN_AUTHORITY else ""
            return f"its certificate is refused: {inner.verify_message}{hint}"
        if isinstance(inner, ssl.SSLError) and inner.reason == "WRONG_VERSION_NUMBER":
            return "it speaks no TLS there; a mail server that begins without takes smtp:// (STARTTLS)"
    if isinstance(error, smtplib.SMTPNotSupportedError) and "STARTTLS" in str(error):
        return "it offers no TLS (STARTTLS); nothing was sent, neither password nor alarm"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return ", ".join(f"{name}: {_answer(*answer)}" for name, answer in sorted(error.recipients.items()))
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error)
    if isinstance(error, UnicodeError):
        return "user or password has characters that a mail server's login cannot carry; it takes ASCII only"
    return str(error) or type(error).__name__


def _answer(code: int, text: bytes | str) -> str:
    return f"{code} {text.decode(errors='replace') if isinstance(text, bytes) else text}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it came of."""
    inner: BaseException | None = error
    while inner is not None:
        yield inner
        inner = inner.__cause__ or inner.__context__


def _secrets(user: str, secret: bytes) -> list[str]:
    """The password as a server may send it back: as it is, and in the forms in which logins carry it."""
    if len(secret) < _SHORTEST_SECRET:
        return []
    # The longest first: the end of one form may look like another.
    forms = (base64.b64encode(b"\0" + user.encode() + b"\0" + secret), base64.b64encode(secret), secret)
    return [form.decode(errors="replace") for form in forms]
