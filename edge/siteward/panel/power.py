"""The picture of a session's power on its page: asked of core, drawn, and said in words for whoever does not see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from siteward.client.bill_messages import EvidenceMessage
from siteward.client.bills import Recomputed
from siteward.client.curve_messages import CurveMessage, StretchMessage
from siteward.client.errors import ClientError
from siteward.panel import vocabulary as v
from siteward.panel.core import Core
from siteward.panel.picture import Picture, picture, span
from siteward.panel.prices import bands
from siteward.panel.text import one_of
from siteward.panel.words import word

POINTS = 700
"""About one a pixel of a desk's plot; a phone shows several in one."""


@dataclass(frozen=True, slots=True)
class Run:
    """One line of the table beside the picture."""

    when: str
    state: str
    power: str
    offered: str


@dataclass(frozen=True, slots=True)
class Power:
    """What the page shows: a picture with its table and description, or `missing` says why there is none."""

    missing: str
    drawn: Picture | None = None
    described: str = ""
    when: str = ""
    runs: tuple[Run, ...] = ()
    more: bool = False
    cut: str = ""
    watts: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when somebody looks: the site's clock with its name, the time now, the language."""

    zone: tzinfo
    zone_name: str
    now: datetime
    language: str


async def power(core: Core, evidence: EvidenceMessage, found: Recomputed, place: Place) -> Power:
    """The power of a session; a core that does not answer this once costs the picture, never the page."""
    try:
        curve = await core.curve(evidence.session.id, POINTS)
    except ClientError:
        return Power(word("power_down", place.language))
    if curve is None or not curve.points:
        return Power(_missing(curve, evidence, place))
    row = evidence.session
    begin, end = span(curve, row.created_at, row.ended_at, place.now)
    # Prices of a time of which nothing is known would only be a fence of lines.
    recorded = datetime.fromtimestamp(max(p.end for p in curve.points), UTC)
    drawn = picture(curve, bands(found, row, begin, recorded), begin, end, place.zone)
    runs = tuple(_run(run, curve.w_per_a, place) for run in curve.runs)
    since = curve.kept_since
    cut = since is not None and row.created_at < since and drawn.gaps and drawn.gaps[0].x == "0.00"
    return Power(
        missing="",
        drawn=drawn,
        described=_described(drawn, curve, place),
        when=_when(begin, end, place),
        runs=runs,
        more=curve.more,
        cut=word("power_cut", place.language) if cut else "",
        watts=word("power_watts", place.language, watts=f"{curve.w_per_a / 1000:.2f}") if curve.w_per_a else "",
    )


def _missing(curve: CurveMessage | None, evidence: EvidenceMessage, place: Place) -> str:
    since = None if curve is None else curve.kept_since
    if since is not None and evidence.session.created_at < since:
        local = since.astimezone(place.zone)
        return word("power_old", place.language, since=f"{local:%Y-%m-%d %H:%M}")
    return word("power_none", place.language)


def _described(drawn: Picture, curve: CurveMessage, place: Place) -> str:
    """The picture in a few sentences."""
    language = place.language
    said = [
        word(
            "power_said",
            language,
            when=_when(drawn.begin, drawn.end, place),
            power=_kilowatts(drawn.low_w, drawn.high_w),
            offered=_offered(drawn.low_limit_w, drawn.high_limit_w, curve.w_per_a),
        )
    ]
    held = sum(run.state in ("car", "station") for run in curve.runs)
    if held:
        said.append(word("power_said_pauses", language, count=held))
    if drawn.gaps:
        said.append(word("power_said_gaps", language, count=len(drawn.gaps)))
    if drawn.price_list:
        names = (f"{price.name} {price.per_kwh} {price.currency}/kWh" for price in drawn.price_list)
        said.append(word("power_said_prices", language, prices=", ".join(names), count=len(drawn.boundaries)))
    return ("" if language == "zh" else " ").join(said)


def _run(run: StretchMessage, w_per_a: float | None, place: Place) -> Run:
    begin, end = (datetime.fromtimestamp(second, UTC) for second in (run.begin, run.end))
    return Run(
        when=_when(begin, end, place),
        state=one_of(v.CURVE_STATES, run.state, place.language),
        power=_kilowatts(run.low_w, run.high_w),
        offered=_offered(run.low_limit_w, run.high_limit_w, w_per_a),
    )


def _when(begin: datetime, end: datetime, place: Place) -> str:
    one, other = begin.astimezone(place.zone), end.astimezone(place.zone)
    last = f"{other:%H:%M:%S}" if one.date() == other.date() else f"{other:%Y-%m-%d %H:%M:%S}"
    return f"{one:%Y-%m-%d %H:%M:%S} – {last}"


def _kilowatts(low_w: int | None, high_w: int | None) -> str:
    return "–" if low_w is None or high_w is None else _bounds([low_w / 1000, high_w / 1000], "kW")


def _offered(low_w: int, high_w: int, w_per_a: float | None) -> str:
    if not w_per_a:
        return _bounds([low_w / 1000, high_w / 1000], "kW")
    return _bounds([low_w / w_per_a, high_w / w_per_a], "A")


def _bounds(values: Sequence[float], unit: str) -> str:
    """One figure, or two with a dash where they differ by what is shown."""
    shown = list(dict.fromkeys(f"{round(value, 1) + 0.0:.1f}" for value in values))
    return f"{'–'.join(shown)} {unit}"
