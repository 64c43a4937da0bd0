"""The tables of site.toml about who comes in: [auth], [[access]], [[reader]], [[emergency]], [[bay]]."""

from typing import Literal

from siteward.settings.access_tables import Point
from siteward.settings.keys import MISSING, Id, Table, key, name_key
from siteward.settings.limit_tables import DAYS, ClockTime


class AuthTable(Table):
    """[auth]: how cards are judged; the list itself comes from the platform or by `siteward auth`."""

    offline: Literal["deny", "known", "seen", "all"] = key(
        "seen",
        "Whom a card lets start while the platform cannot be reached: nobody, cards of the list, those and cards seen "
        "lately, everybody. `seen` and `all` also hold while it can.",
        reason="A driver who charged here last week must not stand before a dead box because a cable is cut.",
    )
    seen_days: float = key(
        14.0,
        "How long a card counts as seen after the platform last accepted it.",
        unit="d",
        reason="Longer than a holiday, shorter than most quarrels about an account.",
        ge=1,
        le=90,
    )
    offline_sessions: int = key(
        3,
        "Sessions that one card may have until the platform has acknowledged one of them.",
        reason="A stolen card must not charge a fleet while nobody can block it.",
        ge=1,
        le=100,
    )
    offline_energy_kwh: float = key(
        100.0,
        "Energy that one card may take until then; a running session counts with all that it may still take.",
        unit="kWh",
        reason="Bounds what an account that is empty can cost.",
        ge=1,
        le=10_000,
    )


class AccessRuleTable(Table):
    """[[access]]: who may use what, and when. What no rule names is open to every card that is let through at all."""

    id: Id = key(MISSING, "Id of the rule.", reason="Checks name it.")
    opens: list[Id] = key(
        MISSING,
        "Connectors, barriers and parking locks that it is about.",
        reason="Once a rule names a thing, only cards that one of its rules lets in may use it.",
        min_length=1,
        max_length=500,
    )
    groups: list[Id] = key(
        [],
        "Groups of cards, as the list says; none means every card that is let through.",
        reason="The list says who belongs together, the site says what they may use.",
        max_length=100,
    )
    days: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = key(
        list(DAYS),
        "Days on which the time begins.",
        reason="A time that passes midnight belongs to the day on which it begins.",
        min_length=1,
        max_length=7,
    )
    begin: ClockTime = key(
        "00:00",
        "Begin by the local clock, HH:MM.",
        reason="While the clock is not trusted, only rules without a time let anybody in.",
        span="00:00 to 23:59",
    )
    end: ClockTime = key(
        "24:00",
        "End by the local clock, HH:MM; not after the begin means the next day.",
        reason="A night is one time, not two.",
        span="00:00 to 24:00",
    )


class ReaderTable(Table):
    """[[reader]]: a card reader at connectors or at a barrier."""

    id: Id = key(MISSING, "Id of the reader.", reason="Alarms and the journal name it.")
    port: str = key(
        MISSING,
        "Serial port, or the input device of a reader that types like a keyboard.",
        reason="Take a name below /dev/serial/by-path or /dev/input/by-path: others change with the order of plugging.",
        min_length=1,
        max_length=200,
    )
    kind: Literal["serial", "keys"] = key(
        "serial",
        "Whether it sends lines of text over a serial port, or types the number and Enter.",
        reason="Both are common; a keyboard's keys are taken by siteward alone and reach no console.",
    )
    baud: int = key(9600, "Speed of a serial reader.", reason="Most come with 9600.", ge=300, le=921_600)
    connectors: list[Id] = key(
        [],
        "Connectors that it serves; the one where the car stands is meant.",
        reason="One reader may serve a row: plug in first, then hold the card.",
        max_length=200,
    )
    barrier: Id | None = key(None, "Barrier that it opens.", reason="A reader at the entrance serves no connector.")


class EmergencyTable(Table):
    """[[emergency]]: an input that ends charging at once and latches until a technician acknowledges it on site."""

    id: Id = key(MISSING, "Id, as the alarm names it.", reason="It is acknowledged by its id.")
    name: str | None = name_key()
    input: Point = key(
        MISSING,
        "The contact: `board.point` of a relay board, `gpio:pi/17` (BCM number) or `gpio:gpiochip0/17`.",
        reason="It tells us; whatever must hold without us is wired into the chargers' own supply besides.",
    )
    normally_closed: bool = key(
        True,
        "Whether the contact is closed while nothing is wrong.",
        reason="Then a cut cable counts as pressed.",
    )
    connectors: list[Id] = key(
        [],
        "Connectors that it stops; none means all of the site.",
        reason="A door contact belongs to one charger, a button at the gate to all.",
        max_length=500,
    )


class BayTable(Table):
    """[[bay]]: the parking bay of a connector; a car that stands there without charging is told of."""

    id: Id = key(MISSING, "Id, as alarms and events name it.", reason="Platforms bill by it.")
    connector: Id = key(
        MISSING, "The connector whose bay it is.", reason="Charging there is the reason to stand there."
    )
    sensor: Point | None = key(
        None,
        "Input that says that a car stands there; that of the connector's parking lock when it is not given.",
        reason="Without any the plug says it: a car that never plugs in is then not seen.",
    )
    normally_closed: bool = key(
        True,
        "Whether the sensor's contact is closed while the bay is empty.",
        reason="Then a cut cable says car.",
    )
    blocked_after_min: float = key(
        15.0,
        "How long a car may stand there without charging.",
        unit="min",
        reason="Time to come back once the battery is full.",
        ge=1,
        le=1440,
    )
    fee_rule: str = key(
        "",
        "Rule of the tariff that the event names, such as `idle`.",
        reason="Who blocks a bay may have to pay for it; the platform bills by the event.",
        max_length=64,
    )
