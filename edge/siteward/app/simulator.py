"""The simulator process: plays every device of a site on the wires that the site file names."""

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_settings
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.scenario import Scenario, load_scenario
from siteward_drivers.sim.serve import run_sim

SEED = 20260105
"""Seed of the demo's cars and base load: every demo sees the same day."""


async def run_simulator(options: ProcessOptions) -> int:
    """Play the site until SIGTERM or SIGINT; `scenario.toml` beside the site file says what happens."""
    profiles = load_profiles(options.config.parent / "profiles")
    settings = load_settings(options.config, profiles)
    path = options.config.parent / "scenario.toml"
    scenario = load_scenario(path) if path.exists() else Scenario()
    await run_sim(settings.site, profiles, options.run, scenario, SEED, SystemClock(), stop_on_signals())
    return 0
