"""Scenario files: how busy a simulated site is and what befalls it, as data."""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from siteward.model.errors import ConfigError


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError("the first number must not be above the second")
    return span


Share = Annotated[float, Field(ge=0.0, le=1.0)]

Span = Annotated[tuple[float, float], AfterValidator(_rising)]
"""Lowest and highest of a value drawn evenly."""

Shares = Annotated[tuple[Share, Share], AfterValidator(_rising)]
"""Lowest and highest share, 0..1."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseLoadPlan(_Part):
    """Other load: shares of each feeder's worst base load; a new share is drawn after step_s on average."""

    share: Shares = (0.1, 0.9)
    step_s: float = Field(default=30.0, gt=0.0)


class ArrivalPlan(_Part):
    """Cars: seconds until the first, free time between two, longest stay, and what the cars are like."""

    first_s: Span = (2.0, 120.0)
    free_s: Span = (60.0, 600.0)
    stay_s: Span = (1200.0, 7200.0)
    linger_s: Span = (10.0, 120.0)
    capacity_kwh: Span = (30.0, 90.0)
    soc: Shares = (0.1, 0.8)
    max_a: tuple[float, ...] = (16.0, 16.0, 32.0)
    phases: tuple[int, ...] = (1, 2, 3, 3, 3)
    react_s: Span = (1.0, 5.0)


class TrafficPlan(_Part):
    """Vehicles at barriers: one comes after_s after an arm stood open and stays below it for stay_s.

    A parking lock's bay is taken while a car is plugged in at its connector, and no car comes while the lock is up.
    """

    after_s: float = Field(default=2.0, ge=0.0)
    stay_s: float = Field(default=4.0, gt=0.0)


class ScenarioEvent(_Part):
    """Something that befalls the site at `at_s`: `do` and its arguments are those of the control socket."""

    model_config = ConfigDict(extra="allow", frozen=True)
    at_s: float = Field(ge=0.0)
    do: str

    def command(self) -> dict[str, object]:
        """The event as a control socket command."""
        return {"do": self.do, **(self.model_extra or {})}


class Scenario(_Part):
    """A whole scenario; without [arrivals] no car comes by itself, without [base_load] other load stays 0.

    Without [traffic] nothing comes near an arm by itself.
    """

    base_load: BaseLoadPlan | None = None
    arrivals: ArrivalPlan | None = None
    traffic: TrafficPlan | None = None
    fuses_blow: bool = True
    event: tuple[ScenarioEvent, ...] = ()


QUIET = Scenario()
"""Nothing happens by itself."""

BUSY = Scenario(base_load=BaseLoadPlan(), arrivals=ArrivalPlan())
"""Cars come and go, other load moves."""


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises ConfigError with file and key."""
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{path}: {key}: {first['msg']}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
