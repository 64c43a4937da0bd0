"""Takes tariffs in and picks the one that prices a start: what is installed is a fact of the journal (S-17, S-39)."""

from siteward.control.draft import Draft
from siteward.control.params import BadParam, StartParams
from siteward.control.refuse import Refused
from siteward.control.tariff_data import tariff_data
from siteward.model.events import EventType, Fact
from siteward.model.refusals import Refusal
from siteward.model.requests import Request
from siteward.model.tariff import Tariff, Unmetered, Unpriced


def for_start(draft: Draft, params: StartParams, metered: bool) -> Tariff | None:
    """The version that prices a session which starts now: of the tariff named, else of the site's default.

    None where nothing does and the site allows that. Raises Refused where it does not, or where somebody asked for a
    tariff or for an amount at which to end; BadParam for an amount that its flat fee alone takes.
    """
    pricing = draft.site.pricing
    if not metered and pricing.unmetered is Unmetered.REFUSE:
        raise Refused(Refusal.NO_METER)
    wanted = params.tariff or pricing.default
    tariff = draft.prices.in_force(wanted, draft.snapshot.wall)
    if tariff is None and wanted is not None and not draft.moment.trusted:
        # A clock that lies before every version knows of none; its lowest price counts until the clock is right (B21).
        tariff = draft.prices.newest(wanted)
    needed = params.tariff is not None or pricing.unpriced is Unpriced.REFUSE
    if (tariff is None and needed) or (params.max_amount is not None and (tariff is None or not metered)):
        raise Refused(Refusal.NO_TARIFF, wanted or "")
    if params.max_amount is not None and tariff is not None and params.max_amount <= tariff.flat_fee:
        raise BadParam(f"maxAmount: {params.max_amount} leaves nothing after the flat fee of {tariff.flat_fee}")
    return tariff


def install(draft: Draft, tariff: Tariff, request: Request) -> dict[str, object]:
    """Put a tariff into the book and the journal; the same one again has no second effect.

    Raises BadParam for one that does not fit the site, Refused for other content under the same version.
    """
    site = draft.site
    if tariff.timezone != site.timezone:
        raise BadParam(f"timezone: {tariff.timezone}, but the site's is {site.timezone}; prices go by the site's clock")
    currency = site.pricing.currency
    if currency is not None and tariff.currency != currency:
        raise BadParam(f"currency: {tariff.currency}, but [tariff] currency of this site is {currency}")
    newest = draft.prices.newest(tariff.id)
    if newest is not None and newest.currency != tariff.currency:
        raise BadParam(
            f"currency: {tariff.currency}, but {tariff.id} has been in {newest.currency}; use another tariffId"
        )
    result: dict[str, object] = {
        "tariffId": tariff.id,
        "version": tariff.version,
        "inForce": tariff.valid_from <= draft.snapshot.wall,
    }
    known = draft.prices.find(tariff.id, tariff.version)
    if known is not None:
        if known != tariff:
            raise Refused(Refusal.TARIFF_CONFLICT, f"{tariff.id} version {tariff.version}")
        return result
    draft.prices = draft.prices.add(tariff)
    _look_again(draft, tariff)
    data = {**tariff_data(tariff), "source": request.source.value, "commandId": request.id}
    if request.actor is not None:
        data["user"] = request.actor.user
    draft.facts.append(Fact(EventType.TARIFF_INSTALLED, data, occurred_at=draft.snapshot.wall))
    return result


def _look_again(draft: Draft, tariff: Tariff) -> None:
    """Sessions that this tariff prices may have to change to the version that has just come."""
    pricer = draft.pricer()
    for name, post in draft.posts.items():
        session = post.session
        running = None if session is None else session.account.running
        if session is None or running is None or running.tariff is None or running.tariff.id != tariff.id:
            continue
        account = session.account._replace(running=pricer.again(running, draft.snapshot.wall))
        draft.posts[name] = post._replace(session=session._replace(account=account))
