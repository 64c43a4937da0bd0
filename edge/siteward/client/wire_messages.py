"""Message models of the local API about calls of a bus tool on a wire that core owns."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from siteward.client.messages import Message


class WireCallMessage(Message):
    """A read on a wire: POST /v1/lines/{id}/call. `baud` None means the wire's own settings."""

    unit: int = 0
    function: int = 3
    address: int = 0
    count: int = 1
    protocol: str = Field(default="", max_length=32)
    answer_s: float = Field(default=0.1, gt=0, le=10)
    patient: bool = False
    baud: int | None = Field(default=None, ge=300, le=4_000_000)
    parity: str = "none"
    stop_bits: int = Field(default=1, ge=1, le=2)


class WireHeardMessage(Message):
    """What was heard of a call; `data` are its bytes as hexadecimal digits."""

    data: Annotated[str, BeforeValidator(lambda data: data.hex() if isinstance(data, bytes) else data)]
    values: tuple[int, ...] | None
    exception: int | None
    left_alone: bool
    refused: bool
