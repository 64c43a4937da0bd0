"""The core process: the only one that opens wires, decides and keeps the journal."""

import asyncio
import os

from siteward import __version__
from siteward.api.door import Door, KeyRing
from siteward.api.serve import run_api
from siteward.app.backend import CoreBackend
from siteward.app.evidence import Evidence
from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.app.trace import TraceWriter
from siteward.model.ports import Lines, TokenSource
from siteward.model.site import Site
from siteward.runtime.actuate import Actuator, Verify
from siteward.runtime.clock import SYNC_FLAG, SystemClock
from siteward.runtime.gate import LedgerGate
from siteward.runtime.notify import Notifier
from siteward.runtime.resources import Resources
from siteward.runtime.starts import StartRecord
from siteward.runtime.station import Station, StationJournal, StationPorts
from siteward.settings.load import load_settings
from siteward.settings.result import CloudSettings
from siteward.store.lock import InstanceLock
from siteward.store.open import lock_path, open_store
from siteward_drivers.registry import build_lines, load_profiles

DATABASE = "siteward.db"
"""File of the journal in STATE/core."""


async def run_core(options: ProcessOptions) -> int:
    """Run core until SIGTERM or SIGINT; returns the exit status. A second core is refused before it opens anything."""
    with InstanceLock(lock_path(options.state / "core" / DATABASE)) as lock:
        return await _run(options, lock)


def _tokens(site: Site) -> tuple[TokenSource, ...]:
    """The site's card readers; most sites have none, and then their code stays outside (goal 14)."""
    if not site.readers:
        return ()
    from siteward_drivers.readers import build_readers

    return build_readers(site)


def _door(options: ProcessOptions, cloud: CloudSettings | None) -> Door:
    """Whose commands are taken; a path in the site file is one beside it."""
    if options.command_keys is not None:
        return Door(KeyRing(options.command_keys))
    if cloud is None or cloud.command_keys is None:
        return Door()
    return Door(KeyRing(options.config.parent / cloud.command_keys), cloud.require_signed)


async def _run(options: ProcessOptions, lock: InstanceLock) -> int:
    stop = stop_on_signals()
    clock = SystemClock(options.clock_flag or SYNC_FLAG)
    profiles = load_profiles(options.config.parent / "profiles")
    settings = load_settings(options.config, profiles)
    site = settings.site
    folder = options.state / "core"
    trace = TraceWriter(site, settings.storage.trace_hours)
    backends: list[CoreBackend] = []

    def lines(gate: LedgerGate, actuator: Actuator) -> Lines:
        return build_lines(site, profiles, clock, gate, actuator.log, drive_gate=gate.arms)

    async def journal() -> StationJournal:
        store = await open_store(folder / DATABASE, clock, lock)
        store.on_settled = station.inbox.settle
        station.inbox.settle(await store.settled())
        backends[0].attach(store)
        return store

    station = Station(
        StationPorts(
            site=site,
            clock=clock,
            build_lines=lines,
            open_journal=journal,
            trace=trace.put,
            starts=StartRecord(options.run / "starts.json"),
            notifier=Notifier(os.environ),
            entropy=lambda: os.urandom(10),
            software=__version__,
            measure=Resources(folder, clock.now).measure,
            tokens=_tokens(site),
            verify=_verifier(site),
        )
    )
    backends.append(CoreBackend(site, station, trace.curve))
    options.run.mkdir(parents=True, exist_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    trace.start(folder / "trace.db")
    api = asyncio.create_task(run_api(backends[0], options.run, clock, stop, _door(options, settings.cloud)))
    evidence = asyncio.create_task(Evidence(backends[0], folder / "frames").run())
    try:
        await station.run(stop)
    finally:
        stop.set()
        evidence.cancel()
        await api
        await trace.close()
        if station.journal is not None:
            await station.journal.close()
    return 0


def _verifier(site: Site) -> Verify:
    """What judges signed values; a site whose meters sign nothing does not carry it (goal 14)."""
    if not any(meter.facts.signs for meter in site.meters):
        return lambda document, key: None
    from siteward.trust.ocmf import verified

    return verified
