"""What machines ask: is the panel alive, is the station ready, and its figures for Prometheus (ruling 29)."""

import hmac
import ipaddress

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from siteward.client.messages import LiveMessage
from siteward.panel.desk import Desk, address_of
from siteward.panel.live import Frame


class Probes:
    """Handlers of /healthz, /readyz and /metrics: for loopback, or with `Authorization: Bearer TOKEN`."""

    def __init__(self, desk: Desk, token: str | None) -> None:
        self._desk = desk
        self._token = token

    async def healthz(self, request: Request) -> Response:
        """GET /healthz: 200 while the panel serves."""
        return PlainTextResponse("ok") if self._may(request) else PlainTextResponse("refused", 403)

    async def readyz(self, request: Request) -> Response:
        """GET /readyz: 200 while core turns and its store writes."""
        if not self._may(request):
            return PlainTextResponse("refused", 403)
        frame = self._desk.hub.frame
        ready = frame.view is not None and not frame.old and frame.view.health.store_ok
        return PlainTextResponse("ready") if ready else PlainTextResponse("not ready", 503)

    async def metrics(self, request: Request) -> Response:
        """GET /metrics: figures in Prometheus' text form."""
        if not self._may(request):
            return PlainTextResponse("refused", 403)
        return PlainTextResponse(exposition(self._desk.hub.frame), media_type="text/plain; version=0.0.4")

    def _may(self, request: Request) -> bool:
        sent = request.headers.get("authorization", "")
        if self._token and hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
            return True
        try:
            return ipaddress.ip_address(address_of(request)).is_loopback
        except ValueError:
            return False


def exposition(frame: Frame) -> str:
    """Core's figures as Prometheus samples; `siteward_core_up` alone while nothing is known."""
    up = 0 if frame.old or frame.view is None else 1
    lines = ["# TYPE siteward_core_up gauge", f"siteward_core_up {up}"]
    if frame.view is not None:
        lines += _samples(frame.view)
    return "\n".join(lines) + "\n"


def _samples(live: LiveMessage) -> list[str]:
    health = live.health
    made = [
        f"siteward_turns_total {health.turn}",
        f"siteward_turn_age_seconds {health.turn_age_s}",
        f"siteward_turn_duration_seconds {health.turn_ms / 1000}",
        f"siteward_store_ok {int(health.store_ok)}",
        f"siteward_uptime_seconds {health.uptime_s}",
        f"siteward_outbox_events {health.last_seq - health.acked_seq}",
        f"siteward_alarms {len(live.alarms)}",
    ]
    for feeder in live.feeders:
        for i in range(3):
            labels = f'{{feeder="{feeder.id}",phase="L{i + 1}"}}'
            made.append(f"siteward_feeder_rating_amperes{labels} {feeder.rating_a[i]}")
            made.append(f"siteward_feeder_reserved_amperes{labels} {feeder.reserved_a[i] + feeder.base_a[i]}")
            if feeder.load_a is not None:
                made.append(f"siteward_feeder_load_amperes{labels} {feeder.load_a[i]}")
    for connector in live.connectors:
        made.append(f'siteward_connector_online{{connector="{connector.id}"}} {int(connector.online)}')
        made.append(f'siteward_connector_limit_amperes{{connector="{connector.id}"}} {connector.grant.limit_a}')
        if connector.power_w is not None:
            made.append(f'siteward_connector_power_watts{{connector="{connector.id}"}} {connector.power_w}')
    return made + [f'siteward_line_load_ratio{{line="{line.id}"}} {line.load}' for line in live.lines]
