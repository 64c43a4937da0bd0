"""What each process carries for life (goal 14), judged in a fresh interpreter by what it has imported."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from tests.arch.sources import ROOT
from tests.fixtures.site_files import ONE_SILENT_CHARGER

_PATH = ":".join(str(ROOT / folder) for folder in ("edge", "drivers", "cloud_sync"))
_FOREIGN = {
    "argon2",
    "click",
    "cryptography",
    "fastapi",
    "gpiozero",
    "httpx",
    "jinja2",
    "multiprocessing",
    "paho",
    "rich",
    "typer",
}
"""Libraries of the other processes, and what uvicorn's command line would bring."""
_OTHER_ROOMS = ("siteward.cli", "siteward.panel", "siteward.trust", "siteward_sync", "siteward_drivers.sim")


def told(code: str) -> object:
    """What a fresh interpreter prints as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": _PATH, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def modules(statement: str) -> set[str]:
    """Every module that is there after the statement."""
    names = told(f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))")
    assert isinstance(names, list)
    return set(names)


def strange(names: set[str]) -> set[str]:
    """Those that core has no use for."""
    return {name for name in names if name.partition(".")[0] in _FOREIGN or within(name, _OTHER_ROOMS)}


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a module is one of the packages or lies in one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_core_carries_nothing_of_the_other_processes() -> None:
    """Goal 14: no page, no cloud, no command line, no simulator in the process that guards the fuses."""
    names = modules("import siteward.app.core")
    assert {"siteward_drivers.modbus", "siteward.api.serve", "uvicorn.server"} <= names
    assert not strange(names)


def test_what_core_must_not_carry_would_be_seen() -> None:
    """Goal 14: the check above can fail, for the panel's process imports what core must not."""
    assert {"fastapi", "siteward.panel.app"} <= strange(modules("import siteward.app.pages"))


def test_a_verb_of_the_command_line_imports_no_drivers() -> None:
    """Goal 14: status and stop are used in a hurry; only check reads profiles and proves fuses."""
    names = modules("import siteward.cli.app")
    unused = ("siteward.control", "siteward.settings", "siteward.store", "siteward_drivers", "pymodbus", "argon2")
    assert not {name for name in names if within(name, unused)}


def test_the_collector_never_walks_what_was_imported() -> None:
    """Goal 14: what a process imported lies outside the collections that would hold up a turn."""
    code = "import gc, json; from siteward.app.main import load; load('core')"
    told_of = told(f"{code}; print(json.dumps({{'kept': gc.get_freeze_count(), 'on': gc.isenabled()}}))")
    assert isinstance(told_of, dict)
    assert told_of["kept"] > 20_000
    assert told_of["on"]


def test_core_starts_without_openssl_and_says_so_when_asked_for_it() -> None:
    """Goal 14: core speaks no TLS, so OpenSSL stays out of its memory; the journal's hash is the same without it."""
    start = "from siteward.app.lean import leave_out; leave_out(); from siteward.app.main import load; load('core')"
    names = modules(start)
    assert "_ssl" not in names
    digest = told(f"{start}\nimport hashlib, json; print(json.dumps(hashlib.sha256(b'siteward').hexdigest()))")
    assert digest == hashlib.sha256(b"siteward").hexdigest()
    refusal = told(
        f"{start}\nimport json, ssl\ntry:\n    ssl.create_default_context()\nexcept RuntimeError as error:\n"
        "    print(json.dumps(str(error)))"
    )
    assert refusal == "core was started without this module: see siteward.app.lean"


def test_core_carries_no_forms_and_no_http_client_yet_names_a_missing_page() -> None:
    """Goal 14: forms, mail and ini files stay out; the router's own refusals keep the standard's phrase (contract)."""
    start = "from siteward.app.lean import leave_out; leave_out(); from siteward.app.main import load; load('core')"
    assert not {"python_multipart.multipart", "email.parser", "difflib"} & modules(start)
    phrase = told(
        f"{start}\nimport json\nfrom starlette.exceptions import HTTPException\n"
        "print(json.dumps(HTTPException(405).detail))"
    )
    assert phrase == "Method Not Allowed"


_SELDOM = {
    "relay boards": "siteward_drivers.relay_schema",
    "lines of the computer": "siteward_drivers.gpio",
    "serial ports": "serial_asyncio",
    "ports with a thread": "siteward_drivers.port_thread",
    "DL/T 645": "siteward_drivers.dlt645_device",
    "DL/T 698.45": "siteward_drivers.dlt698_device",
    "captures": "siteward_drivers.capture_file",
}
"""What a site has or has not, by the module that serves it."""

_SITE = """
import json, sys
from pathlib import Path
from siteward.app.lean import leave_out; leave_out()
from siteward.app.main import load; load('core')
from siteward.runtime.clock import SystemClock
from siteward.settings.load import load_site
from siteward_drivers.registry import build_lines, load_profiles
profiles = load_profiles()
site = load_site(Path({path!r}), profiles)
lines = build_lines(site, profiles, SystemClock(), None, lambda event: None)
print(json.dumps(sorted(sys.modules)))
"""


def carried(tmp_path: Path, text: str) -> set[str]:
    """Which seldom drivers core carries at a site."""
    path = tmp_path / "site.toml"
    path.write_text(text)
    names = told(_SITE.format(path=str(path)))
    assert isinstance(names, list)
    return {what for what, module in _SELDOM.items() if module in names}


def test_a_site_carries_only_the_drivers_of_what_it_has(tmp_path: Path) -> None:
    """Goal 14: lazy drivers; a charger behind a socket needs none of those that few sites use."""
    assert carried(tmp_path, ONE_SILENT_CHARGER) == set()


def test_a_site_carries_the_drivers_of_what_it_names(tmp_path: Path) -> None:
    """Goal 14: the check above can fail, for a port of its own brings its link along."""
    port = '[[line]]\nid = "rs485-1"\nport = "/dev/ttyS9"\nbaud = 9600\nlink = "{}"\n'
    threaded = carried(tmp_path, ONE_SILENT_CHARGER + port.format("thread"))
    assert threaded == {"ports with a thread"}
    assert carried(tmp_path, ONE_SILENT_CHARGER + port.format("serial")) == {"serial ports"}
