"""The report as HTML that needs nothing else: figures, a picture of each feeder, tables; English or Chinese."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from html import escape

from siteward.report.day import DayReport, Quarter
from siteward.report.differences import KINDS, STATES, Difference, State
from siteward.report.rates import ConnectorDay, share
from siteward.report.words import say

_STYLE = """
body { font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 1.2rem; color: #1f2328;
background: #fff; max-width: 70rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .6rem; padding: 0; }
.figures li { list-style: none; border: 1px solid #d0d7de; border-radius: 10px; padding: .6rem .8rem; }
.figures b { display: block; font-size: 1.5rem; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } td, th { padding: .3rem .5rem; text-align: right; white-space: nowrap;
border-bottom: 1px solid #d0d7de; } td:first-child, th:first-child { text-align: left; }
.difference { border-left: 5px solid #bc4c00; padding: .3rem .8rem; margin: .6rem 0; }
.closed { border-color: #1a7f37; }
.explained { border-color: #0550ae; } .fine { color: #57606a; font-size: .85rem; overflow-wrap: anywhere; }
@media print { body { margin: 0; } }
"""
_CHART_STYLE = """
.report-chart { width: 100%; min-width: 40rem; height: auto; }
.report-chart .f { fill: #8c959f; } .report-chart .s { fill: #0550ae; }
.report-chart text { font-size: 11px; fill: currentColor; } .report-chart .drift { fill: #cf222e; }
.report-chart line { stroke: #8c959f; stroke-width: 1; }
"""
_WIDTH, _HEIGHT, _LEFT, _FOOT = 960, 150, 46, 18


def page(report: DayReport, zone: tzinfo, language: str) -> str:
    """The whole document."""
    title = f"{escape(report.name)} · {say('title', language)} {report.day.isoformat()}"
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}{_CHART_STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n"
        + "\n".join(body(report, zone, language))
        + "\n</body>\n</html>\n"
    )


def body(report: DayReport, zone: tzinfo, language: str) -> Iterator[str]:
    """What stands below the heading, without the list of differences' forms."""
    yield from summary(report, zone, language)
    yield f"<h2>{say('differences', language)}</h2>"
    yield from (difference(row, zone, language) for row in report.differences)
    if not report.differences:
        yield f"<p>{say('nothing' if report.empty else 'none', language)}</p>"


def summary(report: DayReport, zone: tzinfo, language: str) -> Iterator[str]:
    """Figures, connectors and feeders."""
    begin, end = report.begins_at.astimezone(zone), report.ends_at.astimezone(zone)
    sofar = f" ({say('sofar', language)})" if report.length_s < 23 * 3600 else ""
    window = f"{begin:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M} {escape(str(zone))}{sofar}"
    yield f'<p class="fine">{escape(report.site)} · {window}</p>'
    figures = "".join(f"<li>{name}<b>{value}</b></li>" for name, value in figures_of(report, language))
    yield f'<ul class="figures">{figures}</ul>'
    yield _connectors(report, language)
    yield f"<h2>{say('quarters', language)}</h2>"
    for feeder in report.missing_quarters:
        yield from _feeder(report, feeder, zone, language)


def figures_of(report: DayReport, language: str) -> list[tuple[str, str]]:
    """The figures of the day by name, as text."""
    still = sum(row.state is State.OPEN for row in report.differences)
    return [
        (say("online", language), percent(report.online_percent, language)),
        (say("starts", language), percent(report.start_percent, language)),
        (say("abnormal", language), percent(report.abnormal_percent, language)),
        (say("use", language), percent(report.use_percent, language)),
        (say("energy", language), f"{report.total('energy_wh') / 1000:,.3f} kWh"),
        (say("sessions", language), f"{report.total('finished'):.0f}"),
        (say("alarms", language), str(sum(report.alarms.values()))),
        (say("open", language), str(still)),
    ]


def percent(value: float | None, language: str) -> str:
    """A share, rounded so that 100 is said of nothing less."""
    if value is None:
        return say("unknown", language)
    shown = f"{value:.1f}"
    return f"{'99.9' if shown == '100.0' and value < 100.0 else shown} %"


def difference(row: Difference, zone: tzinfo, language: str) -> str:
    """One difference with what was done about it."""
    sentence = KINDS[row.kind]
    text = sentence.zh if language == "zh" else sentence.en
    state = STATES[row.state].zh if language == "zh" else STATES[row.state].en
    order = f" · {say('order', language)} {escape(row.order)}" if row.order else ""
    values = [
        say(key, language, value=f"{value:g}", unit=escape(row.unit))
        for key, value in (("expected", row.expected), ("found", row.found))
        if value is not None
    ]
    notes = "".join(
        f'<p class="fine">{escape(n.by)} · {n.at.astimezone(zone):%m-%d %H:%M} · {escape(n.note)}</p>'
        for n in row.notes
    )
    return (
        f'<div class="difference {row.state.value}"><strong>{escape(row.subject)}</strong> {escape(text)} [{state}]'
        f'<p class="fine">{row.at.astimezone(zone):%Y-%m-%d %H:%M:%S}{order}'
        f"{' · ' + ', '.join(values) if values else ''} · {escape(row.id)}</p>{notes}</div>"
    )


def _connectors(report: DayReport, language: str) -> str:
    words = ("connector", "online", "created", "failed", "cancelled", "sessions", "abnormal", "occupied", "charging")
    head = "".join(f"<th>{say(word, language)}</th>" for word in words) + "<th>kWh</th>"
    rows = "".join(_row(day, report.length_s, language) for day in report.connectors)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(day: ConnectorDay, length_s: float, language: str) -> str:
    cells = (
        escape(day.id),
        percent(share(day.online_s, day.known_s), language),
        day.created,
        day.failed,
        day.cancelled,
        day.finished,
        day.abnormal,
        percent(share(day.occupied_s, length_s), language),
        percent(share(day.charging_s, length_s), language),
        f"{day.energy_wh / 1000:,.3f}",
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _feeder(report: DayReport, feeder: str, zone: tzinfo, language: str) -> Iterator[str]:
    rows = [quarter for quarter in report.quarters if quarter.feeder == feeder]
    judged = [quarter.drift_percent for quarter in rows if quarter.drift_percent is not None]
    worst = f" · {say('worst', language)} {max(judged):g} %" if judged else ""
    count = report.missing_quarters[feeder]
    gaps = f" · {say('missing', language, count=count)}" if count else ""
    total_f = sum(q.feeder_wh or 0 for q in rows) / 1000
    total_s = sum(q.sessions_wh for q in rows) / 1000
    name = report.feeder_names.get(feeder, feeder)
    heading = escape(name) if name == feeder else f"{escape(name)} ({escape(feeder)})"
    yield (
        f"<h3>{heading}</h3><p>{say('by_feeder', language)} {total_f:,.3f} kWh, "
        f"{say('by_sessions', language)} {total_s:,.3f} kWh{worst}{gaps}</p>"
    )
    if rows:
        label = escape(f"{name}: {say('quarters', language)}", quote=True)
        yield f'<div class="scroll">{chart(report, rows, zone, label)}</div>'


def chart(report: DayReport, rows: Sequence[Quarter], zone: tzinfo, label: str) -> str:
    """Bars of a feeder (grey) and its sessions (blue), one pair a quarter; a red mark where they drift apart.

    label, escaped, names it for who cannot see it.
    """
    most = max(1, *(max(q.feeder_wh or 0, q.sessions_wh) for q in rows))
    slots = max(1, round((report.ends_at - report.begins_at).total_seconds() / 900))
    step = (_WIDTH - _LEFT) / max(slots, 92)
    parts = [f'<svg class="report-chart" viewBox="0 0 {_WIDTH} {_HEIGHT + _FOOT}" role="img" aria-label="{label}">']
    parts.append(f'<text x="0" y="12">{most / 1000:,.1f} kWh</text>')
    parts.append(f'<line x1="{_LEFT}" y1="{_HEIGHT}" x2="{_WIDTH}" y2="{_HEIGHT}"/>')
    for quarter in rows:
        place = (quarter.begin - report.begins_at).total_seconds() / 900
        x = _LEFT + place * step
        parts += _bars(quarter, x, step, most)
        local = quarter.begin.astimezone(zone)
        if local.minute == 0 and local.hour % 3 == 0:
            parts.append(f'<text x="{x:.1f}" y="{_HEIGHT + _FOOT - 4}">{local:%H}</text>')
    return "".join([*parts, "</svg>"])


def _bars(quarter: Quarter, x: float, step: float, most: int) -> Iterator[str]:
    for value, kind, shift in ((quarter.feeder_wh, "f", 0.0), (quarter.sessions_wh, "s", step * 0.4)):
        if value:
            height = value / most * (_HEIGHT - 18)
            yield (
                f'<rect class="{kind}" x="{x + shift:.1f}" y="{_HEIGHT - height:.1f}" width="{step * 0.38:.1f}" '
                f'height="{height:.1f}"/>'
            )
    if (quarter.drift_percent or 0.0) > 5.0:
        yield f'<circle class="drift" cx="{x + step / 2:.1f}" cy="8" r="3"/>'
