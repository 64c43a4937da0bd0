"""What card readers send, gathered into tokens: lines of text, framed or not, in bits and pieces. Pure."""

MOST = 64
"""Longest token; more without an end is noise."""

_ENDS = b"\r\n\x03\x00"
_STARTS = b"\x02"
_KEPT = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_PASSED_OVER = frozenset(b" :")
"""Readers write numbers in groups; what stands between the groups is no part of the token."""


class TokenText:
    """Bytes in, whole tokens out; what is no token is dropped up to its end."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._spoilt = False

    def feed(self, data: bytes) -> list[str]:
        """The tokens that these bytes complete."""
        found = []
        for byte in data:
            if byte in _ENDS:
                if self._held and not self._spoilt:
                    found.append(self._held.decode("ascii"))
                self.forget()
            elif byte in _STARTS:
                self.forget()
            elif byte in _KEPT and len(self._held) < MOST:
                self._held.append(byte)
            elif byte not in _PASSED_OVER:
                self._spoilt = True
        return found

    def forget(self) -> None:
        """Drop what was begun."""
        self._held.clear()
        self._spoilt = False
