"""The core process: the only one that names devices, decides and keeps the journal."""

import asyncio
import os
from collections.abc import Mapping

from siteward import __version__
from siteward.api.serve import run_api
from siteward.app.backend import StationBackend
from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.app.trace import TraceWriter
from siteward.model.ports import Lines
from siteward.runtime.actuate import Actuator
from siteward.runtime.clock import SYNC_FLAG, SystemClock
from siteward.runtime.gate import LedgerGate
from siteward.runtime.notify import Notifier
from siteward.runtime.station import Station, StationPorts
from siteward.settings.load import load_settings
from siteward.store.open import open_store
from siteward_drivers.registry import build_lines, load_profiles
