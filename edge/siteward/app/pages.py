"""The panel process: the only one that listens to people."""

from siteward.app.options import ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.panel.service import PanelOptions, run_panel
from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_settings
from siteward_drivers.registry import load_profiles


async def run_pages(options: ProcessOptions) -> int:
    """Run the panel until SIGTERM or SIGINT; returns the exit status."""
    settings = load_settings(options.config, load_profiles(options.config.parent / "profiles"))
    panel = settings.panel
    files = None
    if panel.certificate_file is not None and panel.key_file is not None:
        files = (panel.certificate_file, panel.key_file)
    page = PanelOptions(
        socket=options.run / "panel.sock",
        state=options.state / "panel",
        listen=panel.host,
        port=panel.port,
        tls=files,
    )
    await run_panel(page, SystemClock(), stop_on_signals())
    return 0
