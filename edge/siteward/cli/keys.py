"""`keys`: whose signed commands the station takes: shown, installed, removed, and the last change taken back."""

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from siteward.cli.errors import CommandFailed
from siteward.cli.paint import Grid, Part, Screen
from siteward.cli.paths import Paths
from siteward.client.client import Client
from siteward.client.command_keys import BadKeys, read_bytes, read_key, read_keys, thumbprint, write_keys
from siteward.client.errors import CoreDown
from siteward.client.messages import KeysMessage
from siteward.client.strict import NotStrict, strict_object
from siteward.model.errors import SitewardError
from siteward.model.ids import is_id

_NO_FILE = 'write command_keys = "command-keys.json" into [cloud] of site.toml and start core anew, or say --file'
_BEFORE = ".before"


async def in_force(paths: Paths) -> KeysMessage | None:
    """What a running core says of its keys; None where none runs."""
    try:
        async with Client(paths.socket) as client:
            return await client.keys()
    except CoreDown:
        return None


def file_of(given: Path | None, core: KeysMessage | None) -> Path:
    """The file to work on: the one named, else core's. Raises CommandFailed."""
    if given is not None and not given.name:
        raise CommandFailed(f"--file: '{given}' names no file", "name the file of keys", "BAD_USE")
    if given is not None:
        return given
    if core is None:
        raise CommandFailed("core does not run, so nobody says which file holds the keys", "name it with --file", "")
    if core.file is None:
        raise CommandFailed("the site names no file of keys", _NO_FILE, "NO_KEYS")
    return Path(core.file)


def listing(screen: Screen, core: KeysMessage | None, file: Path) -> int:
    """Show the keys of the file, and whether core takes them."""
    keys = read_file(file)
    taken = {key.kid: key.thumbprint for key in core.keys} if core is not None else {}
    rows = [(kid, thumbprint(key), _now(core, taken.get(kid) == thumbprint(key))) for kid, key in sorted(keys.items())]
    if screen.as_json:
        listed = [{"kid": kid, "thumbprint": thumb, "inForce": taken.get(kid) == thumb} for kid, thumb, _ in rows]
        screen.data({"file": str(file), "required": None if core is None else core.required, "keys": listed})
        return 0
    parts: list[Part] = [f"{file}: {len(keys)} {'key' if len(keys) == 1 else 'keys'}; {_policy(core)}"]
    if rows:
        parts.append(Grid("", ("name", "thumbprint (SHA-256, RFC 7638)", "now"), rows))
    screen.show(parts)
    return 0


def _now(core: KeysMessage | None, taken: bool) -> str:
    if core is None:
        return "core does not run"
    return "taken" if taken else "not taken by core: another file?"


def _policy(core: KeysMessage | None) -> str:
    if core is None:
        return "core does not run"
    if core.problem is not None:
        return f"core takes no key: {core.problem}"
    return "unsigned commands are refused" if core.required else "unsigned commands are taken, too"


def add(file: Path, source: Path, kid: str | None) -> dict[str, bytes]:
    """Put the public keys of a file (PEM, JWK, JWK Set, base64) among the others; a name that is there is refused.

    Raises CommandFailed.
    """
    new = _keys_in(source, kid)
    keys = read_file(file) if file.exists() else {}
    for name, key in new.items():
        if keys.get(name, key) != key:
            advice = "give the new key a name of its own, have the platform use it, then remove the old one"
            raise CommandFailed(f"{name} is the name of another key", advice, "KEY_EXISTS")
    return _save(file, {**keys, **new})


def remove(file: Path, kid: str, sure: Callable[[str], bool]) -> dict[str, bytes]:
    """Take a key away; what it signed is refused from now on. Raises CommandFailed."""
    keys = read_file(file)
    if kid not in keys:
        raise CommandFailed(f"there is no key {kid}", "`siteward keys list` shows the names", "UNKNOWN_KEY")
    del keys[kid]
    if not keys and not sure("This is the last key: no command of the platform will be taken. Remove it?"):
        raise CommandFailed("the last key stays", "install the next one first, or say --yes", "LAST_KEY")
    return _save(file, keys)


def undo(file: Path) -> dict[str, bytes]:
    """Take the last change back; once more brings it again. Raises CommandFailed."""
    before = file.with_name(file.name + _BEFORE)
    if not before.exists():
        raise CommandFailed("there is no change to take back", "`siteward keys list` shows what is there", "NO_UNDO")
    return _save(file, read_file(before))


def read_file(file: Path) -> dict[str, bytes]:
    """The keys of a file. Raises CommandFailed."""
    try:
        return read_keys(file.read_bytes())
    except (OSError, BadKeys) as bad:
        raise CommandFailed(f"{file}: {bad}", "`siteward keys undo` brings the last good one back", "BAD_KEYS") from bad


def _keys_in(source: Path, kid: str | None) -> Mapping[str, bytes]:
    try:
        data = source.read_bytes()
        found = _read(data, kid)
    except (OSError, BadKeys, NotStrict, SitewardError) as bad:
        advice = "it is the platform's PUBLIC Ed25519 key: PEM (`openssl pkey -pubout`), JWK, or its 32 bytes in base64"
        raise CommandFailed(f"{source}: {bad}", advice, "BAD_KEYS") from bad
    return found


def _read(data: bytes, kid: str | None) -> Mapping[str, bytes]:
    if b"PRIVATE KEY" in data:
        raise BadKeys("this is a PRIVATE key: it belongs to the platform alone; make the public one of it")
    if data.lstrip().startswith(b"{"):
        document = strict_object(data)
        if "keys" in document and kid is None:
            return read_keys(data)
        name, key = read_key(document, kid)
    elif b"-----BEGIN" in data:
        from siteward.trust.crypto import public_key

        name, key = kid, public_key(data)
    else:
        name, key = kid, read_bytes(data.decode("ascii", "replace").strip())
    if name is None or not is_id(name):
        raise BadKeys("the key has no name: give it one with --kid, the one that the platform signs with")
    return {name: key}


def _save(file: Path, keys: Mapping[str, bytes]) -> dict[str, bytes]:
    """Replace the file as a whole, and keep what was there before."""
    data = write_keys(keys)
    try:
        if file.exists():
            _put(file.with_name(file.name + _BEFORE), file.read_bytes())
        else:
            _put(file.with_name(file.name + _BEFORE), write_keys({}))
        _put(file, data)
    except OSError as error:
        advice = "the file belongs to the installer: use sudo, or name another one with --file"
        raise CommandFailed(f"{file}: {error}", advice, "NOT_WRITTEN") from error
    return dict(keys)


def _put(file: Path, data: bytes) -> None:
    """Never half a file: a core that reads it in between reads the old one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(data)
            new.flush()
            os.fsync(new.fileno())
            os.fchmod(new.fileno(), 0o644)
        Path(name).replace(file)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def tell(screen: Screen, keys: Mapping[str, bytes], file: Path, core: KeysMessage | None) -> int:
    """Say what holds now; 1 where a running core does not take it."""
    said = {} if core is None else {key.kid: key.thumbprint for key in core.keys}
    good = core is None or core.file != str(file) or said == {kid: thumbprint(key) for kid, key in keys.items()}
    if screen.as_json:
        screen.data(json.loads(write_keys(keys)) | {"file": str(file), "inForce": good and core is not None})
        return 0 if good else 1
    names = ", ".join(sorted(keys)) or "no key"
    where = "core does not run" if core is None else "in force" if good and core.file == str(file) else "NOT in force"
    parts: list[Part] = [f"{file}: {names}; {where}"]
    if core is not None and core.file != str(file):
        parts.append(f"core reads {core.file or 'no file of keys'}: {_NO_FILE}")
    elif keys:
        parts.append("compare the thumbprints with the platform's people: `siteward keys list`")
    screen.show(parts)
    return 0 if good else 1
