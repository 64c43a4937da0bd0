"""Ruling 28: who may make the very first user, when there is nobody yet who could be asked."""

import pytest

from siteward.api.rights import may_change_user
from siteward.model.requests import Actor, Role, Source
from siteward.model.users import User

FIRST = User("admin", Role.INSTALLER, "$argon2id$", must_change=True)
KNOWN = (User("ines", Role.INSTALLER, "$argon2id$"), User("vera", Role.VIEWER, "$argon2id$"))


@pytest.mark.parametrize(
    ("caller", "user", "may"),
    [
        (Source.PANEL, FIRST, True),
        (Source.PANEL, User("admin", Role.INSTALLER, "$argon2id$", must_change=False), False),
        (Source.PANEL, User("admin", Role.TECHNICIAN, "$argon2id$", must_change=True), False),
        (Source.CLOUD, FIRST, False),
        (Source.LOCAL, FIRST, False),
    ],
)
def test_only_the_panel_makes_the_first_one_and_it_must_change(caller: Source, user: User, may: bool) -> None:
    """Ruling 28: one generated first login; nobody else may use the gap."""
    assert may_change_user(caller, None, user, ()) is may


def test_afterwards_the_gap_is_closed() -> None:
    """With one user there, the panel needs a proven installer again."""
    assert not may_change_user(Source.PANEL, None, FIRST, KNOWN)
    assert not may_change_user(Source.PANEL, Actor("panel", Role.INSTALLER), FIRST, KNOWN)
    assert not may_change_user(Source.PANEL, Actor("vera", Role.INSTALLER), FIRST, KNOWN)
    assert may_change_user(Source.PANEL, Actor("ines", Role.INSTALLER), FIRST, KNOWN)
