"""Schema of a relay board's profile: coils and inputs by name, its own pulses, pairs and watchdog."""

from typing import Literal, Self

from pydantic import Field, model_validator

from siteward_drivers.profile_points import Part, Table
from siteward_drivers.profile_schema import Tested, TimingPart, WirePart

Address = int


class PulsePart(Part):
    """How the board ends a pulse by itself.

    `raw_coil`: function 5 to `first` + n with the time as its raw value. `timer`: the time goes to register
    `first` + n, `mode_value` to `mode_first` + n once, and then the coil is switched on. n is the output's place.
    """

    kind: Literal["raw_coil", "timer"]
    first: Address = Field(ge=0, le=65535)
    unit_s: float = Field(gt=0)
    most: int = Field(ge=1, le=65535)
    mode_first: Address | None = None
    mode_value: int = 0

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kind == "timer") is (self.mode_first is None):
            raise ValueError("mode_first goes with kind timer and with no other")
        return self


class PairPart(Part):
    """Two outputs that the board interlocks as open and close; the registers are those of this pair.

    `failsafe_value` makes the pair rest when the board is left alone: the arm is moved by nobody without a judgement.
    """

    open: Address
    close: Address
    mode: Address
    mode_value: int = 1
    time_open: Address
    time_close: Address
    time_unit_s: float = Field(default=0.1, gt=0)
    dead_time: Address
    dead_unit_s: float = Field(default=0.001, gt=0)
    failsafe: Address
    failsafe_value: int = 0


class RelayWatchdogPart(Part):
    """The board's own watchdog: holding registers of its time in s, its trigger, and each output's safe state."""

    timeout: Address
    range_s: tuple[int, int]
    trigger: Address
    trigger_value: int
    state_first: Address
    action_first: Address
    action_value: int = 1


class SetupWrite(Part):
    """A holding register that must hold a value before the board may be used, and why."""

    register_: Address = Field(alias="register")
    value: int = Field(ge=0, le=65535)
    reason: str = Field(min_length=5)


class InputsPart(Part):
    """Inputs of one table by name."""

    table: Literal[Table.DISCRETE, Table.COIL] = Table.DISCRETE
    points: dict[str, Address] = Field(default_factory=dict)


class RelayFile(Part):
    """A relay board's profile as written; addresses are as on the wire (from 0)."""

    schema_: Literal[1] = Field(alias="schema")
    kind: Literal["relay"]
    vendor: str
    model: str
    tested: Tested
    source: tuple[str, ...] = Field(min_length=1)
    notes: tuple[str, ...] = ()
    wire: WirePart
    timing: TimingPart = TimingPart()
    outputs: dict[str, Address] = Field(min_length=1)
    inputs: InputsPart = InputsPart()
    pulse: PulsePart | None = None
    pairs: tuple[PairPart, ...] = ()
    watchdog: RelayWatchdogPart | None = None
    setup: tuple[SetupWrite, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> Self:
        both = sorted(set(self.outputs) & set(self.inputs.points))
        if both:
            raise ValueError(f"{', '.join(both)}: a point is an input or an output")
        if len(set(self.outputs.values())) != len(self.outputs):
            raise ValueError("two outputs share a coil")
        return self
