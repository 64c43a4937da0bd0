"""A Modbus meter that signs: it is given a transaction's dataset, told to begin and to end, and its records are read.

What it hands over is never written anew: the payload is carried as the bytes that came, since a signature holds over
those alone. A piece that another answer slipped into is found by that signature (fault 12).
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from siteward.control.ocmf import BadOcmf, Ocmf, parse
from siteward.model.errors import DeviceRefused, DeviceUnreachable, Withdrawn
from siteward.model.ports import Clock
from siteward.model.serial import SerialSettings
from siteward.model.signed import SignAnswer, SignFailure, SignOrder, SignStep
from siteward.model.site import Meter
from siteward_drivers.feeding import Feeding
from siteward_drivers.line_job import Rank
from siteward_drivers.modbus_device import Guard, RegisterDevice
from siteward_drivers.modbus_meter import ModbusMeter
from siteward_drivers.profile_points import Table
from siteward_drivers.profile_signing import SigningPart

_ASK_S = 0.25
_PIECE_S = 0.025
_LEAST_PIECE = 10
_BITS_PER_REGISTER = 22
_DER_SEQUENCE, _DER_INTEGER = 0x30, 0x02


class SigningModbusMeter(ModbusMeter):
    """One such meter; implements model.ports.SigningMeter."""

    def __init__(
        self,
        meter: Meter,
        device: RegisterDevice,
        at: SerialSettings | None,
        clock: Clock,
        guard: Guard,
        feeds: Feeding,
        part: SigningPart,
    ) -> None:
        super().__init__(meter, device, at, clock, guard, feeds)
        self._part = part
        timing = device.profile.file.timing
        # The meters of fuses and cuts of the same wire must not wait for a record (ruling 3).
        most = timing.max_registers if at is None else int(_PIECE_S * at.baud / _BITS_PER_REGISTER)
        self._piece = max(_LEAST_PIECE, min(timing.max_registers, most))
        self._written = min(self._piece, timing.max_write_registers)
        self._asking = replace(self._terms, rank=Rank.REST)
        self._key: bytes | None = None

    async def sign(self, order: SignOrder) -> SignAnswer:
        """Have one reading of a session signed; asked again, it hands over the same record.

        Raises DeviceUnreachable, DeviceRefused, Withdrawn; what was begun then is found at the next try.
        """
        if not self._device.known:
            raise Withdrawn(f"{self.id} must tell who it is first")
        if order.step is SignStep.BEGIN:
            return await self._begin(order)
        return await self._end(order)

    async def _begin(self, order: SignOrder) -> SignAnswer:
        part, stray = self._part, None
        if await self._word(part.state) != part.idle:
            held = await self._record()
            if held is not None and _says(held, order, begun=True):
                return SignAnswer(held, await self._public_key())
            # Nobody will ask for the end of what is open: it is ended, and its record goes along.
            stray = await self._ended(None)
        await self._prepare(order)
        await self._command(part.begin, part.active)
        return SignAnswer(await self._signed(), await self._public_key(), stray=stray)

    async def _end(self, order: SignOrder) -> SignAnswer:
        held = await self._record()
        if await self._word(self._part.state) == self._part.idle:
            if held is not None and _says(held, order, begun=False):
                return SignAnswer(held, await self._public_key())
            return SignAnswer(None, failure=SignFailure.NOT_ACTIVE)
        if held is not None and not _about(held, order):
            return SignAnswer(None, failure=SignFailure.NOT_ACTIVE)
        return SignAnswer(await self._ended(order), await self._public_key())

    async def _ended(self, order: SignOrder | None) -> bytes:
        """End what is open, by a record that holds both of its readings."""
        part = self._part
        if await self._word(part.state) == part.unpowered:
            # It kept the reading and lost the rest.
            await self._prepare(order)
        await self._command(part.end, (part.idle,))
        return await self._signed()

    async def _prepare(self, order: SignOrder | None) -> None:
        """Give it the time, and the dataset that its records are made of."""
        part = self._part
        seconds = int(self._clock.wall().timestamp())
        offset = 0 if order is None else order.offset_min
        await self._put(part.time, (seconds >> 16 & 0xFFFF,))
        await self._put(part.time + 1, (seconds & 0xFFFF,))
        await self._put(part.offset, (offset & 0xFFFF,))
        if self._clock.quality().trusted:
            # A time of which we are not sure ourselves is not called synchronised.
            await self._put(part.clock_state, (part.clock_synced,))
        for preset in part.presets:
            await self._put(preset.address, (preset.value,))
        data = _dataset(order)
        if len(data) > part.dataset_bytes:
            raise DeviceRefused(f"{self.id}: a dataset of {len(data)} bytes is more than it takes")
        words = [int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2)]
        for start in range(0, len(words), self._written):
            await self._put(part.dataset + start, words[start : start + self._written])
        await self._put(part.dataset_length, (len(data),))

    async def _command(self, command: int, reached: Sequence[int]) -> None:
        """Give a command, once only, and wait until the state shows it."""
        part = self._part
        await self._put(part.command, (command,))
        for _ in range(round(part.sign_s / _ASK_S)):
            if await self._word(part.state) in reached:
                return
            self._judge_status(await self._word(part.status))
            await asyncio.sleep(_ASK_S)
        raise DeviceUnreachable(f"{self.id}: command {command:#06x} changed nothing in {part.sign_s:g} s")

    async def _signed(self) -> bytes:
        """The record of the newest command, once it is signed."""
        part = self._part
        for _ in range(round(part.sign_s / _ASK_S)):
            status = await self._word(part.status)
            if status == part.signed:
                break
            self._judge_status(status)
            await asyncio.sleep(_ASK_S)
        else:
            raise DeviceUnreachable(f"{self.id}: it has been signing for {part.sign_s:g} s")
        record = await self._record()
        if record is None:
            raise DeviceRefused(f"{self.id}: it says that it signed, and hands over no record")
        return record

    def _judge_status(self, status: int) -> None:
        if status != self._part.signed and status not in self._part.busy:
            raise DeviceRefused(f"{self.id}: signing ended with status {status}", status)

    async def _record(self) -> bytes | None:
        """The record as it lies in the meter, None where there is none."""
        part = self._part
        payload = await self._bytes(part.payload, await self._word(part.payload_length))
        signature = await self._bytes(part.signature, await self._word(part.signature_length))
        if not payload or not signature:
            return None
        signed = json.dumps({"SA": part.algorithm, "SD": lean_der(signature).hex().upper()}, separators=(",", ":"))
        return b"OCMF|" + payload + b"|" + signed.encode("ascii")

    async def _bytes(self, address: int, length: int) -> bytes:
        if length > 2 * self._part.dataset_bytes:
            return b""
        words: list[int] = []
        while 2 * len(words) < length:
            count = min(self._piece, (length + 1) // 2 - len(words))
            words += await self._get(address + len(words), count)
        return b"".join(word.to_bytes(2, "big") for word in words)[:length]

    async def _public_key(self) -> bytes:
        if self._key is None:
            point = await self._bytes(self._part.key, 2 * self._part.key_registers)
            self._key = bytes.fromhex(self._part.key_prefix) + point
        return self._key

    async def _word(self, address: int) -> int:
        return (await self._get(address, 1))[0]

    async def _get(self, address: int, count: int) -> Sequence[int]:
        return await self._device.words(Table.HOLDING, address, count, replace(self._asking, retries=1))

    async def _put(self, address: int, words: Sequence[int]) -> None:
        await self._device.write(Table.HOLDING, address, words, self._asking)


def _dataset(order: SignOrder | None) -> bytes:
    """What the meter's records are made of: it fills in page, its own plate and the readings."""
    data: dict[str, Any] = {"FV": "1.0", "GI": "siteward", "GS": "", "GV": ""}
    data |= {"PG": "", "MV": "", "MM": "", "MS": "", "MF": ""}
    if order is None:
        data |= {"IS": False, "IF": [], "IT": "NONE", "ID": ""}
    else:
        data |= {"IS": True, "IF": [], "IT": "LOCAL", "ID": order.session, "CT": "CBIDC", "CI": order.point}
    return json.dumps({**data, "RD": []}, separators=(",", ":")).encode("ascii")


def lean_der(signature: bytes) -> bytes:
    """A signature in DER without zeros that its numbers do not need: some meters write all at full length.

    Whatever is no sequence of two short numbers stays as it is.
    """
    if len(signature) < 2 or signature[0] != _DER_SEQUENCE or signature[1] != len(signature) - 2:
        return signature
    at, parts = 2, b""
    for _ in range(2):
        if at + 2 > len(signature) or signature[at] != _DER_INTEGER:
            return signature
        number = signature[at + 2 : at + 2 + signature[at + 1]]
        if len(number) != signature[at + 1] or not number:
            return signature
        at += 2 + len(number)
        while len(number) > 1 and number[0] == 0 and number[1] < 0x80:
            number = number[1:]
        parts += bytes((_DER_INTEGER, len(number))) + number
    return bytes((_DER_SEQUENCE, len(parts))) + parts if at == len(signature) else signature


def _read(document: bytes) -> Ocmf | None:
    try:
        return parse(document)
    except BadOcmf:
        return None


def _about(document: bytes, order: SignOrder) -> bool:
    record = _read(document)
    return record is not None and record.about == order.session


def _says(document: bytes, order: SignOrder, begun: bool) -> bool:
    """Whether a record that lies there is the one that is asked for."""
    record = _read(document)
    if record is None or record.about != order.session:
        return False
    return record.begin is not None if begun else record.end is not None
