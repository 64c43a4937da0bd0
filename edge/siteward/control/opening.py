"""Opens a session that was let in: its record, its register, its price, and the fact that it was created (S-14)."""

from dataclasses import replace

from siteward.control.account import on_row, opened
from siteward.control.connector import ConnectorEvent, feed
from siteward.control.draft import Draft
from siteward.control.params import StartParams
from siteward.control.register import Register, billing_meter, judge, most_watts, read_register
from siteward.control.session import OpenSession, stamp, tell
from siteward.model.auth import Authorisation
from siteward.model.events import EventType
from siteward.model.ids import OrderId
from siteward.model.refusals import Refusal
from siteward.model.requests import Request
from siteward.model.sessions import OrderState, SessionRecord
from siteward.model.site import Connector
from siteward.model.tariff import Tariff


def open_session(
    draft: Draft,
    request: Request,
    connector: Connector,
    params: StartParams,
    found: Authorisation,
    tariff: Tariff | None,
) -> OpenSession:
    """Open the session; its current is asked for only when this turn's batch is durable (ruling 18)."""
    snapshot = draft.snapshot
    meter = billing_meter(draft.site, connector)
    register = Register(name=meter or "")
    if meter is not None:
        register = judge(register, read_register(draft.site, snapshot, connector), most_watts(draft.site, connector))
    record = SessionRecord(
        id=draft.new_session_id(),
        connector=connector.id,
        state=OrderState.CREATED,
        created_at=snapshot.wall,
        source=request.source.value,
        order=OrderId(request.order) if request.order is not None else None,
        start_register_wh=register.wh,
        last_register_wh=register.wh,
        meter=None if meter is None else register.name,
        max_energy_wh=params.max_energy_wh,
        max_time_s=params.max_time_s,
        max_current_a=params.max_current_a,
        departs_at=params.departs_at,
        wanted_wh=params.wanted_wh,
        phase_switching=params.phase_switching,
        max_amount=params.max_amount,
        authorised=found,
    )
    if tariff is not None and meter is not None:
        record = replace(record, tariff=tariff.id, tariff_version=tariff.version, currency=tariff.currency)
    until, code = snapshot.at + params.wait_s, Refusal.NO_VEHICLE
    if request.deadline is not None and request.deadline < until:
        until, code = request.deadline, Refusal.EXPIRED
    session = OpenSession(
        record=record,
        register=register,
        metered=meter is not None,
        opened_at=snapshot.at,
        vehicle_until=until,
        vehicle_code=code,
        row_at=snapshot.at,
        row_wh=register.wh,
        account=opened(draft.pricer(), None if meter is None else tariff, draft.moment, register),
    )
    _, state = feed(draft.posts[connector.id].state, ConnectorEvent.OPENED)
    draft.posts[connector.id] = draft.posts[connector.id]._replace(state=state, session=session)
    # With its first reading: what flows until a restart looks again is a segment of its own.
    draft.row(record if meter is None else on_row(session.account, record, draft.prices, draft.moment))
    draft.facts.append(tell(EventType.SESSION_CREATED, record, _created(request, record), snapshot.wall))
    return session


def _created(request: Request, record: SessionRecord) -> dict[str, object]:
    data: dict[str, object] = {
        "commandId": request.id,
        "source": record.source,
        "meter": record.meter,
        "start_register_wh": record.start_register_wh,
        "max_energy_wh": record.max_energy_wh,
        "max_time_s": record.max_time_s,
        "max_current_a": record.max_current_a,
    }
    if record.departs_at is not None:
        data |= {"departsAt": stamp(record.departs_at), "wantedEnergy_wh": record.wanted_wh}
    if record.phase_switching:
        data["phaseSwitching"] = True
    if record.tariff is not None:
        data |= {"tariffId": record.tariff, "tariffVersion": record.tariff_version}
    if request.actor is not None:
        data["user"] = request.actor.user
    if record.max_amount is not None:
        data["maxAmount"] = record.max_amount
    if record.authorised is not None:
        data["authorised"] = _authorised(record.authorised)
    return data


def _authorised(found: Authorisation) -> dict[str, object]:
    """By what a session was let in, with version and age of the list (B17); what nobody knows is left out."""
    data: dict[str, object] = {"token": found.token, "listAge_s": found.list_age_s, "platformReached": found.online}
    data |= {"by": found.by.value, "listVersion": found.list_version}
    return {key: value for key, value in data.items() if value is not None}
