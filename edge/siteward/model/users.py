"""People who may use the panel, as core keeps them."""

from dataclasses import dataclass

from siteward.model.requests import Role


@dataclass(frozen=True, slots=True)
class User:
    """A login; password_hash is an argon2 text that core never checks, must_change asks at the next login."""

    name: str
    role: Role
    password_hash: str
    must_change: bool = False
