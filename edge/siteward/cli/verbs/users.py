"""Who may use the panel."""

from typing import Annotated

from siteward.cli.grammar import Json, argument, ask, option, unfit, user_app
from siteward.cli.paint import Screen
from siteward.model.requests import Role
from siteward.model.sentences import Sentence

_ROLES = ", ".join(Role)


@user_app.command(name="list")
def user_list(json: Json = False) -> int:
    """List the users.

    Example: siteward user list
    """
    from siteward.cli import people

    return ask(Screen(json), people.listing)


def _role(text: str) -> Role:
    """Read a role, or say which there are."""
    if text in set(Role):
        return Role(text)
    raise unfit(
        Sentence(
            f"there is no role {text}; take one of {_ROLES}, for example --role {Role.TECHNICIAN}",
            f"没有角色 {text}；可用：{_ROLES}，例如 --role {Role.TECHNICIAN}",
        )
    )


Typed = Annotated[bool, option("--type", help="Type the password instead of having one made.")]


@user_app.command(name="add")
def user_add(
    name: Annotated[str, argument(help="Name of the login.")],
    role: Annotated[
        Role, option("--role", parser=_role, metavar="|".join(Role), help="What the user may do.")
    ] = Role.VIEWER,
    typed: Typed = False,
    json: Json = False,
) -> int:
    """Add a user.

    The password is made and shown once, and must be changed at the first login.

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
