"""The result of `replay` for people, in English or Chinese."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from siteward.cli.paint import Grid, Part
from siteward.cli.replay_json import PHASES
from siteward.model.alarms import ALARMS
from siteward.model.causes import CAUSES
from siteward.model.ids import FeederId
from siteward.model.limits import CauseStep, Grant
from siteward.panel.words import say
from siteward.replay.compare import Replay, Run
from siteward.replay.tally import Episode, FeederTally
from siteward.replay.words import NOTES, WORDS

_MOST_LINES = 12
"""Episodes and differences that are written out; --json has them all."""


def page(done: Replay, zone: tzinfo, language: str) -> list[Part]:
    """The whole report."""
    return _Page(done, zone, language).parts()


class _Page:
    def __init__(self, done: Replay, zone: tzinfo, language: str) -> None:
        self._done, self._zone, self._language = done, zone, language
        runs = [("running", done.running), ("changed", done.changed)]
        self._runs: list[tuple[str, Run]] = [(kind, run) for kind, run in runs if run is not None]
        sites = [run.site for _, run in reversed(self._runs)]
        self._names = {f.id: f.name or f.id for site in sites for f in site.feeders}

    def parts(self) -> list[Part]:
        """Head, tables, then what happened in the order of time."""
        done = self._done
        parts: list[Part] = [
            self._say(
                "title",
                began=self._time(done.began, "%Y-%m-%d %H:%M:%S"),
                ended=self._time(done.ended, "%Y-%m-%d %H:%M:%S"),
                hours=f"{done.seconds / 3600:.2f}",
                timezone=done.running.site.timezone,
            ),
            self._say("open_loop"),
        ]
        if done.notes:
            parts.append(f"\n{self._say('assumed')}:")
            parts += [f"  {say(NOTES[note], self._language, subject=subject)}" for note, subject in done.notes]
        parts += ["", self._feeders(), "", self._connectors(), *self._why(), *self._disobeyed()]
        return [*parts, *self._overloads(), *self._alarms(), *self._differences()]

    def _say(self, word: str, **values: object) -> str:
        return say(WORDS[word], self._language, **values)

    def _time(self, at: datetime | None, form: str = "%H:%M:%S") -> str:
        return "-" if at is None else f"{at.astimezone(self._zone):{form}}"

    def _feeders(self) -> Grid:
        kinds: list[tuple[str, dict[FeederId, FeederTally]]] = [("recorded", self._done.recorded)]
        kinds += [(kind, run.tally.feeders) for kind, run in self._runs]
        columns = [self._say("feeder"), self._say("rating")]
        columns += [f"{self._say(kind)} {self._say(word)}" for kind, _ in kinds for word in ("peak", "over")]
        columns += [f"{self._say(kind)} {self._say('sheds')}" for kind, _ in self._runs]
        rows = []
        for name, title in self._names.items():
            known = [tallies.get(name) for _, tallies in kinds]
            ratings = dict.fromkeys(f"{a:g}" for f in known if f is not None for a in dict.fromkeys(f.rating_a))
            row = [f"{title} ({name})", " / ".join(ratings)]
            for tally in known:
                row += ["-", "-"] if tally is None else [f"{tally.peak_a:.1f}", f"{tally.over_s:.0f}"]
            row += ["-" if tally is None else str(tally.sheds) for tally in known[1:]]
            rows.append(row)
        return Grid(self._say("feeders"), columns, rows, frozenset(columns[1:]))

    def _connectors(self) -> Grid:
        words = ("energy", "mean", "pauses", "paused")
        columns = [self._say("connector")]
        columns += [f"{self._say(kind)} {self._say(word)}" for kind, _ in self._runs for word in words]
        names = dict.fromkeys(name for _, run in self._runs for name in run.tally.connectors)
        rows = []
        for name in names:
            tallies = [run.tally.connectors.get(name) for _, run in self._runs]
            if not any(c is not None and c.wanted_s for c in tallies):
                continue
            row = [str(name)]
            for c in tallies:
                row += (
                    ["-"] * 4
                    if c is None
                    else [f"{c.energy_wh / 1000:.2f}", f"{c.mean_a:.1f}", str(c.pauses), f"{c.paused_s:.0f}"]
                )
            rows.append(row)
        return Grid(self._say("connectors"), columns, rows, frozenset(columns[1:]))

    def _why(self) -> list[Part]:
        """Where current was held back, by which chain, for how long."""
        parts: list[Part] = [f"\n{self._say('why')}:"]
        for kind, run in self._runs:
            for name, c in run.tally.connectors.items():
                found = [(why, seconds) for why, seconds in c.why.most_common(3) if seconds]
                if found:
                    parts.append(f"  {self._say(kind)} {name}:")
                for why, seconds in found:
                    held = self._say("held", seconds=seconds, why=self._links(c.mean_chain(why)))
                    parts.append(f"    {held}")
        return parts

    def _disobeyed(self) -> list[Part]:
        """Who did not keep to its grant on the recorded day; in a replay everybody does."""
        parts: list[Part] = [f"\n{self._say('disobeyed')}:"]
        for name, d in self._done.disobeyed.items():
            told = self._say(
                "disobeyed_at",
                when=self._time(d.first),
                connector=name,
                seconds=f"{d.over_s:.0f}",
                longest=f"{d.longest_s:.0f}",
                most=f"{d.most_a:.1f}",
                granted=f"{d.granted_a:g}",
            )
            parts.append(f"  {told}")
        return parts if self._done.disobeyed else [*parts, f"  {self._say('none')}"]

    def _overloads(self) -> list[Part]:
        parts: list[Part] = []
        for kind, run in self._runs:
            parts.append(f"\n{self._say('overloads')}, {self._say(kind)}:")
            episodes = run.tally.episodes
            for episode in episodes[:_MOST_LINES]:
                parts += self._episode(episode)
            left = len(episodes[_MOST_LINES:]) + run.tally.episodes_left_out
            if left:
                parts.append(f"  {self._say('more', count=left)}")
            if not episodes:
                parts.append(f"  {self._say('none')}")
        return parts

    def _episode(self, e: Episode) -> Sequence[str]:
        head = self._say(
            "overload" if e.seconds else "shed",
            when=self._time(e.began),
            feeder=self._names.get(e.feeder, e.feeder),
            peak=f"{e.peak_a:.1f}",
            phase=PHASES[e.phase],
            rating=f"{e.rating_a:g}",
            seconds=f"{e.seconds:.0f}",
            base=f"{e.base_a:.1f}",
        )
        steps = (
            self._say(
                "step",
                connector=grant.connector,
                before=f"{e.before_a.get(grant.connector, 0.0):g}",
                after=f"{grant.limit_a:g}",
                why=self._chain(grant),
            )
            for grant in e.grants
        )
        return [f"  {head}", *(f"    {step}" for step in steps)]

    def _alarms(self) -> list[Part]:
        parts: list[Part] = []
        for kind, run in self._runs:
            parts.append(f"\n{self._say('alarms')}, {self._say(kind)}:")
            for alarm, (first, length) in run.tally.alarms.items():
                text = say(ALARMS[alarm.code], self._language, subject=alarm.subject)
                parts.append(f"  {self._say('alarm', when=self._time(first), seconds=f'{length:.0f}', text=text)}")
            if not run.tally.alarms:
                parts.append(f"  {self._say('none')}")
        return parts

    def _differences(self) -> list[Part]:
        done = self._done
        if done.changed is None:
            return []
        if not done.differences:
            return ["", self._say("same")]
        parts: list[Part] = [f"\n{self._say('differences')}:"]
        found = sorted(done.differences.values(), key=lambda d: d.wall)
        for d in found[:_MOST_LINES]:
            head = self._say(
                "difference",
                when=self._time(d.wall),
                connector=d.connector,
                running=f"{d.running_a:g}",
                changed=f"{d.changed_a:g}",
            )
            parts.append(f"  {head}")
            parts.append(f"    {self._say('running')}: {self._chain(d.running)}")
            parts.append(f"    {self._say('changed')}: {self._chain(d.changed)}")
        if len(found) > _MOST_LINES:
            parts.append(f"  {self._say('more', count=len(found) - _MOST_LINES)}")
        return [*parts, *self._avoided(done.running.tally.feeders, done.changed.tally.feeders)]

    def _avoided(self, running: dict[FeederId, FeederTally], changed: dict[FeederId, FeederTally]) -> list[Part]:
        """The verdict for each fuse that was over its rating in either."""
        found = [name for name in running if name in changed and (running[name].over_s or changed[name].over_s)]
        words = (
            self._say(
                "avoided",
                feeder=self._names[name],
                before=f"{running[name].over_s:.0f}",
                after=f"{changed[name].over_s:.0f}",
            )
            for name in found
        )
        return ["", *words] if found else []

    def _chain(self, grant: Grant) -> str:
        return self._links(grant.chain)

    def _links(self, chain: Sequence[CauseStep]) -> str:
        return " < ".join(self._link(link) for link in chain)

    def _link(self, link: CauseStep) -> str:
        feeder = "-" if link.feeder is None else self._names.get(link.feeder, link.feeder)
        limit = f" ({link.limit})" if link.limit else ""
        text = say(CAUSES[link.cause], self._language, amps=f"{link.limit_a:g}", feeder=feeder, limit=limit)
        return text.replace("\u00a0", " ")
