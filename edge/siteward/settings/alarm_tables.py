"""The table of site.toml for rules of alarms: which figure of which device may be how high, and for how long."""

from typing import Literal

from siteward.settings.keys import Id, Table, key


class AlarmTable(Table):
    """[[alarm]]: a rule of alarms; one with the id of a shipped rule changes what it names of it."""

    id: Id = key(..., "Id of the rule.", reason="`siteward check` lists the shipped ones; alarms name their rule.")
    on: Literal["charger", "meter", "feeder", "station", "uplink"] | None = key(
        None,
        "What the rule is about; asked unless a shipped rule of this id says it.",
        reason="Devices of a kind share their rules; the controller and its uplink have their own.",
    )
    what: (
        Literal[
            "temperature_c",
            "voltage_v",
            "frequency_hz",
            "silent_s",
            "silent_percent",
            "cpu_percent",
            "memory_percent",
            "disk_percent",
            "turn_ms",
            "backlog_events",
            "drift_percent",
        ]
        | None
    ) = key(
        None,
        "The figure that is watched; asked unless a shipped rule of this id says it.",
        reason="Not every kind has every figure: a charger has a temperature, a meter a frequency.",
    )
    above: float | None = key(
        None,
        "Higher than this is an alarm, in the unit that the figure's name ends with.",
        reason="One of `above` and `below` is needed.",
        ge=-1e6,
        le=1e6,
    )
    below: float | None = key(
        None,
        "Lower than this is an alarm, in the unit that the figure's name ends with.",
        reason="A lost phase or a generator shows by figures that are too low.",
        ge=-1e6,
        le=1e6,
    )
    hysteresis: float | None = key(
        None,
        "How far back inside the bound the figure must be before the alarm ends; 0 where no shipped rule says more.",
        reason="A figure that dances on its bound is one alarm.",
        ge=0,
        le=1e6,
    )
    after_s: float | None = key(
        None,
        "How long it must last before it is told; 0 where no shipped rule says more.",
        unit="s",
        reason="A single odd reading calls nobody.",
        ge=0,
        le=86400,
    )
    clear_after_s: float | None = key(
        None,
        "How long the figure must be good again before the alarm ends; 0 where no shipped rule says more.",
        unit="s",
        reason="For figures that come and go.",
        ge=0,
        le=86400,
    )
    least: float | None = key(
        None,
        "So many devices (silent_percent) or Wh in the quarter of an hour (drift_percent) must be concerned.",
        reason="Half of two chargers is no mass, and a quarter of an hour without cars proves nothing.",
        ge=0,
        le=1e6,
    )
    severity: Literal["highest", "high", "medium", "low"] | None = key(
        None,
        "How soon somebody must act; asked unless a shipped rule of this id says it.",
        reason="Outputs send from a severity on.",
    )
    profile: str | None = key(
        None,
        "Only devices of this profile.",
        reason="Each type of device has its own healthy figures.",
        min_length=1,
        max_length=64,
    )
    device: Id | None = key(
        None,
        "Only this charger, connector, meter or feeder.",
        reason="One box in the sun may need its own bound.",
    )
    supply: Literal["ac", "dc"] | None = key(
        None,
        "Only chargers that give the car this.",
        reason="What a DC charger calls its voltage is not the mains'.",
    )
    latched: bool | None = key(
        None,
        "Whether the alarm stands until a person clears it, though the figure is good again; false unless said.",
        reason="For what somebody must have looked at.",
    )
    off: bool = key(
        False,
        "Take a shipped rule away.",
        reason="Better than a bound that is never reached: the list of rules says what is watched.",
    )
