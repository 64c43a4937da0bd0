"""The panel process: the only one that listens to people."""

from siteward.app.options import ADDRESS_NAME, ProcessOptions
from siteward.app.signals import stop_on_signals
from siteward.panel.service import PanelOptions, PanelReady, run_panel
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
        hosts=panel.names,
        language=panel.language,
    )

    def ready(where: PanelReady) -> None:
        (page.state / ADDRESS_NAME).write_text(f"{where.url}\n{where.fingerprint}\n", encoding="ascii")

    await run_panel(page, SystemClock(), stop_on_signals(), ready)
    return 0
