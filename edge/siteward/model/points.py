"""Inputs and outputs of the site by name: what was read of them when, and what is to be driven until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType

PointName = NewType("PointName", str)
"""`device.point` of a relay board, or `gpio:chip/line`."""

GPIO_PREFIX = "gpio:"


def device_of(point: PointName) -> str:
    """The device that a point belongs to: the board's id, or `gpio:chip`."""
    return point.rpartition("/" if point.startswith(GPIO_PREFIX) else ".")[0]


def local_of(point: PointName) -> str:
    """The point's name inside its device."""
    return point.rpartition("/" if point.startswith(GPIO_PREFIX) else ".")[2]


@dataclass(frozen=True, slots=True)
class InputReading:
    """One input as read: `on` is the contact as wired, None = not known.

    `sent_at` (boot-time s) is the instant at which the question went out, `edge_at` that of the latest change seen
    (None = none since opening), `edges` counts the changes since opening, also those between two reads.
    """

    point: PointName
    on: bool | None
    sent_at: float
    edge_at: float | None = None
    edges: int = 0


@dataclass(frozen=True, slots=True)
class Drive:
    """One command to an output: a level, or a pulse of `pulse_s` after which the output is off by itself.

    `risky` marks what may only go out while its reason holds: it is asked about again at the instant of sending, and
    never sent after `deadline` (boot-time s). What is not risky (stop, open, lower, off) goes out always and first.
    """

    point: PointName
    on: bool
    pulse_s: float | None = None
    risky: bool = False
    deadline: float | None = None


@dataclass(frozen=True, slots=True)
class PointPlan:
    """What a device is prepared for: its inputs, and its outputs with their pulse in s (None = level)."""

    inputs: tuple[PointName, ...] = ()
    outputs: Mapping[PointName, float | None] = field(default_factory=dict)
