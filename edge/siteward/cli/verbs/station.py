"""What moves the running station: look at it, start, stop, limit, move an arm."""

from math import isfinite
from typing import Annotated, Any

from siteward.cli import act, status
from siteward.cli.grammar import Amounts, Json, Wait, app, argument, ask, option, unfit
from siteward.cli.paint import Screen
from siteward.model.requests import CommandName
from siteward.model.sentences import Sentence


@app.command(name="status")
def status_now(
    why: Annotated[bool, option("--why", help="Say in words why each connector has its current.")] = False,
    json: Json = False,
) -> int:
    """Show fuses, connectors, wires and alarms now.

    The exit status is 1 when an alarm of the highest class stands.

    Example: siteward status --why
    """
    return ask(Screen(json), lambda client, screen: status.status(client, screen, why))


@app.command()
def watch(
    views: Annotated[int, option("--views", min=0, help="End after so many pages; 0 = Ctrl-C ends.")] = 0,
    json: Json = False,
) -> int:
    """Show the station as it moves.

    Example: siteward watch
    """
    return ask(Screen(json), lambda client, screen: status.watch(client, screen, views), endless=True)


@app.command()
def start(
    connector: Annotated[str, argument(help="The connector.")],
    max_a: Annotated[float | None, option("--max-a", min=6, help="Never more than this current, A.")] = None,
    max_wh: Annotated[int | None, option("--max-wh", min=1, help="End after this energy, Wh.")] = None,
    max_s: Annotated[int | None, option("--max-s", min=60, help="End after this time, s.")] = None,
    max_amount: Annotated[
        int | None, option("--max-amount", min=1, help="End at this amount, in minor units: 1200 is 12.00 CNY.")
    ] = None,
    tariff: Annotated[
        str | None, option("--tariff", help="The tariff that prices it, else the site's default.")
    ] = None,
    card: Annotated[str | None, option("--card", help="The card that it is for, as the list names it.")] = None,
    departs: Annotated[
        str | None, option("--departs", help="When the car leaves: 07:30, or 2026-03-01T07:30, in the site's zone.")
    ] = None,
    wants_kwh: Annotated[
        float | None, option("--wants-kwh", min=0.1, help="What it shall have got by then, kWh.")
    ] = None,
    phase_switching: Annotated[
        bool, option("--phase-switching", help="This car may be switched between one and three phases; it harms some.")
    ] = False,
    wait: Wait = 150.0,
    json: Json = False,
) -> int:
    """Start charging at a connector.

    A departure is served before the rest is shared: the car gets what brings its energy in time, where that fits.

    Example: siteward start A01-1 --departs 07:30 --wants-kwh 20
    """
    given: dict[str, Any] = {"maxCurrent_a": max_a, "maxEnergy_wh": max_wh, "maxTime_s": max_s}
    given |= {"maxAmount": max_amount, "tariffId": tariff, "token": card}
    given |= act.departure(departs, wants_kwh)
    given["phaseSwitching"] = phase_switching or None
    bounds = {name: value for name, value in given.items() if value is not None}
    return ask(Screen(json), lambda client, screen: act.start(client, screen, connector, bounds, wait))


@app.command()
def stop(
    target: Annotated[str, argument(help="A connector with a session, or the session's id.")],
    wait: Wait = 60.0,
    json: Json = False,
) -> int:
    """Stop a session.

    Example: siteward stop A01-1
    """
    return ask(Screen(json), lambda client, screen: act.stop(client, screen, target, wait))


def _limit_a(text: str) -> float:
    """Read a limit, A, or say what one is."""
    try:
        amps = float(text)
    except ValueError:
        amps = -1.0
    if amps >= 0.0 and isfinite(amps):
        return amps
    raise unfit(
        Sentence(
            f"{text}: a limit is a number of amperes, 0 or more; 0 pauses all charging there",
            f"{text}：限值须为不小于 0 的安培数；0 表示暂停该处全部充电",
        )
    )


@app.command(cls=Amounts)
def limit(
    target: Annotated[str, argument(help="A connector or feeder as `status` names it, or station.")],
    amps: Annotated[float, argument(parser=_limit_a, help="The most that may flow there, A on each phase.")],
    minutes: Annotated[float | None, option("--minutes", min=0.1, max=1440, help="How long; else for good.")] = None,
    wait: Wait = 60.0,
    json: Json = False,
) -> int:
    """Limit a connector, a feeder or the whole station.

    It replaces the limit given here before for the same target; to lift one, give the rating of the target.

    Example: siteward limit row-a 32 --minutes 30
    """
    return ask(Screen(json), lambda client, screen: act.limit(client, screen, target, amps, minutes, wait))


def _arm_verb(verb: str, name: CommandName, text: str) -> None:
    """Add a verb that moves a barrier or a lock; core refuses with the reason when the way is not known to be free."""

    @app.command(name=verb, help=text)
    def move(
        target: Annotated[str, argument(help="The barrier or lock, as site.toml names it.")],
        wait: Wait = 60.0,
        json: Json = False,
    ) -> int:
        return ask(Screen(json), lambda client, screen: act.move(client, screen, name, target, wait))


_arm_verb("open", CommandName.OPEN_BARRIER, "Open a barrier.\n\nExample: siteward open gate")
_arm_verb("close", CommandName.CLOSE_BARRIER, "Close a barrier.\n\nExample: siteward close gate")
_arm_verb("raise", CommandName.RAISE_LOCK, "Raise a parking lock.\n\nExample: siteward raise bay-C01-4")
_arm_verb("lower", CommandName.LOWER_LOCK, "Lower a parking lock.\n\nExample: siteward lower bay-C01-4")
