"""`siteward keys`: S-83, rotation and revocation by hand, with a way back, and honest about what core takes."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from siteward.api.door import Door, KeyRing
from siteward.cli import check_cloud
from siteward.cli import keys as work
from siteward.cli.app import run_cli
from siteward.cli.errors import CommandFailed
from siteward.client.command_keys import read_keys, thumbprint, write_keys
from siteward.settings.result import CloudSettings
from tests.fixtures.core import FakeCore, running_core
from tests.fixtures.jws import KEY, OTHER, url
from tests.siteward.cli.shell import Shell

PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
-----END PUBLIC KEY-----
"""
"""KEY's public half, as `openssl pkey -pubout` writes it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of keys, not there yet."""
    return tmp_path / "command-keys.json"


@pytest.fixture
async def core(tmp_path: Path, file: Path) -> AsyncIterator[FakeCore]:
    """A core that reads that file."""
    async with running_core(tmp_path / "run", door=Door(KeyRing(file))) as running:
        yield running


@pytest.fixture
def shell(core: FakeCore, capsys: pytest.CaptureFixture[str]) -> Shell:
    """A terminal."""
    return Shell(core, capsys)


def put(folder: Path, text: str) -> str:
    """A file that a platform's people sent."""
    source = folder / "from-the-platform"
    source.write_text(text, encoding="utf-8")
    return str(source)


async def test_a_change_of_keys_from_beginning_to_end(shell: Shell, tmp_path: Path, file: Path) -> None:
    """S-83: install, install the next beside it, remove the old one, take that back, and again; core follows each."""
    status, said = await shell.said("keys", "add", put(tmp_path, PEM), "--kid", "p-2026")
    assert (status, "p-2026; in force" in said) == (0, True), said
    assert read_keys(file.read_bytes()) == {"p-2026": KEY.public}
    status, said = await shell.said("keys", "add", put(tmp_path, url(OTHER.public)), "--kid", "p-2027")
    assert (status, "p-2026, p-2027; in force" in said) == (0, True), said
    status, said = await shell.said("keys", "remove", "p-2026")
    assert (status, ": p-2027; in force" in said) == (0, True), said
    status, said = await shell.said("keys", "undo")
    assert (status, "p-2026, p-2027; in force" in said) == (0, True), said
    status, said = await shell.said("keys", "undo")
    assert (status, ": p-2027; in force" in said) == (0, True), said
    status, said = await shell.said("keys", "list")
    assert status == 0
    assert thumbprint(OTHER.public) in said
    assert "unsigned commands are refused" in said
    listed = await shell.json("keys", "list")
    assert listed["required"] is True
    assert listed["keys"] == [{"kid": "p-2027", "thumbprint": thumbprint(OTHER.public), "inForce": True}]
    assert oct(file.stat().st_mode)[-3:] == "644"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "command-keys.json",
        "command-keys.json.before",
        "from-the-platform",
    ]


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        url(KEY.public),
        json.dumps({"kty": "OKP", "crv": "Ed25519", "x": url(KEY.public), "kid": "its-own"}),
        write_keys({"a": KEY.public}).decode(),
    ],
)
async def test_a_key_comes_in_any_usual_form(shell: Shell, tmp_path: Path, file: Path, text: str) -> None:
    """openssl writes PEM, libraries write JWK, people paste base64."""
    whole = text.startswith('{\n  "keys"')
    status, said = await shell.said("keys", "add", put(tmp_path, text), *([] if whole else ["--kid", "a"]))
    assert status == 0, said
    assert read_keys(file.read_bytes()) == {"a": KEY.public}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (KEY.pem().decode(), "PRIVATE key"),
        (json.dumps({"kty": "OKP", "crv": "Ed25519", "x": url(KEY.public), "d": "AA"}), "PRIVATE key"),
        (PEM.replace("MCow", "AAAA"), "not a PEM public key"),
        ("", "32 bytes"),
        ("{", "not JSON"),
        (url(KEY.public[:-1]), "32 bytes"),
    ],
)
async def test_what_is_no_public_key_is_refused_with_what_to_send(
    shell: Shell, tmp_path: Path, file: Path, text: str, told: str
) -> None:
    """S-83: above all nobody's private key is ever taken."""
    status, said = await shell.said("keys", "add", put(tmp_path, text), "--kid", "a")
    assert status == 1
    assert told in said
    assert "openssl pkey -pubout" in said
    assert not file.exists()


async def test_a_key_without_a_name_or_with_that_of_another_is_refused(
    shell: Shell, tmp_path: Path, file: Path
) -> None:
    """A second key under the same name would be a change that nobody can take back half-way."""
    status, said = await shell.said("keys", "add", put(tmp_path, PEM))
    assert (status, "--kid" in said) == (1, True)
    await shell.said("keys", "add", put(tmp_path, PEM), "--kid", "a")
    status, said = await shell.said("keys", "add", put(tmp_path, url(OTHER.public)), "--kid", "a")
    assert (status, "a is the name of another key" in said) == (1, True)
    assert read_keys(file.read_bytes()) == {"a": KEY.public}


async def test_the_last_key_goes_only_for_sure(shell: Shell, tmp_path: Path, file: Path) -> None:
    """Without a key nobody far away can stop a charge any more."""
    await shell.said("keys", "add", put(tmp_path, PEM), "--kid", "a")
    status, said = await shell.said("keys", "remove", "b")
    assert (status, "there is no key b" in said) == (1, True)
    status, said = await shell.said("keys", "remove", "a")
    assert (status, "the last key stays" in said) == (1, True)
    status, said = await shell.said("keys", "remove", "a", "--yes")
    assert (status, "no key; in force" in said) == (0, True)
    assert read_keys(file.read_bytes()) == {}


async def test_a_spoilt_file_is_brought_back(shell: Shell, tmp_path: Path, file: Path) -> None:
    """Fault 49: what a disk or an editor spoilt, the last good one replaces."""
    await shell.said("keys", "add", put(tmp_path, PEM), "--kid", "a")
    await shell.said("keys", "add", put(tmp_path, url(OTHER.public)), "--kid", "b")
    file.write_text("{", encoding="utf-8")
    status, said = await shell.said("keys", "list")
    assert (status, "siteward keys undo" in said) == (1, True)
    status, said = await shell.said("keys", "undo")
    assert (status, ": a; in force" in said) == (0, True)


async def test_another_file_than_core_s_is_said_to_be_one(shell: Shell, tmp_path: Path) -> None:
    """Who installs a key into the wrong file must not believe that it is trusted."""
    other = tmp_path / "other.json"
    status, said = await shell.said("keys", "add", put(tmp_path, PEM), "--kid", "a", "--file", str(other))
    assert (status, "NOT in force" in said, "core reads" in said) == (0, True, True)


def test_without_core_the_file_must_be_named(tmp_path: Path) -> None:
    """flows.md: a verb says what it cannot know."""
    with pytest.raises(CommandFailed, match="core does not run"):
        work.file_of(None, None)
    assert work.file_of(tmp_path, None) == tmp_path


async def test_a_site_without_keys_says_which_line_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first provisioning begins with a line of site.toml."""
    async with running_core(tmp_path / "bare") as bare:
        status, said = await Shell(bare, capsys).said("keys", "list")
    assert (status, "command_keys" in said) == (1, True)


async def test_nothing_to_take_back_is_said(shell: Shell) -> None:
    status, said = await shell.said("keys", "undo")
    assert (status, "no change to take back" in said) == (1, True)


@pytest.mark.parametrize(
    ("keys", "required", "en", "zh"),
    [
        (None, True, "no signed command of the platform is taken", "不接受平台的任何签名命令"),
        (b"{", True, "not JSON", "siteward keys add"),
        (write_keys({}), True, "holds no key", "siteward keys add"),
        (write_keys({"a": KEY.public, "b": OTHER.public}), True, "only if signed with a, b", "签名的命令：a, b"),
        (write_keys({"a": KEY.public}), False, "unsigned commands are taken, too", "也接受未签名的命令"),
    ],
)
def test_check_says_whose_commands_are_taken(
    tmp_path: Path, file: Path, keys: bytes | None, required: bool, en: str, zh: str
) -> None:
    """`siteward check`: a file of keys that is not there is found before the platform finds it."""
    if keys is not None:
        file.write_bytes(keys)
    cloud = CloudSettings("broker.example", 8883, True, command_keys=Path(file.name), require_signed=required)
    (note,) = check_cloud.notes(cloud, tmp_path)
    assert en in note.en
    assert zh in note.zh


def test_check_says_nothing_where_nothing_is_signed(tmp_path: Path) -> None:
    assert check_cloud.notes(None, tmp_path) == []
    assert check_cloud.notes(CloudSettings("broker.example", 8883, True), tmp_path) == []


def test_check_prints_it_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole verb, over the demo's own site file."""
    text = (Path(__file__).parents[3] / "config" / "demo" / "site.toml").read_text(encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text(text.replace("[cloud]", '[cloud]\ncommand_keys = "command-keys.json"'), encoding="utf-8")
    assert run_cli(["check", str(site)]) == 0
    said = capsys.readouterr().out
    assert "no signed command of the platform is taken" in said
    assert "不接受平台的任何签名命令" in said
