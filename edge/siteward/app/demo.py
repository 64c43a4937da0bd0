"""The demo station: simulated wires, broker, platform and the three processes, started and stopped together."""

import asyncio
import getpass
import os
import shutil
import socket
from pathlib import Path

from siteward.app.options import ADDRESS_NAME, ProcessOptions
from siteward.app.platform import KEY_NAME, KID
from siteward.app.signals import stop_on_signals
from siteward.app.up import STOP_S, siteward_child, write_pids
from siteward.client.command_keys import write_keys
from siteward.model.errors import ConfigError
from siteward.runtime.clock import SystemClock
from siteward.runtime.supervisor import Child, Supervisor
from siteward.settings.load import load_settings
from siteward.settings.result import CloudSettings, Settings
from siteward.trust.crypto import new_key
from siteward_drivers.registry import load_profiles

_READY_S = 30.0
_MOSQUITTO = ("/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "/usr/bin/mosquitto")
_MARK = "made by siteward demo"


async def run_demo(options: ProcessOptions) -> int:
    """Run the demo until Ctrl-C; every child has ended when it returns."""
    stop = stop_on_signals()
    clock = SystemClock()
    settings = load_settings(options.config, load_profiles(None))
    _fresh_folder(options.state)
    keys = _platform_key(options.state)
    options.run.mkdir(parents=True, exist_ok=True)
    flag = options.run / "clock-synchronised"
    flag.write_text("station and platform share this machine's clock\n", encoding="ascii")
    cloud = settings.cloud
    if cloud is None:
        raise ConfigError(f"{options.config} has no [cloud] section; the demo shows a platform, too")
    broker = _find_broker()
    _check_ports(settings, cloud)
    _say(f"starting {settings.site.name}: {len(settings.site.connectors)} connectors, {len(settings.site.lines)} wires")
    if broker is None:
        _say("no MQTT broker on this machine: the station runs offline, everything else works")
    supervisor = Supervisor(
        _children(options, cloud, broker, flag, keys), clock, _say, lambda pids: write_pids(options.run, pids)
    )
    running = asyncio.create_task(supervisor.run(dict(os.environ), stop, STOP_S))
    announcing = asyncio.create_task(_announce(options, clock))
    await running
    announcing.cancel()
    await asyncio.gather(announcing, return_exceptions=True)
    _say("stopped")
    return 0


def _say(text: str) -> None:
    print(f"demo: {text}", flush=True)  # noqa: T201


def _fresh_folder(state: Path) -> None:
    """Start from nothing each time, but only ever delete what an earlier demo made."""
    mark = state / "demo"
    if state.exists():
        if not mark.is_file() or mark.read_text(encoding="utf-8").strip() != _MARK:
            raise ConfigError(f"{state} was not made by the demo; move it away or name another folder with --state")
        shutil.rmtree(state)
    state.mkdir(mode=0o700, parents=True)
    mark.write_text(_MARK + "\n", encoding="utf-8")


def _find_broker() -> Path | None:
    places = [Path(place) for place in (*_MOSQUITTO, shutil.which("mosquitto") or "") if place]
    return next((place for place in places if place.is_file()), None)


def _check_ports(settings: Settings, cloud: CloudSettings) -> None:
    wanted = {"panel": settings.panel.port, "broker": cloud.port}
    for line in settings.site.lines:
        if line.port.startswith("tcp://"):
            wanted[f"line {line.id}"] = int(line.port.rsplit(":", 1)[1])
    for name, port in wanted.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ConfigError(
                    f"port {port} ({name}) is taken; is another demo running? End it, or change the site file's port"
                ) from error


def _platform_key(state: Path) -> Path:
    """A new key for the platform of this run, and the file by which core trusts it."""
    key, folder = new_key(), state / "platform"
    folder.mkdir(mode=0o700)
    private = folder / KEY_NAME
    private.touch(mode=0o600)
    private.write_bytes(key.pem())
    public = state / "command-keys.json"
    public.write_bytes(write_keys({KID: key.public}))
    return public


def _children(
    options: ProcessOptions, cloud: CloudSettings, broker: Path | None, flag: Path, keys: Path
) -> list[Child]:
    children = [siteward_child("sim", options)]
    if broker is not None:
        configuration = _broker_file(options.state, cloud.port)
        children.append(Child("broker", (str(broker), "-c", str(configuration))))
        children.append(siteward_child("platform", options))
    children.append(siteward_child("core", options, "--clock-flag", str(flag), "--command-keys", str(keys)))
    if broker is not None:
        children.append(siteward_child("sync", options, "--clock-flag", str(flag)))
    children.append(siteward_child("panel", options))
    return children


def _broker_file(state: Path, port: int) -> Path:
    folder = state / "broker"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "mosquitto.conf"
    lines = (
        f"listener {port} 127.0.0.1",
        f"user {getpass.getuser()}",
        "allow_anonymous true",
        "set_tcp_nodelay true",
        "persistence true",
        f"persistence_location {folder.resolve()}/",
        f"log_dest file {folder.resolve()}/mosquitto.log",
    )
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


async def _announce(options: ProcessOptions, clock: SystemClock) -> None:
    """Say where the panel is once it answers, with the login of this run."""
    folder = options.state / "panel"
    login, address = folder / "first-login.txt", folder / ADDRESS_NAME
    deadline = clock.now() + _READY_S
    while not (login.is_file() and address.is_file()):
        if clock.now() > deadline:
            _say(f"the panel does not answer after {_READY_S:.0f} s; look at the messages above")
            return
        await clock.sleep(0.2)
    url, fingerprint = address.read_text(encoding="ascii").splitlines()
    _say(f"panel  {url}")
    _say(f"       its certificate is its own: accept it once; SHA-256 {fingerprint}")
    _say("login  " + login.read_text(encoding="utf-8").strip().replace("\n", ", "))
    _say("cars arrive by themselves; `.venv/bin/siteward status` shows the station; Ctrl-C stops everything")
