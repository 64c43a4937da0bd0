"""S-22: the site file is data; fault 66 and 67: whatever is wrong in it is refused with path, line and hint."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from siteward.model.access import DriveKind, OnEmergency
from siteward.model.alarms import Severity
from siteward.model.errors import ConfigError
from siteward.model.ids import MeterId
from siteward.model.rules import Contacts, DemandWindow, Derating, Schedule
from siteward.model.site import LinkKind, Parity, Priority
from siteward.settings.load import load_settings, load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

FILES = Path(__file__).parents[2] / "fixtures" / "site"
MESSAGES = FILES / "messages"


def refusal(path: Path) -> str:
    """The text with which a file is refused."""
    with pytest.raises(ConfigError) as caught:
        load_settings(path, FakeCatalogue())
    return str(caught.value)


@pytest.mark.parametrize("name", ["keys", "tree", "wiring", "currents", "later", "access", "limits", "alarms"])
def test_a_broken_file_is_refused_with_exactly_these_messages(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fault 66: each kind of mistake, all of a file at once, in the order of the file."""
    monkeypatch.chdir(FILES)
    text = refusal(Path(f"broken_{name}.toml"))
    assert text == (MESSAGES / f"{name}.txt").read_text(encoding="utf-8").rstrip("\n")
    lines = [int(row.split(":")[1]) for row in text.splitlines()]
    assert lines == sorted(lines)


def test_a_good_file_becomes_the_site() -> None:
    """Contract section 2: every key arrives, defaults come from the profile."""
    settings = load_settings(FILES / "good.toml", FakeCatalogue())
    site = settings.site
    assert (site.id, site.phase_voltage_v, site.timezone) == ("SZ-0001", 220, "Asia/Shanghai")
    assert [line.is_serial for line in site.lines] == [True, False]
    assert site.lines[0].parity is Parity.EVEN
    assert [c.id for c in site.connectors] == ["A01-1", "B01-1", "B01-2"]
    box, group = site.connectors[0], site.connectors[2]
    assert [str(p) for p in box.wiring] == ["L2", "L3", "L1"]
    assert (box.max_a, box.failsafe_a, box.priority, box.meter) == (16, 6, Priority.FLEET, "m-A01-1")
    assert (group.max_a, group.hardware_max_a, group.failsafe_a, group.channel) == (32, 32, 0, 2)
    assert site.limits[0].limit_a == (200, 200, 200)
    assert settings.cloud is not None
    assert (settings.cloud.host, settings.cloud.port, settings.cloud.tls) == ("broker.example", 8883, True)
    assert (settings.panel.host, settings.panel.port) == ("0.0.0.0", 8443)  # noqa: S104


def test_feeders_stand_parents_first_whatever_the_file_says() -> None:
    """Site promises parents first; the good file names the row before the grid."""
    site = load_site(FILES / "good.toml", FakeCatalogue())
    assert [f.id for f in site.feeders] == ["grid", "row-a"]
    assert site.feeders[0].worst_base_load_a == (80, 80, 80.5)
    assert site.feeders[0].name == "Grid connection"
    assert site.feeders[1].name == "row-a"
    assert site.feeders[1].chargers_only


def edited(tmp_path: Path, old: str, new: str, count: int = 1) -> Path:
    """The good file with one change."""
    text = (FILES / "good.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "site.toml"
    path.write_text(text.replace(old, new, count), encoding="utf-8")
    return path


def test_the_hash_ignores_form_and_follows_meaning(tmp_path: Path) -> None:
    """siteHash: comments, blanks and written-out defaults change nothing, a rating does."""
    plain = load_site(FILES / "good.toml", FakeCatalogue()).hash
    commented = load_site(edited(tmp_path, "schema = 1", "# hello\n\nschema   =   1"), FakeCatalogue()).hash
    written = load_site(edited(tmp_path, "unit = 11", "unit = 11\nfailsafe_a = 6.0"), FakeCatalogue()).hash
    changed = load_site(edited(tmp_path, "max_a = 16", "max_a = 15"), FakeCatalogue()).hash
    assert plain == commented == written
    assert plain != changed
    assert len(plain) == 64


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('timezone = "Asia/Shanghai"', 'timezone = "Asia/Shangai"', "6: site.timezone: there is no time zone"),
        ('timezone = "Asia/Shanghai"', 'timezone = "../../etc"', "6: site.timezone: there is no time zone"),
        ('id = "B01-1"', 'id = "grid-meter"', "68: charger[2].connector[1].id: 'grid-meter' is also a meter"),
        ('id = "A01-1"', 'id = "station"', "55: charger[1].connector[1].id: 'station' means the whole station"),
        ('meter = "m-A01-1"', 'meter = "grid-meter"\nchannel = 1.5', "58: charger[1].connector[1].channel: must be"),
        ('"mqtts://broker.example"', '"mqtt://127.0.0.1.example"', "82: cloud.url: plain MQTT may leave this machine"),
        ('ca_file = "/run', "insecure = false\n#", "81: cloud.ca_file: is missing; mqtts needs"),
        ('"0.0.0.0:8443"', '"0.0.0.0:8443"\nkey_file = "k"', "88: panel: certificate_file and key_file belong"),
        ('"0.0.0.0:8443"', '"8443"', "89: panel.listen: is '8443'; write address:port"),
        ('"0.0.0.0:8443"', '"h:99999"', "89: panel.listen: is 'h:99999'; write address:port"),
        (
            '  priority = "fleet"',
            "  phase_switching = true",
            "58: charger[1].connector[1].phase_switching: fake_box cannot be told to, or does not show",
        ),
        (
            "failsafe_a = 0\n",
            'failsafe_a = 0\nphases = ["L2"]\n[[charger.connector]]\nid = "B01-3"\ntype = "type2"\nchannel = 3\n'
            "phase_switching = true\n",
            "72: charger[2].connector[1].phase_switching: needs a charger on three phases, 'B01' has 1",
        ),
        ("schema = 1", "schema = true", "1: schema: is true; this version of siteward reads schema 1"),
        ("schema = 1\n", "", "1: schema: is missing; write schema = 1 as the first line"),
        ("unit = 255", "unit = 256", "63: charger[2].unit: is 256, must be at most 255"),
        ("generation = true", "generation = 1", "43: feeder[2].generation: must be true or false, not 1"),
        ("  channel = 2", "  channel = 1", "74: charger[2].connector[2].channel: 1 is already another connector"),
        ('priority = "fleet"', 'priority = "felet"', "58: charger[1].connector[1].priority: is 'felet', choose"),
        ('name = "Nanshan depot"', 'name = ""', "5: site.name: must not be empty"),
        ('parent = "grid"', 'parent = "row-a"', "33: feeder[1].parent: goes in a circle: row-a > row-a"),
        ("[cloud]", "[cloud.x]\ny = 1\n[cloud]", "81: cloud.x: unknown key; known keys here"),
        ("[cloud]", "[cloud]\nrequire_signed = true", "82: cloud.require_signed: no key is known"),
    ],
)
def test_one_mistake_gives_one_message_at_its_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Fault 66: one slip of the pen does not drown in its consequences."""
    text = refusal(edited(tmp_path, old, new))
    rows = text.splitlines()
    assert len(rows) == 1, text
    assert rows[0].removeprefix(f"{tmp_path / 'site.toml'}:").startswith(message), text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("chargers_only = true", "chargers_only = true\nneutral_base_a = 5", "neutral_base_a: says nothing without"),
        ("generation = true", "neutral_a = 60", "neutral_a: is 60 A, but other load may put 80.5 A on it; give"),
        ('meter = "grid-meter"\nworst', "imbalance_a = 20\nworst", "imbalance_a: needs the feeder's meter, or"),
        ("generation = true", "imbalance_a = 5", "imbalance_a: is 5, must be at least 6"),
    ],
)
def test_a_neutral_or_an_imbalance_that_nobody_could_hold_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """B13: what is known of the other load must be enough."""
    assert message in refusal(edited(tmp_path, old, new))


def test_neutral_and_imbalance_are_off_unless_said(tmp_path: Path) -> None:
    """B13: default off; the worst load of a neutral is the highest phase unless the file says less."""
    plain = load_site(FILES / "good.toml", FakeCatalogue()).feeders[0]
    assert (plain.neutral_a, plain.imbalance_a) == (None, None)
    told = edited(tmp_path, "generation = true", "neutral_a = 100\nimbalance_a = 20")
    grid = load_site(told, FakeCatalogue()).feeders[0]
    assert (grid.neutral_a, grid.neutral_base_a, grid.imbalance_a) == (100.0, 80.5, 20.0)
    less = edited(tmp_path, "generation = true", "neutral_a = 60\nneutral_base_a = 30")
    assert load_site(less, FakeCatalogue()).feeders[0].neutral_base_a == 30.0


def test_only_pseudo_terminals_escape_the_serial_settings_of_a_profile(tmp_path: Path) -> None:
    """Ruling 8: a pty has no parity; a real wire with the wrong parity is refused."""
    real = refusal(edited(tmp_path, 'parity = "even"', 'parity = "none"'))
    assert "line 'rs485-1' has parity none, but fake_box can only do even" in real
    played = edited(tmp_path, 'parity = "even"', 'parity = "none"\nsimulated = true')
    assert load_site(played, FakeCatalogue()).lines[0].parity is Parity.NONE


def test_what_moves_the_bytes_of_a_port_is_said_for_ports_only(tmp_path: Path) -> None:
    """Architecture section 2: the link of a line is a key of it, and no other line has one."""
    told = edited(tmp_path, 'parity = "even"', 'parity = "even"\nlink = "thread"\nreal_time = true')
    line = load_site(told, FakeCatalogue()).lines[0]
    assert (line.link, line.real_time) == (LinkKind.THREAD, True)
    assert load_site(FILES / "good.toml", FakeCatalogue()).lines[0].link is LinkKind.SERIAL
    other = refusal(edited(tmp_path, 'parity = "even"', 'parity = "even"\nlink = "serialx"\nreal_time = true'))
    assert 'line[1].real_time: is for link = "thread", not for "serialx"' in other
    socket = refusal(edited(tmp_path, 'port = "tcp://', 'link = "thread"\nport = "tcp://'))
    assert "line[2].link: is for serial ports, not for tcp://; leave it out" in socket


def test_switching_between_one_and_three_phases_is_off_unless_a_connector_says_so(tmp_path: Path) -> None:
    """B14: some cars may be harmed by it."""
    assert not any(c.phase_switching for c in load_site(FILES / "good.toml", FakeCatalogue()).connectors)
    told = load_site(edited(tmp_path, "  channel = 2", "  channel = 2\n  phase_switching = true"), FakeCatalogue())
    assert [c.id for c in told.connectors if c.phase_switching] == ["B01-2"]


def test_a_missing_or_unreadable_file_is_said(tmp_path: Path) -> None:
    """Fault 67: a file that is not there, a folder, and a file of the wrong kind."""
    assert "cannot be read (No such file or directory)" in refusal(tmp_path / "none.toml")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)
    big = tmp_path / "big.toml"
    big.write_bytes(b"#" * 1_000_001)
    assert "this is no site file" in refusal(big)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"schema = 1\n[site\n", "2: file: is no valid TOML"),
        (b"schema = 1\nid = 'a", "2: file: is no valid TOML"),
        (b"schema = 1\nname = '\xff'\n", "2: file: is not UTF-8 text"),
        (b"schema = " + b"9" * 5000, "1: file: holds a number too long"),
        (b"schema = " + b"[" * 100_000, "1: file: holds a number too long or tables too deep"),
        (b"", "1: feeder: this file has no [[feeder]] table; add one"),
    ],
)
def test_what_is_no_toml_is_said_with_its_line(tmp_path: Path, data: bytes, message: str) -> None:
    """Fault 67: half written and damaged files."""
    path = tmp_path / "site.toml"
    path.write_bytes(data)
    assert refusal(path).removeprefix(f"{path}:").startswith(message)


def test_the_demo_site_stands_and_is_twelve_connectors_on_four_wires() -> None:
    """Issues 2 and 3: two RS485 lines, one Modbus TCP line, three levels of fuses; the arms on a wire of their own."""
    from siteward_drivers.registry import load_profiles

    root = Path(__file__).parents[3]
    site = load_site(root / "config" / "demo" / "site.toml", load_profiles())
    assert len(site.connectors) == 12
    assert [line.is_serial for line in site.lines] == [True, True, True, False]
    assert {c.line for c in (*site.chargers, *site.meters)} == {"rs485-1", "rs485-2", "tcp-1"}
    assert [(board.id, board.line) for board in site.relays] == [("ways", "rs485-3")]
    assert [b.id for b in site.barriers] + [(k.id, k.connector) for k in site.locks] == ["gate", ("bay-C01-4", "C01-4")]
    assert max(len(site.path(f.id)) for f in site.feeders) == 3
    assert not os.path.isabs(site.lines[0].port)  # noqa: PTH117


def test_boards_barriers_and_locks_become_roles_over_points() -> None:
    """Contract section 2: points by name, contacts the safe way round, outputs with their way (I11, I12)."""
    site = load_site(FILES / "access.toml", FakeCatalogue())
    assert [(b.id, b.unit, b.pairs, b.watchdog_s) for b in site.relays] == [("ways", 1, (), 10), ("guard", 2, (1,), 5)]
    (gate,), (bay,) = site.barriers, site.locks
    assert (gate.motion.free, gate.motion.block, gate.motion.stop) == ("ways.relay_1", "ways.relay_2", "ways.relay_3")
    assert (gate.loop.closed_is_yes, gate.arm_closed.closed_is_yes) == (False, True)
    assert gate.fire is not None
    assert (gate.fire.point, gate.fire.closed_is_yes) == ("gpio:pi/17", False)
    assert (gate.on_fire, gate.on_power_loss, gate.arm_open) == (OnEmergency.FREE, OnEmergency.STAY, None)
    assert (bay.motion.free, bay.motion.block, bay.motion.kind) == ("guard.open_1", "guard.close_1", DriveKind.LEVEL)
    assert (bay.connector, bay.bay.closed_is_yes, bay.name) == ("B01-1", True, "Bay 1")
    assert site.trips == {"grid": "ways.relay_4"}


def test_limits_of_every_kind_become_rules() -> None:
    """S-22, B15: strategies are configuration; what is not said has its safe default."""
    site = load_site(FILES / "limits.toml", FakeCatalogue())
    assert [limit.id for limit in site.limits] == ["contract"]
    week, dso, hot, quarter = (rule.by for rule in site.rules)
    assert isinstance(week, Schedule)
    assert [(p.begin_min, p.end_min, len(p.days)) for p in week.periods] == [(390, 1320, 2), (1320, 360, 7)]
    assert week.otherwise_a == (80.0, 80.0, 80.0)
    assert isinstance(dso, Contacts)
    assert dso.failsafe_a == (20.0, 30.0, 40.0)
    assert [step.contact.closed_is_yes for step in dso.steps] == [True, False]
    assert isinstance(hot, Derating)
    assert (hot.sensor, hot.failsafe_a) == ("C-1", 0.0)
    assert quarter == DemandWindow(MeterId("m"), 50_000.0, 900.0, aligned=True, margin=0.02)
    assert [rule.connector or rule.feeder for rule in site.rules] == ["grid", "grid", "C-1", "grid"]
    assert str(site.zone) == "Europe/Berlin"


def test_the_rules_of_alarms_are_the_shipped_ones_changed_by_the_installer(tmp_path: Path) -> None:
    """S-97, S-98, S-27: each shipped rule is there; one of the same id changes only what it names, `off` ends it."""
    text = (FILES / "good.toml").read_text("utf-8")
    own = """
[[alarm]]
id = "charger-hot"
above = 70
[[alarm]]
id = "controller-busy"
off = true
[[alarm]]
id = "box-warm"
on = "charger"
what = "temperature_c"
profile = "fake_box"
above = 60
severity = "low"
"""
    file = tmp_path / "site.toml"
    file.write_text(text + own, "utf-8")
    before = {rule.id: rule for rule in load_site(FILES / "good.toml", FakeCatalogue()).alarms}
    after = {rule.id: rule for rule in load_site(file, FakeCatalogue()).alarms}
    hot = before["charger-hot"]
    assert (hot.above, hot.hysteresis, hot.severity) == (80, 5, Severity.HIGH)
    assert (before["charger-voltage"].below, before["charger-voltage"].above) == (200, 250)
    assert before["charger-offline"].above == 300
    assert after["charger-hot"] == replace(hot, above=70, own=True)
    assert after.keys() - before.keys() == {"box-warm"}
    assert before.keys() - after.keys() == {"controller-busy"}


def test_a_band_of_another_supply_does_not_count(tmp_path: Path) -> None:
    """S-97: 200 to 250 V fits 230 V supplies only; a site at 120 V has no such rule."""
    text = (FILES / "good.toml").read_text("utf-8").replace("phase_voltage_v = 220", "phase_voltage_v = 120")
    file = tmp_path / "site.toml"
    file.write_text(text, "utf-8")
    names = {rule.id for rule in load_site(file, FakeCatalogue()).alarms}
    assert "charger-hot" in names
    assert not {"charger-voltage", "meter-voltage"} & names


@pytest.mark.parametrize(
    ("lines", "required"),
    [
        ("", False),
        ('command_keys = "command-keys.json"', True),
        ('command_keys = "command-keys.json"\nrequire_signed = true', True),
        ('command_keys = "command-keys.json"\nrequire_signed = false', False),
    ],
)
def test_signatures_are_required_once_keys_are_named(tmp_path: Path, lines: str, required: bool) -> None:
    """Contract: cloud.require_signed is the default once a key is enrolled."""
    cloud = load_settings(edited(tmp_path, "[cloud]", f"[cloud]\n{lines}"), FakeCatalogue()).cloud
    assert cloud is not None
    assert cloud.require_signed is required
    assert cloud.command_keys == (Path("command-keys.json") if lines else None)
