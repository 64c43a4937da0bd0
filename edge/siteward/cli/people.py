"""`user`: who may use the panel. Passwords are asked for or made here, never given on the command line."""

import getpass
import sys

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Screen
from siteward.client.client import Client
from siteward.client.records import UserMessage
from siteward.model.ids import is_id
from siteward.panel.errors import PasswordUnfit
from siteward.panel.passwords import Passwords, demand_fit, generate


def typed_password() -> str:
    """A password typed without echo, or one line of standard input for scripts."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return getpass.getpass("new password: ")


async def listing(client: Client, screen: Screen) -> int:
    """Show every user."""
    users = await client.users()
    if screen.as_json:
        screen.data([{"name": u.name, "role": u.role, "mustChange": u.must_change} for u in users])
        return 0
    rows = [(u.name, u.role, "at next login" if u.must_change else "") for u in users]
    screen.show([Grid("", ("user", "role", "new password"), rows)])
    return 0


async def add(client: Client, screen: Screen, name: str, role: str, password: str | None) -> int:
    """Add a user; without a password one is made and shown once."""
    if any(user.name == name for user in await client.users()):
        raise CommandFailed(f"there is already a user {name}", f"`siteward user passwd {name}` gives a new password")
    if not is_id(name):
        raise CommandFailed(f"{name!r} is no name of a user", "take 1 to 64 of A-Z a-z 0-9 . _ -", "BAD_USE")
    return await _put(client, screen, name, role, password)


async def passwd(client: Client, screen: Screen, name: str, password: str | None) -> int:
    """Give a user a new password; without one it is made and shown once."""
    known = next((user for user in await client.users() if user.name == name), None)
    if known is None:
        raise CommandFailed(f"there is no user {name}", "`siteward user list` shows them")
    return await _put(client, screen, name, known.role, password)


async def _put(client: Client, screen: Screen, name: str, role: str, password: str | None) -> int:
    made = password is None
    secret = generate() if password is None else password
    try:
        demand_fit(secret, name, "")
    except PasswordUnfit as error:
        raise CommandFailed(
            f"the password is not good enough ({error})", "take 10 or more different characters without the name"
        ) from error
    hashed = await Passwords().hash(secret)
    await client.put_user(UserMessage(name=name, role=role, password_hash=hashed, must_change=made), None)
    if screen.as_json:
        screen.data({"name": name, "role": role, "password": secret if made else None, "mustChange": made})
    elif made:
        screen.show([f"user {name} ({role}), password {secret}", "It is shown only now and must be changed at login."])
    else:
        screen.show([f"user {name} ({role}) has the new password"])
    return 0
