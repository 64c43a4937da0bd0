"""The sync process: the station's MQTT connection and the outputs of its alarms."""

from dataclasses import fields

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.model.errors import ConfigError
from siteward.runtime.clock import SYNC_FLAG, SystemClock
from siteward.settings.load import load_settings
from siteward.settings.result import CloudSettings, OutputSettings
from siteward_drivers.registry import load_profiles
from siteward_sync.link_options import TlsFiles
from siteward_sync.outputs.options import OutputKind, OutputOptions
from siteward_sync.service import SyncOptions, run_outputs, run_sync


async def run_uplink(options: ProcessOptions) -> int:
    """Run sync until SIGTERM or SIGINT; returns the exit status."""
    settings = load_settings(options.config, load_profiles(options.config.parent / "profiles"))
    cloud = settings.cloud
    outputs = tuple(_output(output) for output in settings.outputs)
    clock = SystemClock(options.clock_flag or SYNC_FLAG)
    if cloud is None:
        if not outputs:
            raise ConfigError(f"{options.config} has neither [cloud] nor [[output]]; add one, or do not start sync")
        await run_outputs(options.run / "sync.sock", outputs, clock, stop_on_signals())
        return 0
    sync = SyncOptions(
        station=settings.site.id,
        core=options.run / "sync.sock",
        host=cloud.host,
        port=cloud.port,
        tls=_tls(cloud),
        insecure=cloud.insecure,
        heartbeat_s=cloud.heartbeat_s,
        backfill_share=cloud.backfill_share,
        outputs=outputs,
    )
    await run_sync(sync, clock, stop_on_signals())
    return 0


def _output(output: OutputSettings) -> OutputOptions:
    given = {field.name: getattr(output, field.name) for field in fields(OutputOptions) if field.name != "kind"}
    return OutputOptions(kind=OutputKind(output.kind), **given)


def _tls(cloud: CloudSettings) -> TlsFiles | None:
    if not cloud.tls:
        return None
    if cloud.ca_file is None or cloud.certificate_file is None or cloud.key_file is None:
        raise ConfigError("[cloud] tls needs ca_file, certificate_file and key_file")
    return TlsFiles(cloud.ca_file, cloud.certificate_file, cloud.key_file)
