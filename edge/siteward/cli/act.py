"""`start`, `stop`, `limit` and the arms: requests like everybody's; core decides, the answer is what was read back."""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Screen, brief
from siteward.client.client import Client
from siteward.client.messages import ActorMessage, ReplyMessage, RequestMessage
from siteward.model.refusals import REFUSALS, Refusal
from siteward.model.requests import CommandName, Stage
from siteward.model.sessions import OrderState

_BARRIERS = "`siteward status` lists the barriers; `raise` and `lower` move a parking lock"
_LOCKS = "`siteward status` lists the parking locks; `open` and `close` move a barrier"
_NAMES = {
    CommandName.OPEN_BARRIER: _BARRIERS,
    CommandName.CLOSE_BARRIER: _BARRIERS,
    CommandName.RAISE_LOCK: _LOCKS,
    CommandName.LOWER_LOCK: _LOCKS,
}
"""What to do about a name that the station has not, where it may be a thing of another kind."""

_NEXT = {
    (CommandName.RESERVE, Refusal.CONNECTOR_BUSY): "`siteward reserve {target} --next` keeps it once it is free",
    (CommandName.START_CHARGE, Refusal.CONNECTOR_RESERVED): (
        "`siteward reserve {target} --cancel` lets its reservation go; `--card` starts for the card that it is kept for"
    ),
    (CommandName.START_CHARGE, Refusal.OUT_OF_SERVICE): "`siteward service {target} --in` takes it back into service",
    (CommandName.START_CHARGE, Refusal.EMERGENCY_STOP): (
        "`siteward alarms list` names the stop; once its cause is gone, `siteward reset STOP` acknowledges it"
    ),
    (CommandName.RESET, Refusal.EMERGENCY_STOP): "release its button, or look for a cut cable; then try again",
}
"""What to do next about a refusal, where there is something to do."""

_TARGET_MOST = 64
_NEWEST = 500
"""Sessions to look through: an open one is among the newest."""


async def start(client: Client, screen: Screen, connector: str, bounds: dict[str, Any], wait_s: float) -> int:
    """Start charging at a connector; `bounds` are the contract's params that were given."""
    return await send(client, screen, CommandName.START_CHARGE, connector, bounds, wait_s)


def departure(departs: str | None, wants_kwh: float | None) -> dict[str, Any]:
    """The contract's params of a departure; core reads a time without an offset in the site's zone.

    Raises CommandFailed where one of the two is missing.
    """
    if (departs is None) != (wants_kwh is None):
        missing = "--wants-kwh" if wants_kwh is None else "--departs"
        raise CommandFailed(
            f"START_CHARGE: a departure needs {missing} too", "for example --departs 07:30 --wants-kwh 20", "BAD_PARAMS"
        )
    if departs is None or wants_kwh is None:
        return {}
    if not isfinite(wants_kwh):
        raise CommandFailed(f"--wants-kwh: {wants_kwh} is no energy", "write it in kWh, such as 20", "BAD_PARAMS")
    return {"departsAt": departs, "wantedEnergy_wh": round(wants_kwh * 1000.0)}


async def stop(client: Client, screen: Screen, target: str, wait_s: float) -> int:
    """Stop the session at a connector, or the session of that id; a stop names its session and matches only that."""
    connector, session = await _session_at(client, target)
    return await send(client, screen, CommandName.STOP_CHARGE, connector, {"sessionId": session}, wait_s)


async def limit(client: Client, screen: Screen, target: str, amps: float, minutes: float | None, wait_s: float) -> int:
    """Limit a connector, a feeder or the station; without `minutes` until the next limit."""
    params: dict[str, Any] = {"limit_a": amps}
    if minutes is not None:
        # The station's own clock counts, so that a wrong one on this terminal does no harm.
        params["validUntil"] = stamp((await client.live()).at + timedelta(minutes=minutes))
    return await send(client, screen, CommandName.LIMIT_POWER, target, params, wait_s)


async def move(
    client: Client,
    screen: Screen,
    name: CommandName,
    target: str,
    wait_s: float,
    params: Mapping[str, Any] | None = None,
) -> int:
    """Any other command for one thing: an arm is done when a position switch has seen it."""
    return await send(client, screen, name, target, dict(params or {}), wait_s)


def stamp(moment: datetime) -> str:
    """A moment as the contract writes it."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _session_at(client: Client, target: str) -> tuple[str, str]:
    # The list of sessions is durable at once; the live view may be one turn behind a start.
    for session in await client.sessions(limit=_NEWEST):
        if OrderState(session.state).open and target in (session.connector, session.id):
            return session.connector, session.id
    if any(connector.id == target for connector in (await client.live()).connectors):
        raise CommandFailed(
            f"there is no session at {target}", "`siteward status` shows who charges", "NO_SUCH_SESSION"
        )
    raise CommandFailed(
        f"there is neither a connector nor an open session {target}", "`siteward status` lists both", "UNKNOWN_TARGET"
    )


async def send(
    client: Client,
    screen: Screen,
    name: CommandName,
    target: str,
    params: dict[str, Any],
    wait_s: float,
    actor: ActorMessage | None = None,
) -> int:
    """Hand in a request, wait for its end and say it. Raises CommandFailed when it was refused or failed."""
    with screen.waiting(f"{name.value} {target}: waiting for what the station reads back"):
        reply = await order(client, name, target, params, wait_s, actor)
    return done(screen, name, target, reply)


async def order(
    client: Client,
    name: CommandName,
    target: str | None,
    params: dict[str, Any],
    wait_s: float,
    actor: ActorMessage | None = None,
) -> ReplyMessage:
    """Hand in a command and wait for its final answer, or for how far it got by then."""
    _must_be_sound(target, params)
    command = f"cli-{secrets.token_hex(10)}"
    reply = await client.submit(
        RequestMessage(command_id=command, name=name.value, target=target, params=params or None, actor=actor)
    )
    if not Stage(reply.stage).final and wait_s > 0:
        reply = await client.request(command, wait_s) or reply
    return reply


def _must_be_sound(target: str | None, params: Mapping[str, Any]) -> None:
    """Refuse what no command can carry. Raises CommandFailed."""
    if target is not None and len(target) > _TARGET_MOST:
        raise CommandFailed(
            f"{target[:_TARGET_MOST]}...: no name is so long", "`siteward status` lists the names", "BAD_USE"
        )
    for name, value in params.items():
        if isinstance(value, float) and not isfinite(value):
            raise CommandFailed(f"{name}: {value} is no number", "write digits", "BAD_PARAMS")


def _result(result: Mapping[str, Any]) -> Iterator[str]:
    """What a reply brought, its inner parts in the same row."""
    for key, value in result.items():
        if isinstance(value, Mapping):
            yield from _result(value)
        elif (key, value) == ("effect", "not_readable"):
            yield "the charger took it and does not show its lock: try the plug"
        else:
            yield f"{key} {brief(value)}"


def _reason(reply: ReplyMessage) -> str:
    """The sentence of a refusal, with what core says beyond it in brackets."""
    message = reply.message or reply.code or ""
    sentence = REFUSALS[Refusal(reply.code)].en if reply.code in set(Refusal) else message
    detail = message.removeprefix(sentence).strip() if message.startswith(sentence) else ""
    return f"{sentence} ({detail})" if detail else message


def _advice(name: CommandName, target: str, reply: ReplyMessage) -> str:
    if reply.code == Refusal.UNKNOWN_TARGET:
        return _NAMES.get(name, "`siteward status` lists the names of connectors and feeders")
    known = _NEXT.get((name, Refusal(reply.code))) if reply.code in set(Refusal) else None
    return known.format(target=target) if known else f"`siteward events` tells more of command {reply.command_id}"


def done(screen: Screen, name: CommandName, target: str, reply: ReplyMessage) -> int:
    """Say what became of a command; the exit status. Raises CommandFailed where it did not hold."""
    stage = Stage(reply.stage)
    if stage in (Stage.REJECTED, Stage.FAILED, Stage.EXPIRED):
        # The refusal of a name ends in the name, which stands in front already.
        reason = _reason(reply).removesuffix(f" ({target})")
        advice = _advice(name, target, reply)
        raise CommandFailed(f"{name.value} {target}: {stage.value}: {reason}", advice, reply.code or "")
    if screen.as_json:
        screen.data(reply.model_dump(mode="json", by_alias=True, exclude_none=True))
        return 0
    result = ", ".join(_result(reply.result or {}))
    tail = f" ({result})" if result else ""
    if not stage.final:
        tail = f" so far; ask again with `siteward events`, command {reply.command_id}"
    screen.show([f"{name.value} {target}: {stage.value}{tail}"])
    return 0
