"""Whether a token may charge or open here and now: the list, what holds offline, its cap, and the rules of access."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from siteward.control.book import Book
from siteward.control.schedule import within
from siteward.model.auth import AccessRule, Authorisation, AuthorisedBy, AuthRules, OfflinePolicy
from siteward.model.refusals import Refusal
from siteward.model.requests import Request, Source
from siteward.model.sessions import SessionRecord
from siteward.model.site import Site

DAY_MIN = 1440


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is judged: UTC, whether that clock may be trusted, and whether the platform can be reached."""

    wall: datetime
    trusted: bool
    online: bool


def token_of(text: str) -> str:
    """A token as it is compared: capital letters do not count."""
    return text.upper()


def authorise(site: Site, book: Book, token: str, things: Iterable[str], now: Moment) -> Authorisation | Refusal:
    """What lets a token use one of the `things` (ids of a connector, barrier or lock, any of them), or why not."""
    by = _known(site.auth, book, token, now)
    if isinstance(by, Refusal):
        return by
    if not _allowed(site, book, token, things, now):
        return Refusal.ACCESS_RULE
    online = now.online if site.auth.platform else None
    return Authorisation(by, token, book.list.head.version, age_s(book, now), online)


def age_s(book: Book, now: Moment) -> int | None:
    """Age of the installed list; None without one, or without a clock that tells it."""
    installed = book.list.head.installed_at
    return None if installed is None or not now.trusted else max(0, int((now.wall - installed).total_seconds()))


def _known(rules: AuthRules, book: Book, token: str, now: Moment) -> AuthorisedBy | Refusal:
    offline = rules.platform and not now.online
    entry = book.list.tokens.get(token)
    if entry is not None and entry.blocked:
        return Refusal.CARD_BLOCKED
    # A clock that nobody set says nothing about an end: the start is let through, and flagged like all of its time.
    if entry is not None and entry.valid_until is not None and now.trusted and now.wall >= entry.valid_until:
        return Refusal.CARD_EXPIRED
    if offline and rules.offline is OfflinePolicy.DENY:
        return Refusal.OFFLINE_DENIED
    if entry is not None:
        return AuthorisedBy.LIST
    if rules.offline is OfflinePolicy.SEEN and _seen(rules, book, token, now):
        return AuthorisedBy.SEEN
    return AuthorisedBy.POLICY if rules.offline is OfflinePolicy.ALL else Refusal.CARD_UNKNOWN


def _seen(rules: AuthRules, book: Book, token: str, now: Moment) -> bool:
    """Whether it was accepted, with the platform there, in the last days."""
    at = book.seen.get(token)
    return at is not None and (not now.trusted or now.wall - at <= timedelta(days=rules.seen_days))


def _allowed(site: Site, book: Book, token: str, things: Iterable[str], now: Moment) -> bool:
    """A thing that no rule names is open to every token let through; with rules, one of them must let it in now."""
    entry = book.list.tokens.get(token)
    group = entry.group if entry is not None else ""
    for thing in things:
        rules = [rule for rule in site.auth.rules if thing in rule.opens]
        if rules and not any(
            (not rule.groups or group in rule.groups)
            and (within(rule.days, rule.begin_min, rule.end_min, now.wall, site.zone) if now.trusted else _always(rule))
            for rule in rules
        ):
            return False
    return True


def _always(rule: AccessRule) -> bool:
    """Whether a rule holds at every hour, so that it can be judged without a clock."""
    return len(rule.days) == 7 and rule.end_min - rule.begin_min == DAY_MIN


def offline_rest_wh(rules: AuthRules, token: str, sessions: Iterable[SessionRecord]) -> int | None:
    """What a token may still take while offline, in Wh; None when it may begin no session any more.

    `sessions` are those that the platform has not acknowledged, open ones included: an acknowledgement is the sync that
    gives a card its allowance back. An open one counts with all that it may take: two at once share one allowance.
    """
    own = [s for s in sessions if s.authorised is not None and s.authorised.token == token]
    rest = rules.offline_energy_wh - sum(_takes_wh(s) for s in own)
    return None if len(own) >= rules.offline_sessions or rest <= 0 else rest


def _takes_wh(session: SessionRecord) -> int:
    """What it took, or may take as long as nothing ends it."""
    goes_on = session.state.open and session.stop_reason is None
    return max(session.energy_wh or 0, (session.max_energy_wh or 0) if goes_on else 0)


def judged_at(request: Request, wall: datetime, trusted: bool) -> Moment:
    """When and how a request is judged; one of which nobody asked whether the platform is there counts as offline."""
    return Moment(wall, trusted, bool(request.online))


def needs_token(request: Request) -> bool:
    """Whether a request stands or falls with a token: cards, and whatever a local source shows one for."""
    has = isinstance((request.params or {}).get("token"), str)
    return request.source is Source.CARD or (request.source is Source.LOCAL and has)
