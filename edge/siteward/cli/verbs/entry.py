"""Who comes in: cards, reservations, service, unlocking, and an emergency stop that is over."""

from pathlib import Path
from typing import Annotated, Any

from siteward.cli import act
from siteward.cli.grammar import Json, Wait, app, argument, ask, auth_app, option
from siteward.cli.paint import Screen
from siteward.model.requests import CommandName

Card = Annotated[str, argument(help="What the reader shows of the card.")]


@auth_app.command(name="list")
def auth_list(json: Json = False) -> int:
    """Show the list of cards in force.

    Example: siteward auth list
    """
    from siteward.cli import cards

    return ask(Screen(json), cards.listing)


@auth_app.command(name="import")
def auth_import(
    file: Annotated[Path, argument(help="CSV with id, group, valid_until, blocked.")], json: Json = False
) -> int:
    """Replace the list by that of a file.

    Example: siteward auth import cards.csv
    """
    from siteward.cli import cards

    return ask(Screen(json), lambda client, screen: cards.bring(client, screen, file))


@auth_app.command(name="add")
def auth_add(
    card: Card,
    group: Annotated[str, option("--group", help="Group that the site's access rules name.")] = "",
    until: Annotated[str, option("--until", help="Valid until, such as 2026-12-31.")] = "",
    blocked: Annotated[bool, option("--blocked", help="Never let it in.")] = False,
    json: Json = False,
) -> int:
    """Add a card, or change what the list says of it.

    Example: siteward auth add 04A2B3C4 --group fleet
    """
    from siteward.cli import cards

    token = cards.token_of(card, group, cards.moment(until, "--until"), blocked)
    return ask(Screen(json), lambda client, screen: cards.add(client, screen, token))


@auth_app.command(name="remove")
def auth_remove(card: Card, json: Json = False) -> int:
    """Take a card off the list.

    Example: siteward auth remove 04A2B3C4
    """
    from siteward.cli import cards

    return ask(Screen(json), lambda client, screen: cards.remove(client, screen, card))


@app.command()
def reserve(
    connector: Annotated[str, argument(help="The connector.")],
    card: Annotated[str | None, option("--card", help="The card that it is kept for.")] = None,
    minutes: Annotated[float, option("--minutes", min=1, max=1440, help="How long.")] = 15.0,
    who: Annotated[str | None, option("--for", help="Name or phone, for people on site only.")] = None,
    waits: Annotated[bool, option("--next", help="As soon as the connector is free, if it is in use.")] = False,
    cancel: Annotated[bool, option("--cancel", help="Let its reservation go.")] = False,
    json: Json = False,
) -> int:
    """Keep a connector for somebody, or let its reservation go.

    Example: siteward reserve A01-1 --card 04A2B3C4 --minutes 30
    """
    name = CommandName.CANCEL_RESERVATION if cancel else CommandName.RESERVE
    params: dict[str, Any] = {} if cancel else {"hold_s": minutes * 60.0}
    if card is not None and not cancel:
        params["token"] = card
    if who and not cancel:
        params["who"] = who
    if waits and not cancel:
        params["next"] = True
    return ask(Screen(json), lambda client, screen: act.move(client, screen, name, connector, 10.0, params))


@app.command()
def service(
    target: Annotated[str, argument(help="A connector, a charger, or station.")],
    out: Annotated[bool, option("--out/--in", help="Take it out of service after its session, or back.")],
    json: Json = False,
) -> int:
    """Take a connector out of service, or back into it; a running session goes on to its end.

    Example: siteward service A01-1 --out
    """
    name, params = CommandName.SET_AVAILABILITY, {"operative": not out}
    return ask(Screen(json), lambda client, screen: act.move(client, screen, name, target, 10.0, params))


@app.command()
def unlock(connector: Annotated[str, argument(help="The connector.")], wait: Wait = 30.0, json: Json = False) -> int:
    """Let a plug go where the charger can do that.

    Example: siteward unlock A01-1
    """
    name = CommandName.UNLOCK_CONNECTOR
    return ask(Screen(json), lambda client, screen: act.move(client, screen, name, connector, wait))


@app.command()
def reset(
    emergency: Annotated[str, argument(help="The emergency stop, as site.toml names it.")], json: Json = False
) -> int:
    """Acknowledge an emergency stop whose cause is gone; charging may begin again there.

    Example: siteward reset hall
    """
    return ask(Screen(json), lambda client, screen: act.move(client, screen, CommandName.RESET, emergency, 10.0))
