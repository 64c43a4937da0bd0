"""How the whole suite runs: in CI every property is tried on the same examples each time; elsewhere on new ones."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
