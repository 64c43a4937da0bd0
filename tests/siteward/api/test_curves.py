"""The power of a session over the local API: known sessions only, nothing made up (S-42)."""

from datetime import UTC, datetime
from pathlib import Path

from siteward.client.client import Client
from siteward.client.curve_messages import CurveMessage
from siteward.model.curve import Curve, CurveState, Gap, Stretch
from tests.fixtures.core import running_core

POINT = Stretch(100, 105, CurveState.CHARGING, 7000, None, 0, 11_040)


async def test_it_comes_as_it_was_kept(tmp_path: Path) -> None:
    """What nobody read stays unknown on the way."""
    kept = Curve((POINT,), (POINT,), (Gap(105, 200),), True, 690.0, datetime(2026, 1, 5, tzinfo=UTC))
    async with running_core(tmp_path) as core, Client(tmp_path / "panel.sock") as client:
        name = next(iter(core.session_list))
        assert await client.curve(name) == CurveMessage()
        core.curves[name] = kept
        assert await client.curve(name) == CurveMessage.model_validate(kept)
        assert await client.curve("01JN8Z6Q4TNOBODY") is None
