"""Load against rating of each feeder as one SVG: readable on light and dark, on paper, in English and Chinese."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from html import escape

from siteward.model.ids import FeederId
from siteward.model.site import Feeder
from siteward.replay.curves import Curves
from siteward.replay.words import WORDS

WIDTH, LEFT, RIGHT = 960, 56, 16
HEIGHT, GAP, TOP = 150, 54, 64
KINDS = ("recorded", "running", "changed")
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600)
_STYLE = """
svg { background: #ffffff; font: 12px system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
text { fill: #1f2328; } .small { font-size: 11px; fill: #57606a; } .name { font-weight: 600; font-size: 13px; }
.grid { stroke: #d0d7de; stroke-width: 1; } .rating { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 6 4; }
path { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.recorded { stroke: #8c959f; stroke-width: 1.2; stroke-dasharray: 2 2; }
.running { stroke: #0550ae; } .changed { stroke: #bc4c00; stroke-dasharray: 7 2; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; } text { fill: #e6edf3; } .small { fill: #9198a1; } .grid { stroke: #30363d; }
.rating { stroke: #ff7b72; } .recorded { stroke: #848d97; } .running { stroke: #79c0ff; } .changed { stroke: #ffa657; }
}
"""


def draw(curves: Curves, feeders: Sequence[Feeder], zone: tzinfo, language: str) -> str:
    """The whole picture as SVG text; feeders without a curve are left out."""
    shown = [f for f in feeders if f.id in curves.lines]
    height = TOP + len(shown) * (HEIGHT + GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" xml:lang="{language}">',
        f"<title>{_word('feeders', language)}</title><style>{_STYLE}</style>",
        *_legend(curves, language),
    ]
    for row, feeder in enumerate(shown):
        parts += _panel(curves, feeder, TOP + row * (HEIGHT + GAP), zone, language)
    return "\n".join([*parts, "</svg>", ""])


def _word(name: str, language: str) -> str:
    sentence = WORDS[name]
    return escape(sentence.zh if language == "zh" else sentence.en)


def _legend(curves: Curves, language: str) -> list[str]:
    there = {kind for lines in curves.lines.values() for kind in lines}
    parts = [f'<text class="small" x="{LEFT}" y="20">{_word("percent", language)}</text>']
    x = LEFT
    for kind in (*(kind for kind in KINDS if kind in there), "rating"):
        label = _word("line_rating" if kind == "rating" else kind, language)
        parts.append(f'<path class="{kind}" d="M{x} 38H{x + 28}"/><text x="{x + 34}" y="42">{label}</text>')
        x += 130
    return parts


def _panel(curves: Curves, feeder: Feeder, top: int, zone: tzinfo, language: str) -> list[str]:
    lines = curves.lines[feeder.id]
    most = max((used for line in lines.values() for used in line if used is not None), default=0.0)
    high = max(1.2, 0.1 + most)
    rating = " / ".join(f"{amps:g}" for amps in dict.fromkeys(feeder.rating_a))
    title = escape(f"{feeder.name or feeder.id} ({feeder.id}), {rating} A")
    parts = [f'<text class="name" x="{LEFT}" y="{top + 8}">{title}</text>']
    top += 16
    for share in (0.0, 0.5, 1.0):
        y = top + HEIGHT * (1.0 - share / high)
        kind = "rating" if share == 1.0 else "grid"
        parts.append(f'<path class="{kind}" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="small" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>')
    parts += _times(curves, top, zone)
    for kind in KINDS:
        if kind in lines:
            label = f"{_word(kind, language)}: {title}"
            parts.append(f'<path class="{kind}" d="{_path(lines[kind], top, high)}"><title>{label}</title></path>')
    return parts


def _times(curves: Curves, top: int, zone: tzinfo) -> list[str]:
    """About eight marks at round local times."""
    step = next((s for s in _STEPS_S if curves.seconds / s <= 9), _STEPS_S[-1])
    begin = curves.began.astimezone(zone)
    midnight = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    first = -(-(begin - midnight).total_seconds() // step) * step
    parts = []
    at: datetime = midnight + timedelta(seconds=first)
    while (into := (at - begin).total_seconds()) <= curves.seconds:
        x = LEFT + (WIDTH - LEFT - RIGHT) * into / curves.seconds
        text = f"{at:%H:%M:%S}" if step < 60 else f"{at:%H:%M}"
        parts.append(f'<path class="grid" d="M{x:.1f} {top}V{top + HEIGHT}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{top + HEIGHT + 14}" text-anchor="middle">{text}</text>')
        at += timedelta(seconds=step)
    return parts


def _path(line: Sequence[float | None], top: int, high: float) -> str:
    """Steps from point to point; where nothing is known the line is broken."""
    wide = (WIDTH - LEFT - RIGHT) / len(line)
    words: list[str] = []
    broken = True
    for i, used in enumerate(line):
        if used is None:
            broken = True
            continue
        y = top + HEIGHT * (1.0 - max(0.0, used) / high)
        words.append(f"{'M' if broken else 'L'}{LEFT + i * wide:.1f} {y:.1f}H{LEFT + (i + 1) * wide:.1f}")
        broken = False
    return "".join(words)


def feeders_of(*sites: Sequence[Feeder]) -> tuple[Feeder, ...]:
    """The feeders of several sites, each id once, the first site's form of it."""
    found: dict[FeederId, Feeder] = {}
    for site in sites:
        for feeder in site:
            found.setdefault(feeder.id, feeder)
    return tuple(found.values())
