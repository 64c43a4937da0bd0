"""The devices on one simulated wire by their unit id: who hears a request, who answers, how late."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeAlias, TypeVar

from siteward.model.serial import SerialSettings
from siteward_drivers.sim.data_slave import DataMeter
from siteward_drivers.sim.devices import SimDevice
from siteward_drivers.sim.faults import LineFaults
from siteward_drivers.sim.meters import SimMeter
from siteward_drivers.sim.object_slave import ObjectMeter
from siteward_drivers.sim.slave import execute

_R_contra = TypeVar("_R_contra", contravariant=True)

AddressedMeter: TypeAlias = DataMeter | ObjectMeter
"""A meter that is called by its own address, in one of the languages that have such."""


class Hears(Protocol[_R_contra]):
    """Such a meter, by the requests of its language."""

    device: SimMeter

    def answer(self, request: _R_contra) -> bytes | None:
        """Its answer, None where it is silent."""
        ...


BROADCAST = 0
GATEWAY_NO_ANSWER = 0x0B


@dataclass(slots=True)
class WireCount:
    """What truly passed on a wire: requests heard, answers sent, requests before t3.5, frames with a bad check."""

    requests: int = 0
    answers: int = 0
    early: int = 0
    garbled: int = 0
    busy_s: float = 0.0


class Bank:
    """All devices of one line, `meters` are those that are called by their own address.

    `settle` brings the world to the present before a device looks at it.
    """

    def __init__(
        self,
        devices: Mapping[int, SimDevice],
        settle: Callable[[], None],
        random: Random,
        meters: Sequence[AddressedMeter] = (),
    ) -> None:
        self.devices = dict(devices)
        self.meters = tuple(meters)
        self.faults = LineFaults()
        self.count = WireCount()
        self.random = random
        self.settle = settle

    def answer(self, unit: int, pdu: bytes) -> tuple[bytes | None, float]:
        """The addressed device's answer, None for silence, and the time it thinks in s. Others overhear."""
        self.settle()
        self.count.requests += 1
        for other, device in self.devices.items():
            if other != unit and device.answers and not device.faults.silent:
                device.overhear()
        if unit == BROADCAST and unit not in self.devices:
            for device in self.devices.values():
                self._hear(device, pdu)
            return None, 0.0
        device_or_none = self.devices.get(unit)
        return (None, 0.0) if device_or_none is None else self._hear(device_or_none, pdu)

    def _hear(self, device: SimDevice, pdu: bytes) -> tuple[bytes | None, float]:
        faults = device.faults
        if faults.silent or not device.answers or self.random.random() < faults.loss:
            return None, 0.0
        reply = bytes((pdu[0] | 0x80, faults.refuses)) if faults.refuses else execute(device, pdu)
        if faults.mute or self.random.random() < faults.loss:
            return None, 0.0
        self.count.answers += 1
        return reply, device.think_s + self.faults.late_s

    def answer_data(self, meters: Sequence[Hears[_R_contra]], request: _R_contra) -> list[tuple[bytes, float]]:
        """Whole frames of all meters that feel meant, each with the time it thinks in s."""
        self.settle()
        self.count.requests += 1
        answers = []
        for meter in meters:
            faults = meter.device.faults
            if faults.silent or self.random.random() < faults.loss:
                continue
            reply = meter.answer(request)
            if reply is not None and not faults.mute and self.random.random() >= faults.loss:
                self.count.answers += 1
                answers.append((reply, meter.device.think_s + self.faults.late_s))
        return answers

    def spoil(self, frame: bytes) -> bytes:
        """An answer's whole frame without its end, where the line loses it."""
        return frame[: max(1, len(frame) - self.faults.short_by)] if self.faults.short_by else frame

    def speaker(self, unit: int) -> int:
        """The unit that an answer names: another one where the line mixes them up."""
        return unit ^ 1 if self.faults.foreign else unit

    def distort(self, data: bytes) -> bytes:
        """The bytes with the line's noise on them."""
        if self.faults.noise <= 0.0:
            return data
        noisy = bytearray(data)
        for n in range(len(noisy)):
            if self.random.random() < self.faults.noise:
                noisy[n] ^= 1 << self.random.randrange(8)
        return bytes(noisy)


def settings_with_baud(baud: int, home: SerialSettings, meters: Sequence[AddressedMeter]) -> SerialSettings | None:
    """Settings in use on a wire that have that speed, for wires that can show no parity; None where there are none."""
    return next((s for s in (home, *(m.settings for m in meters)) if s.baud == baud), None)
