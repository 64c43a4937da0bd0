"""Seeded randomness of the simulation: one stream per thing, so that adding a thing changes no other."""

from random import Random


def stream(seed: int, name: str) -> Random:
    """A generator of its own for one thing of one run; equal seed and name give equal numbers, on every machine."""
    return Random(f"{seed}:{name}")  # noqa: S311 - a simulation must repeat, it keeps no secret
