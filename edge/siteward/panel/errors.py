"""Errors of the panel: what keeps it from serving, and what keeps a person from acting."""

from siteward.model.errors import SitewardError


class PanelError(SitewardError):
    """The panel cannot serve: the address is taken, a certificate file is missing or not readable."""


class LoginRefused(SitewardError):
    """Name, password or pace of a login was not accepted; deliberately says no more than that."""


class PasswordUnfit(SitewardError):
    """A new password is too weak; `rule` is the key of the sentence in panel/words.py."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule
