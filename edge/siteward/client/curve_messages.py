"""Message models of the local API about the power of a session."""

from datetime import datetime

from siteward.client.messages import Message


class StretchMessage(Message):
    """Some seconds of a session in one state; begin and end are unix seconds, the end not included."""

    begin: int
    end: int
    state: str
    low_w: int | None
    high_w: int | None
    low_limit_w: int
    high_limit_w: int


class GapMessage(Message):
    """A time inside a session of which nothing was recorded, unix seconds."""

    begin: int
    end: int


class CurveMessage(Message):
    """GET /v1/sessions/{id}/curve: the words of model.curve.Curve."""

    points: tuple[StretchMessage, ...] = ()
    runs: tuple[StretchMessage, ...] = ()
    gaps: tuple[GapMessage, ...] = ()
    more: bool = False
    w_per_a: float | None = None
    kept_since: datetime | None = None
