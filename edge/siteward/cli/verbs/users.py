"""Who may use the panel."""

from typing import Annotated

from siteward.cli.grammar import Json, argument, ask, option, user_app
from siteward.cli.paint import Screen
from siteward.model.requests import Role


@user_app.command(name="list")
def user_list(json: Json = False) -> int:
    """List the users.

    Example: siteward user list
    """
    from siteward.cli import people

    return ask(Screen(json), people.listing)


Typed = Annotated[bool, option("--type", help="Type the password instead of having one made.")]


@user_app.command(name="add")
def user_add(
    name: Annotated[str, argument(help="Name of the login.")],
    role: Annotated[Role, option("--role", help="What the user may do.")] = Role.VIEWER,
    typed: Typed = False,
    json: Json = False,
) -> int:
    """Add a user; the password is made and shown once, and must be changed at the first login.

    Example: siteward user add li --role technician
    """
    from siteward.cli import people

    password = people.typed_password() if typed else None
    return ask(Screen(json), lambda client, screen: people.add(client, screen, name, role.value, password))


@user_app.command(name="passwd")
def user_passwd(
    name: Annotated[str, argument(help="Name of the login.")],
    typed: Typed = False,
    json: Json = False,
) -> int:
    """Give a user a new password.

    Example: siteward user passwd li
    """
    from siteward.cli import people

    password = people.typed_password() if typed else None
    return ask(Screen(json), lambda client, screen: people.passwd(client, screen, name, password))
