"""`down/commands`, `down/acks` and `up/replies`."""

from typing import Any, Literal

from pydantic import Field

from siteward_sync.protocol.v1.base import Id, Time, Wire

StageWord = Literal["received", "rejected", "accepted", "done", "failed", "expired"]


class Command(Wire):
    """One command. Names and params: contract section 4. Never executed past expiresAt, never twice."""

    command_id: Id
    station_id: Id
    name: str = Field(max_length=64)
    target: str | None = Field(default=None, max_length=64)
    params: dict[str, Any] | None = None
    order_id: Id | None = None
    issued_at: Time
    expires_at: Time


class SignedCommand(Wire):
    """A command as JWS in compact form; its payload is a Command, each of whose times and ids is part of the proof.

    The header has alg EdDSA (or Ed25519) and kid, the name of a key that the station trusts, and none of crit, b64,
    jwk, jku, x5c, x5u. A command is valid for six days at most.
    """

    jws: str


class Reply(Wire):
    """Progress of a command, or the answer to a message that could not be read as one.

    commandId is absent when it could not be read; inReplyTo is the messageId of what is answered, where one was read.
    """

    command_id: Id | None = None
    stage: StageWord
    code: str | None = None
    message: str | None = None
    message_zh: str | None = None
    result: dict[str, Any] | None = None
    in_reply_to: Id | None = None


class Ack(Wire):
    """Everything of this journal up to seq is stored by the platform."""

    journal_id: Id
    seq: int = Field(ge=0)
