"""S-89, S-22: outputs of alarms are data: what arrives of [[output]], and what is wrong in it."""

from pathlib import Path

import pytest

from siteward.model.alarms import Severity
from siteward.model.errors import ConfigError
from siteward.settings.load import load_settings
from siteward.settings.result import Settings
from tests.siteward.settings.fake_catalogue import FakeCatalogue

BASE = (Path(__file__).parents[2] / "fixtures" / "site" / "access.toml").read_text(encoding="utf-8")
MAIL = (
    '[[output]]\nid = "mail"\nkind = "email"\nurl = "smtp://mail.example.org"\nsender = "a@b.org"\nto = ["c@d.org"]\n'
)
HOOK = '[[output]]\nid = "hook"\nkind = "webhook"\nurl = "https://chat.example.org/x"\n'


def load(folder: Path, text: str) -> Settings:
    """The settings of the base file with these tables behind it."""
    file = folder / "site.toml"
    file.write_text(f"{BASE}\n{text}", encoding="utf-8")
    return load_settings(file, FakeCatalogue())


def test_every_key_arrives(tmp_path: Path) -> None:
    """The authority of a company's own servers, and the file of the password, beside the rest."""
    more = 'user = "site"\nsecret_file = "/run/mail"\nca_file = "/etc/company.pem"\nseverity = "high"\nends = false\n'
    mail, hook = load(tmp_path, MAIL + more + HOOK + 'group_s = 0\nlanguage = "zh"\n').outputs
    assert (mail.sender, mail.recipients, mail.user) == ("a@b.org", ("c@d.org",), "site")
    assert (mail.secret_file, mail.ca_file) == (Path("/run/mail"), Path("/etc/company.pem"))
    assert (mail.severity, mail.ends, mail.group_s, mail.language) == (Severity.HIGH, False, 30.0, "both")
    assert (hook.kind, hook.url, hook.group_s, hook.language) == ("webhook", "https://chat.example.org/x", 0.0, "zh")
    assert (hook.ca_file, hook.secret_file, hook.insecure) == (None, None, False)


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        (MAIL + MAIL, "output[2].id: 'mail' is used twice"),
        (MAIL.replace("smtp://", "https://"), "'https://' is no address of an e-mail; write smtp://"),
        (HOOK.replace("https://", "smtp://"), "'smtp://' is no address of a webhook; write https://"),
        (HOOK.replace("https://", "http://"), "plain HTTP may leave this machine only with insecure = true"),
        (MAIL.replace('sender = "a@b.org"', ""), "output[1].sender: is missing; an e-mail needs sender and to"),
        (MAIL + 'user = "site"\n', "output[1].secret_file: is missing"),
        (HOOK + 'user = "site"\n', "output[1].user: says nothing on a webhook; take it out"),
        (MAIL.replace("a@b.org", "a@b.org, x@y"), "write one address, such as ops@example.org"),
        (MAIL + 'insecure = true\nca_file = "/etc/c.pem"\n', "output[1].ca_file: asks for TLS; take out insecure"),
        (HOOK.replace("https", "http") + 'ca_file = "/etc/c.pem"\n', "output[1].ca_file: asks for TLS"),
    ],
)
def test_each_fault_is_said_with_its_line(tables: str, fault: str, tmp_path: Path) -> None:
    """Fault 66: file, line, key, what is wrong and what to do."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, tables)
    assert fault in str(caught.value)
    assert "site.toml:" in str(caught.value)
