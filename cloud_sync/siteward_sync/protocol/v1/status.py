"""`up/status`: the birth message and the last will."""

from siteward_sync.protocol.v1.base import Id, Time, Wire


class Status(Wire):
    """Whether the station is there; all but `online` are absent in the last will.

    reason "core" = the uplink lives but the controller has been gone for 10 s; "stopped" = taken down on purpose.
    siteHash is the SHA-256 of the configuration in force.
    """

    online: bool
    since: Time | None = None
    software: str | None = None
    journal_id: Id | None = None
    last_seq: int | None = None
    site_hash: str | None = None
    reason: str | None = None
