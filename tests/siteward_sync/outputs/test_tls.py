"""S-89: mail over STARTTLS and TLS, webhooks over HTTPS, with real servers and a test authority; no secret gets out."""

import asyncio
import base64
import json
import logging
import ssl
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siteward.model.events import EventType
from siteward_sync.errors import NotDelivered
from siteward_sync.outputs import box as box_module
from siteward_sync.outputs.digest import Station
from siteward_sync.outputs.options import OutputKind, OutputOptions
from siteward_sync.outputs.senders import deliver
from tests.fixtures.authority import Authority
from tests.fixtures.core import running_core
from tests.fixtures.receivers import Hook, MailServer, listening
from tests.siteward_sync.outputs.test_outputs import HOT, LINE, delivering, notes, until

STATION = Station("SZ-0001", "Nanshan depot")
WALL = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PASSWORD = "correct-horse-battery"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority of the site's own company."""
    return Authority(tmp_path / "company")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """The file with the password."""
    file = tmp_path / "secret"
    file.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return file


def mail(server: MailServer, authority: Authority, secret: Path, scheme: str = "smtp") -> OutputOptions:
    """An e-mail output that trusts the company's authority."""
    return OutputOptions(
        "mail",
        OutputKind.EMAIL,
        f"{scheme}://localhost:{server.port}",
        group_s=0.0,
        sender="site@example.org",
        recipients=("ops@example.org",),
        user="site",
        secret_file=secret,
        ca_file=authority.file,
    )


def hook_output(hook: Hook, authority: Authority, secret: Path) -> OutputOptions:
    """A webhook that trusts the company's authority, with a token in its path as chats have it."""
    url = f"https://localhost:{hook.port}/services/T0KEN/alarms"
    return OutputOptions("hook", OutputKind.WEBHOOK, url, group_s=0.0, secret_file=secret, ca_file=authority.file)


async def said(options: OutputOptions) -> str:
    """Why a test through this output did not arrive."""
    with pytest.raises(NotDelivered) as caught:
        await deliver(options, STATION, (), 0, WALL, "m")
    return str(caught.value)


async def test_a_mail_goes_over_starttls_and_nothing_before_it(authority: Authority, secret: Path) -> None:
    """RFC 3207: before TLS only the greeting; login, sender and text come behind it."""
    server = MailServer(users={"site": PASSWORD}, tls=authority.server("localhost"))
    async with listening(server):
        assert await deliver(mail(server, authority, secret), STATION, (), 0, WALL, "m") == ""
    assert [line.split()[0].upper() for line in server.clear] == ["EHLO", "STARTTLS"]
    assert "Test: alarms of this station reach you." in str(server.mails[0]["Subject"])


async def test_a_mail_goes_over_tls_from_the_first_byte(authority: Authority, secret: Path) -> None:
    """smtps:// (RFC 8314): not one line in the clear."""
    server = MailServer(users={"site": PASSWORD})
    async with listening(server, authority.server("localhost")):
        assert await deliver(mail(server, authority, secret, "smtps"), STATION, (), 0, WALL, "m") == ""
    assert server.clear == []
    assert len(server.mails) == 1


async def test_a_webhook_goes_over_https(authority: Authority, secret: Path) -> None:
    """Signed as over HTTP."""
    hook = Hook()
    async with listening(hook, authority.server("localhost")):
        await deliver(hook_output(hook, authority, secret), STATION, (), 0, WALL, "m")
    headers, body = hook.posts[0]
    assert headers["x-siteward-signature"].startswith("v1=")
    assert json.loads(body)["test"] is True


WRONG = {
    "foreign": (
        ("localhost",),
        timedelta(days=1),
        "its certificate is refused: unable to get local issuer certificate",
    ),
    "expired": (("localhost",), timedelta(days=-1), "its certificate is refused: certificate has expired"),
    "other host": (("mail.example.org",), timedelta(days=1), "certificate is not valid for 'localhost'"),
}


@pytest.mark.parametrize("case", WRONG)
@pytest.mark.parametrize("way", ["smtp", "smtps", "https"])
async def test_a_wrong_certificate_is_said_and_nothing_is_sent(
    case: str, way: str, authority: Authority, secret: Path, tmp_path: Path
) -> None:
    """Fault 44: a foreign authority, an expired certificate, another host: refused before login and text."""
    hosts, left, words = WRONG[case]
    signer = Authority(tmp_path / "stranger") if case == "foreign" else authority
    trust = signer.server(*hosts, left=left)
    server, hook = MailServer(users={"site": PASSWORD}, tls=trust if way == "smtp" else None), Hook()
    receiver = hook if way == "https" else server
    async with listening(receiver, None if way == "smtp" else trust):
        options = hook_output(hook, authority, secret) if way == "https" else mail(server, authority, secret, way)
        text = await said(options)
    assert text.startswith(f"localhost:{receiver.port}: ")
    assert words in text
    assert ("name its authority in ca_file" in text) is (case == "foreign")
    assert "T0KEN" not in text
    assert (server.mails, hook.posts) == ([], [])
    assert not any(line.startswith(("AUTH", "MAIL")) for line in server.clear)


async def test_a_server_that_offers_no_tls_gets_neither_password_nor_alarm(authority: Authority, secret: Path) -> None:
    """A stripped STARTTLS is no reason to go on without."""
    server = MailServer(users={"site": PASSWORD})
    async with listening(server):
        assert "it offers no TLS (STARTTLS); nothing was sent" in await said(mail(server, authority, secret))
        assert "it speaks no TLS there" in await said(mail(server, authority, secret, "smtps"))
    # The second one said its TLS hello to a server that reads lines.
    assert {line.split()[0].upper() for line in server.clear if line.isprintable()} <= {"EHLO", "QUIT"}
    assert server.mails == []


async def test_a_faulty_authority_file_is_named(authority: Authority, secret: Path, tmp_path: Path) -> None:
    """What to mend is in the sentence."""
    options = mail(MailServer(port=1), authority, secret)
    assert (
        await said(replace(options, ca_file=tmp_path / "none.pem")) == f"{tmp_path}/none.pem: No such file or directory"
    )
    assert await said(replace(options, ca_file=secret)) == f"{secret}: holds no certificate"


async def test_the_computer_s_authorities_count_where_none_is_named(
    authority: Authority, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS by default trusts what the system trusts, and not a stranger."""
    hook = Hook()
    async with listening(hook, authority.server("localhost")):
        options = replace(hook_output(hook, authority, secret), ca_file=None)
        assert "its certificate is refused" in await said(options)
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
        await deliver(options, STATION, (), 0, WALL, "m")
    assert len(hook.posts) == 1


async def test_a_server_that_sends_the_password_back_does_not_get_it_into_the_journal(
    authority: Authority, secret: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """S-85: neither the password nor the form in which it was sent, in journal or log."""
    plain = base64.b64encode(f"\0site\0{PASSWORD}".encode()).decode()
    server = MailServer(users={"site": "x"}, say={"AUTH": f"535 no {PASSWORD} {plain}"})
    server.tls = authority.server("localhost")
    caplog.set_level(logging.DEBUG)
    async with (
        running_core(tmp_path / "run") as core,
        listening(server),
        delivering(core, mail(server, authority, secret)),
    ):
        core.add_event(EventType.ALARM_RAISED, dict(LINE))
        await until(lambda: bool(notes(core)))
    assert notes(core)[0]["error"] == f"localhost:{server.port}: 535 no ••• •••"
    everything = "".join(core.texts) + caplog.text
    assert PASSWORD not in everything
    assert plain not in everything


async def test_a_password_beyond_ascii_is_said_as_such(authority: Authority, secret: Path) -> None:
    """SMTP's logins carry ASCII; the letter that is wrong is not told."""
    secret.write_text("pässword", encoding="utf-8")
    server = MailServer(users={"site": PASSWORD}, tls=authority.server("localhost"))
    async with listening(server):
        text = await said(mail(server, authority, secret))
    assert text.endswith("it takes ASCII only")


@pytest.mark.parametrize("way", ["smtp", "https"])
async def test_what_could_not_be_told_waits_until_the_certificate_is_right(
    way: str, authority: Authority, secret: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is lost and nothing told twice: it tries again by itself, core hears of it, all arrives at the end."""
    monkeypatch.setattr(box_module, "RETRY_FIRST_S", 0.05)
    stale, right = authority.server("localhost", left=timedelta(days=-1)), authority.server("localhost")
    server, hook = MailServer(users={"site": PASSWORD}, tls=stale), Hook()
    async with running_core(tmp_path / "run") as core, AsyncExitStack() as later:
        receiver: MailServer | Hook = server if way == "smtp" else hook
        async with listening(receiver, None if way == "smtp" else stale):
            options = mail(server, authority, secret) if way == "smtp" else hook_output(hook, authority, secret)
            await later.enter_async_context(delivering(core, options))
            core.add_event(EventType.ALARM_RAISED, dict(LINE))
            await until(lambda: (False, (options.id,)) in core.uplinks)
            core.add_event(EventType.ALARM_RAISED, dict(HOT))
            await asyncio.sleep(0.3)
            assert (server.mails, hook.posts) == ([], [])
        server.tls = right
        async with listening(receiver, None if way == "smtp" else right):
            await until(lambda: bool(server.mails or hook.posts))
            await until(lambda: core.uplinks[-1] == (False, ()))
            await asyncio.sleep(0.3)
    failed, good = notes(core)
    assert (failed["ok"], "certificate has expired" in str(failed["error"])) == (False, True)
    assert (good["ok"], good["notices"]) == (True, 2)
    if way == "smtp":
        (told,) = server.mails
        assert "No device on line rs485-1 answers." in told.get_content()
        assert "A03-1 is too hot." in told.get_content()
    else:
        ((_, body),) = hook.posts
        assert [notice["code"] for notice in json.loads(body)["notices"]] == ["LINE_LOST", "TEMPERATURE_HIGH"]


def test_old_tls_is_not_spoken(authority: Authority) -> None:
    """The default context: TLS 1.2 at least, host names checked."""
    context = ssl.create_default_context(cafile=authority.file)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.check_hostname
