"""Schema of a meter that signs transactions over registers: where its commands, its states and its records live."""

from pydantic import Field

from siteward_drivers.profile_points import Part


class Preset(Part):
    """A holding register that is written before each transaction."""

    address: int = Field(ge=0, le=65535)
    value: int = Field(ge=0, le=65535)


class SigningPart(Part):
    """A meter that takes a billing dataset as JSON, signs it at commands, and hands over payload and signature.

    All are addresses of holding registers. `time` are two (seconds since 1970 UTC, high word first), `offset` is the
    zone in minutes, `clock_state` takes `clock_synced` once the time is right. The lengths are in bytes. `idle`,
    `active` and `unpowered` (open, but after a power failure: time and dataset must be given anew) are values of
    `state`; `busy` and `signed` of `status`. The `key` is the bare point of the curve, `key_prefix` (hex) what makes it
    a public key in DER. `sign_s`: the longest that a signature takes.
    """

    state: int
    idle: int
    active: tuple[int, ...]
    unpowered: int
    command: int
    begin: int
    end: int
    status: int
    busy: tuple[int, ...]
    signed: int
    offset: int
    time: int
    clock_state: int
    clock_synced: int
    dataset: int
    dataset_length: int
    dataset_bytes: int
    payload: int
    payload_length: int
    signature: int
    signature_length: int
    algorithm: str
    key: int
    key_registers: int
    key_prefix: str
    presets: tuple[Preset, ...] = ()
    sign_s: float = Field(default=15.0, gt=0)
