"""Takes tariffs in and picks the one that prices a start: what is installed is a fact of the journal (S-17, S-39)."""

from siteward.control.draft import Draft
from siteward.control.params import BadParam
from siteward.control.tariff_data import tariff_data
from siteward.model.errors import SitewardError
from siteward.model.events import EventType, Fact
from siteward.model.requests import Request
from siteward.model.tariff import Tariff


class Conflict(SitewardError):
    """The version is installed with other content; never leaves the judging of a command."""


def for_start(draft: Draft, named: str | None) -> Tariff | None:
    """The version that prices a session which starts now: of the tariff named, else of the site's default."""
    return draft.book.in_force(named or draft.site.pricing.default, draft.snapshot.wall)


def install(draft: Draft, tariff: Tariff, request: Request) -> dict[str, object]:
    """Put a tariff into the book and the journal; the same one again has no second effect.

    Raises BadParam for one that does not fit the site, Conflict for other content under the same version.
    """
    site = draft.site
    if tariff.timezone != site.timezone:
        raise BadParam(f"timezone: {tariff.timezone}, but the site's is {site.timezone}; prices go by the site's clock")
    currency = site.pricing.currency
    if currency is not None and tariff.currency != currency:
        raise BadParam(f"currency: {tariff.currency}, but [tariff] currency of this site is {currency}")
    newest = draft.book.newest(tariff.id)
    if newest is not None and newest.currency != tariff.currency:
        raise BadParam(
            f"currency: {tariff.currency}, but {tariff.id} has been in {newest.currency}; use another tariffId"
        )
    result: dict[str, object] = {
        "tariffId": tariff.id,
        "version": tariff.version,
        "inForce": tariff.valid_from <= draft.snapshot.wall,
    }
    known = draft.book.find(tariff.id, tariff.version)
    if known is not None:
        if known != tariff:
            raise Conflict(f"{tariff.id} version {tariff.version}")
        return result
    draft.book = draft.book.add(tariff)
    data = {**tariff_data(tariff), "source": request.source.value, "commandId": request.id}
    if request.actor is not None:
        data["user"] = request.actor.user
    draft.facts.append(Fact(EventType.TARIFF_INSTALLED, data, occurred_at=draft.snapshot.wall))
    return result
