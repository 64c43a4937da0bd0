"""The form of what stands in the trace: a kept turn, and the site it was decided for, as compressed JSON."""

import zlib
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict

from siteward.control.demand import Demand
from siteward.control.record import Recorded
from siteward.model.errors import StoreError
from siteward.model.ids import ConnectorId
from siteward.model.limits import Grant, Limit
from siteward.model.site import Site
from siteward.model.snapshot import Snapshot

_FORM = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants")


class _Row(BaseModel):
    model_config = _FORM
    snapshot: Snapshot
    demands: dict[ConnectorId, Demand] | None = None
    limits: tuple[Limit, ...] = ()
    why: dict[ConnectorId, Grant] = {}


class _Site(BaseModel):
    model_config = _FORM | ConfigDict(defer_build=True)
    site: Site


def encode(recorded: Recorded) -> bytes:
    """Bytes of a kept turn for the trace."""
    row = _Row.model_construct(
        snapshot=recorded.snapshot, demands=recorded.demands, limits=recorded.limits, why=dict(recorded.why)
    )
    return _packed(row)


def decode(blob: bytes) -> Recorded:
    """Return the turn that `encode` was given. Raises StoreError for bytes that are none."""
    try:
        row = _Row.model_validate_json(zlib.decompress(blob))
    except (zlib.error, ValueError) as error:
        raise StoreError(f"the trace holds bytes that are no snapshot: {error}") from error
    return Recorded(row.snapshot, row.demands, row.limits, row.why)


def encode_site(site: Site) -> bytes:
    """Bytes of the site that the turns after it were decided for."""
    return _packed(_Site.model_construct(site=site), exclude={"site": {"zone"}})


def decode_site(blob: bytes) -> Site:
    """Return the site that `encode_site` was given. Raises StoreError for bytes that are none."""
    try:
        site = _Site.model_validate_json(zlib.decompress(blob)).site
        return replace(site, zone=ZoneInfo(site.timezone))
    except (zlib.error, ValueError, ZoneInfoNotFoundError) as error:
        raise StoreError(f"the trace holds bytes that are no site: {error}") from error


def _packed(form: BaseModel, exclude: dict[str, set[str]] | None = None) -> bytes:
    return zlib.compress(form.model_dump_json(exclude_defaults=True, exclude=exclude).encode(), 1)
