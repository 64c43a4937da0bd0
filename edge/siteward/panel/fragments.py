"""The parts of a page that live: each has an event name, and is sent only when it changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from siteward.client.messages import LiveMessage
from siteward.client.silence import silent_now
from siteward.panel import text, view
from siteward.panel.live import Frame
from siteward.panel.render import Pages

Part = tuple[str, str, dict[str, Any]]
"""Event name, template, values."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a rendering depends on besides the frame: the page, the language, and whether its reader may act."""

    page: str
    language: str
    may_act: bool


def shell_parts(frame: Frame) -> Iterator[Part]:
    """What lives on every page: state of the view, and the count of alarms in the menu."""
    yield "now", "live/now.html", {"frame": frame}
    yield "banner", "live/banner.html", {"frame": frame}
    yield "alarm-count", "live/alarm_count.html", {"count": len(frame.view.alarms) if frame.view else 0}


def overview_parts(live: LiveMessage, may_act: bool) -> Iterator[Part]:
    """Totals, every fuse, the limits in force, every leaf of the tree, every connector card and its buttons."""
    yield "totals", "live/totals.html", {"totals": view.totals(live)}
    for node in view.nodes(view.tree(live)):
        yield f"fuse-{node.feeder.id}", "live/fuse.html", {"node": node}
    names = text.feeder_names(live)
    yield "limits", "live/limits.html", {"limits": live.limits, "names": names}
    for connector in live.connectors:
        yield f"leaf-{connector.id}", "live/leaf.html", {"connector": connector}
        stops = view.stops_at(live, connector.id)
        seen = {"connector": connector, "names": names, "zone": live.timezone, "stops": stops}
        yield f"card-{connector.id}", "live/card.html", seen
        yield f"act-{connector.id}", "live/actions.html", seen | {"may_act": may_act}


def connector_parts(live: LiveMessage, connector_id: str, may_act: bool) -> Iterator[Part]:
    """One connector with its session, cause chain and buttons."""
    names = text.feeder_names(live)
    for connector in live.connectors:
        if connector.id == connector_id:
            stops = view.stops_at(live, connector.id)
            seen = {"connector": connector, "names": names, "zone": live.timezone, "stops": stops}
            yield "connector", "live/connector.html", seen
            yield f"act-{connector.id}", "live/actions.html", seen | {"may_act": may_act}
            yield f"kept-{connector.id}", "live/kept.html", seen
            # Its form must not be drawn anew each second under the fingers of who fills it in.
            yield f"hold-{connector.id}", "live/holds.html", seen | {"may_act": may_act}


def alarm_parts(live: LiveMessage) -> Iterator[Part]:
    """The list of standing alarms."""
    yield "alarms", "live/alarms.html", {"alarms": view.worst_first(live)}


def one_alarm_parts(live: LiveMessage, name: str) -> Iterator[Part]:
    """One standing alarm with its notes, or that it stands no more; its form stays as it is."""
    found = next((alarm for alarm in live.alarms if f"{alarm.code}.{alarm.subject}" == name), None)
    yield "alarm", "live/alarm.html", {"alarm": found}


def access_parts(live: LiveMessage, may_act: bool) -> Iterator[Part]:
    """Every emergency stop, every barrier and lock, and its buttons."""
    for stop in live.emergencies:
        yield f"stop-{stop.id}", "live/emergency.html", {"stop": stop, "may_act": may_act}
    for arm in live.arms:
        yield f"arm-{arm.id}", "live/arm.html", {"arm": arm}
        yield f"move-{arm.id}", "live/moves.html", {"arm": arm, "may_act": may_act}


def line_parts(live: LiveMessage) -> Iterator[Part]:
    """Every line with its devices, and core's own figures."""
    yield "health", "live/health.html", {"live": live}
    silent = silent_now(live)
    for line in live.lines:
        yield f"line-{line.id}", "live/line.html", {"line": line, "silent": silent}


def parts(frame: Frame, audience: Audience) -> Iterator[Part]:
    """All living parts of a page; an unknown page has only those of the shell."""
    yield from shell_parts(frame)
    if frame.view is None:
        return
    kind, _, name = audience.page.partition(":")
    live = frame.view
    choose: dict[str, Callable[[], Iterator[Part]]] = {
        "overview": lambda: overview_parts(live, audience.may_act),
        "connector": lambda: connector_parts(live, name, audience.may_act),
        "alarms": lambda: alarm_parts(live),
        "alarm": lambda: one_alarm_parts(live, name),
        "lines": lambda: line_parts(live),
        "access": lambda: access_parts(live, audience.may_act),
    }
    if kind in choose:
        yield from choose[kind]()


def rendered(pages: Pages, frame: Frame, audience: Audience) -> dict[str, str]:
    """Event name to HTML; rendered once per frame for all browsers with the same audience."""
    held = frame.cache.get(audience)
    if isinstance(held, dict):
        return held
    made = {
        name: pages.fragment(template, audience.language, values) for name, template, values in parts(frame, audience)
    }
    frame.cache[audience] = made
    return made


def shape(frame: Frame) -> str:
    """What the skeleton of the pages depends on; when it changes, browsers load their page anew."""
    live = frame.view
    return (
        ""
        if live is None
        else f"{live.site_hash}:{len(live.connectors)}:{len(live.feeders)}:{len(live.arms)}:{len(live.emergencies)}"
    )


def changes(before: dict[str, str], after: dict[str, str]) -> list[tuple[str, str]]:
    """Parts that are new or differ."""
    return [(name, html) for name, html in after.items() if before.get(name) != html]


def event_text(name: str, data: str) -> str:
    """One server-sent event in its wire form."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
