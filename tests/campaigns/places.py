"""Sites for the soak: the demo, and depots drawn from a seed whose fuses are as tight as their proof allows."""

from pathlib import Path
from random import Random

from siteward.control.proof import prove
from siteward.model.site import Site
from siteward.settings.load import load_site
from tests.fixtures.station import PROFILES, demo_site

_WIRINGS = (("L1", "L2", "L3"), ("L2", "L3", "L1"), ("L3", "L1", "L2"))


def draw_site(rng: Random, folder: Path) -> Site:
    """The demo for one seed in three, else a depot of one or two rows of boxes below a grid connection."""
    if rng.random() < 0.25:
        return demo_site()
    rows = rng.randint(1, 2)
    boxes = [rng.randint(2, 4) for _ in range(rows)]
    metered = [rng.random() < 0.6 for _ in range(rows)]
    row_worst = [rng.choice((0.0, 0.0, 6.0)) for _ in range(rows)]
    # What every child may hang on it is part of its parent's worst case (R18). At about 0.45 of what the boxes draw
    # all of them may charge while other load is low, and all of it together is just what R1 allows.
    worst = sum(row_worst) + round(16.0 * sum(boxes) * rng.choice((0.1, 0.45, 0.45, 0.6)))
    roomy = rng.random() < 0.6
    wirings = [[rng.choice(_WIRINGS) for _ in range(n)] for n in boxes]
    ratings = {f"row{r}": 16.0 * n + row_worst[r] + 2.0 if roomy else 25.0 for r, n in enumerate(boxes)}
    ratings["grid"] = max(35.0, worst)
    while True:
        ratings["grid"] = max(ratings.values())
        path = folder / "depot.toml"
        path.write_text(_depot(ratings, worst, row_worst, metered, wirings), encoding="utf-8")
        site = load_site(path, PROFILES)
        short = {s.feeder for s in prove(site)}
        if not short:
            return site
        for feeder in short:
            ratings[feeder] += 0.5


def _depot(
    ratings: dict[str, float],
    worst: float,
    row_worst: list[float],
    metered: list[bool],
    wirings: list[list[tuple[str, ...]]],
) -> str:
    parts = [
        'schema = 1\n[site]\nid = "SOAK-1"\nname = "Soak"\ntimezone = "Asia/Shanghai"\nphase_voltage_v = 230\n',
        '[cloud]\nurl = "mqtt://127.0.0.1:18830"\n',
        _meter("grid-meter", 0, 1),
        _feeder("grid", None, ratings["grid"], worst, "grid-meter"),
    ]
    for r, row in enumerate(wirings):
        parts.append(f'[[line]]\nid = "bus{r}"\nport = "bus{r}"\nbaud = 19200\nparity = "none"\nsimulated = true\n')
        meter = f"row{r}-meter" if metered[r] else None
        if meter is not None:
            parts.append(_meter(meter, r, 2))
        parts.append(_feeder(f"row{r}", "grid", ratings[f"row{r}"], row_worst[r], meter))
        for n, wiring in enumerate(row):
            parts.append(_box(f"R{r}{n}", r, 11 + n, wiring))
    return "\n".join(parts)


def _meter(name: str, line: int, unit: int) -> str:
    return f'[[meter]]\nid = "{name}"\nline = "bus{line}"\nunit = {unit}\nprofile = "eastron_sdm630"\n'


def _feeder(name: str, parent: str | None, rating_a: float, worst_a: float, meter: str | None) -> str:
    lines = [f'[[feeder]]\nid = "{name}"\nname = "{name}"\nrating_a = [{rating_a}, {rating_a}, {rating_a}]']
    if parent is not None:
        lines.append(f'parent = "{parent}"')
    if meter is not None:
        lines.append(f'meter = "{meter}"')
    lines.append(f"worst_base_load_a = [{worst_a}, {worst_a}, {worst_a}]" if worst_a else "chargers_only = true")
    return "\n".join(lines) + "\n"


def _box(name: str, line: int, unit: int, wiring: tuple[str, ...]) -> str:
    phases = ", ".join(f'"{p}"' for p in wiring)
    return (
        f'[[charger]]\nid = "{name}"\nline = "bus{line}"\nunit = {unit}\nprofile = "heidelberg_energy_control"\n'
        f'feeder = "row{line}"\nphases = [{phases}]\nmax_a = 16\nhardware_max_a = 16\n'
        f'[[charger.connector]]\nid = "{name}-1"\ntype = "type2"\n'
    )
