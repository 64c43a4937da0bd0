"""Calls about users and the audit trail."""

from starlette.requests import Request
from starlette.responses import Response

from siteward.api.admit import to_actor
from siteward.api.answers import Denied, body, message, parse
from siteward.api.backend import Records
from siteward.api.rights import may_change_user
from siteward.client.messages import AuditMessage
from siteward.client.records import UserChangeMessage, UserMessage, UsersMessage
from siteward.model.events import EventType
from siteward.model.refusals import Refusal
from siteward.model.requests import Role, Source
from siteward.model.users import User

AUDITS = frozenset(
    {
        EventType.AUDIT_LOGIN,
        EventType.AUDIT_REFUSED,
        EventType.AUDIT_NOTIFIED,
        EventType.AUDIT_OUTPUT_TEST,
        EventType.AUDIT_DIFFERENCE,
    }
)
"""What a caller may write by itself; every other audit event is core's own."""


class People:
    """Endpoints of users and audit."""

    def __init__(self, records: Records, caller: Source) -> None:
        self._records = records
        self._caller = caller

    async def users(self, _: Request) -> Response:
        """GET /v1/users."""
        rows = await self._records.users()
        return message(UsersMessage(users=tuple(UserMessage.model_validate(row) for row in rows)))

    async def put(self, request: Request) -> Response:
        """PUT /v1/users/{name}."""
        change = parse(UserChangeMessage, await body(request))
        if change.user.name != request.path_params["name"]:
            raise Denied(Refusal.MALFORMED, "user.name is not the name in the path")
        if change.user.role not in set(Role):
            raise Denied(Refusal.MALFORMED, "user.role: no such role")
        user = User(change.user.name, Role(change.user.role), change.user.password_hash, change.user.must_change)
        actor = to_actor(change.actor)
        if not may_change_user(self._caller, actor, user, await self._records.users()):
            data = {"code": Refusal.NOT_AUTHORISED.value, "user": user.name}
            await self._records.audit(EventType.AUDIT_REFUSED, data, actor, self._caller)
            raise Denied(Refusal.NOT_AUTHORISED)
        await self._records.put_user(user, actor, self._caller)
        return Response(status_code=204)

    async def audit(self, request: Request) -> Response:
        """POST /v1/audit."""
        entry = parse(AuditMessage, await body(request))
        if entry.type not in AUDITS:
            raise Denied(Refusal.BAD_PARAMS, "type: not an audit event of a caller")
        await self._records.audit(EventType(entry.type), entry.data, to_actor(entry.actor), self._caller)
        return Response(status_code=204)
