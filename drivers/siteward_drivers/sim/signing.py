"""The signing side of a simulated meter: it takes a dataset, begins and ends transactions, and truly signs them."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from siteward.trust.crypto import curve_public, curve_signed
from siteward_drivers.profile_signing import SigningPart
from siteward_drivers.sim.registers import ILLEGAL_ADDRESS, ModbusFault

INVALID_STATE = 131
"""Status of a command that the state does not allow."""

FLOURISH = 'Zähler №1  "kWh"\\u00b2 '
"""Rides along in every payload: what carries a record must carry this byte for byte."""

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_SPAN = 0x600


class SimSigner:
    """What a meter does at the registers of its signing part.

    register_wh is what it counted, serial its plate. Faults: lost lets the signature fail with that status, slow_s is
    how long it takes, drift_wh what the signed register shows more than the other one; forged spoils signatures.
    handed are all payloads that it signed.
    """

    def __init__(
        self, part: SigningPart, serial: str, register_wh: Callable[[], float], now: Callable[[], float], random: Random
    ) -> None:
        self._part = part
        self._serial = serial
        self._register_wh = register_wh
        self._now = now
        self._base = part.state
        self._words = [0] * _SPAN
        self._page = random.randrange(100, 1000)
        self._secret = random.randrange(2, _ORDER - 1)
        self._told_at = now()
        self._begun: dict[str, Any] | None = None
        self._ready: tuple[float, bytes] | None = None
        self.transactions = 0
        self.handed: list[bytes] = []
        self.lost = 0
        self.slow_s = 0.4
        self.drift_wh = 0.0
        self.forged = False
        self._place(part.key, self.public_key[-2 * part.key_registers :])

    @property
    def public_key(self) -> bytes:
        """The key by which its records can be verified, DER."""
        return curve_public(self._secret)

    @property
    def open(self) -> bool:
        """Whether a transaction is open."""
        return self._begun is not None

    def has(self, address: int) -> bool:
        """Whether an address lies among its registers."""
        return self._base <= address < self._base + _SPAN

    def read(self, address: int, count: int) -> list[int]:
        """Words of holding registers. Raises ModbusFault."""
        self._settle()
        start = address - self._base
        if start + count > _SPAN:
            raise ModbusFault(ILLEGAL_ADDRESS)
        return self._words[start : start + count]

    def write(self, address: int, words: Sequence[int]) -> None:
        """Take words; a command is carried out at once. Raises ModbusFault."""
        self._settle()
        if address - self._base + len(words) > _SPAN:
            raise ModbusFault(ILLEGAL_ADDRESS)
        for n, word in enumerate(words):
            self._words[address + n - self._base] = word
        if address == self._part.time + 1:
            self._told_at = self._now()
        if address == self._part.command:
            self._obey(words[0])

    def power_cut(self) -> None:
        """Lose what only memory holds: record, dataset and clock; an open transaction stays open."""
        kept = [self._get(self._part.key + n) for n in range(self._part.key_registers)]
        self._words = [0] * _SPAN
        self._ready = None
        for n, word in enumerate(kept):
            self._put(self._part.key + n, word)
        self._put(self._part.state, self._part.unpowered if self.open else self._part.idle)

    def _obey(self, command: int) -> None:
        part = self._part
        if (command == part.begin) is self.open or command not in (part.begin, part.end):
            self._put(part.status, INVALID_STATE)
            return
        if self.lost:
            self._put(part.status, self.lost)
            return
        if command == part.begin:
            self._begun = self._reading("B")
            self.transactions += 1
            readings = [self._begun]
        else:
            readings = [dict(self._begun or {}), self._reading("E")]
            self._begun = None
        self._put(part.status, part.busy[-1])
        self._put(part.state, part.active[0] if self.open else part.idle)
        self._ready = self._now() + self.slow_s, self._payload(readings)

    def _reading(self, reason: str) -> dict[str, Any]:
        part = self._part
        seconds = (self._get(part.time) << 16 | self._get(part.time + 1)) + int(self._now() - self._told_at)
        offset = self._get(part.offset)
        zone = timezone(timedelta(minutes=offset - 0x10000 if offset & 0x8000 else offset))
        at = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        clock = "S" if self._get(part.clock_state) == part.clock_synced else "U"
        wh = self._register_wh() + (self.drift_wh if reason != "B" else 0.0)
        return {
            "TM": f"{at:%Y-%m-%dT%H:%M:%S,000%z} {clock}",
            "TX": reason,
            "RV": f"{wh / 1000.0:.3f}",
            "RI": "1-b:1.8.0",
            "RU": "kWh",
            "ST": "G",
        }

    def _payload(self, readings: Sequence[dict[str, Any]]) -> bytes:
        part = self._part
        length = self._get(part.dataset_length)
        given = b"".join(self._get(part.dataset + n).to_bytes(2, "big") for n in range((length + 1) // 2))[:length]
        self._page += 1
        data = json.loads(given or b"{}")
        data |= {
            "PG": f"T{self._page}",
            "MV": "ISKRA",
            "MM": "WM3M4C",
            "MS": self._serial,
            "MF": "1.02",
            "UF": FLOURISH,
        }
        rows = ",\n ".join(json.dumps(row).replace(f'"RV": "{row["RV"]}"', f'"RV": {row["RV"]}') for row in readings)
        text = json.dumps({**data, "RD": []}, ensure_ascii=False, separators=(" ,", ": "))
        return text.replace('"RD": []', f'"RD": [{rows} ]\t').encode()

    def _settle(self) -> None:
        """Hand over what has been signed by now."""
        if self._ready is None or self._now() < self._ready[0]:
            return
        part, payload = self._part, self._ready[1]
        self.handed.append(payload)
        self._ready = None
        signature = curve_signed(self._secret, payload + b" " if self.forged else payload)
        self._place(part.payload, payload)
        self._put(part.payload_length, len(payload))
        self._place(part.signature, signature)
        self._put(part.signature_length, len(signature))
        self._put(part.status, part.signed)

    def _place(self, address: int, data: bytes) -> None:
        for n in range(0, len(data), 2):
            self._put(address + n // 2, int.from_bytes(data[n : n + 2].ljust(2, b"\0"), "big"))

    def _get(self, address: int) -> int:
        return self._words[address - self._base]

    def _put(self, address: int, word: int) -> None:
        self._words[address - self._base] = word
