"""S-22: who comes in is data: [auth], [[access]], [[reader]], [[emergency]], [[bay]], and what is wrong in them."""

from pathlib import Path

import pytest

from siteward.model.access import LockKeeps, ReaderKind
from siteward.model.auth import AuthRules, OfflinePolicy
from siteward.model.errors import ConfigError
from siteward.settings.load import load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

BASE = (Path(__file__).parents[2] / "fixtures" / "site" / "access.toml").read_text(encoding="utf-8")
GOOD = """
keeps = "reserved"
[auth]
offline = "known"
offline_energy_kwh = 20
[[access]]
id = "nights"
opens = ["gate", "B01-1"]
groups = ["fleet"]
days = ["sat", "sun"]
begin = "22:00"
end = "06:00"
[[reader]]
id = "row"
port = "/dev/serial/by-path/r"
baud = 19200
connectors = ["B01-1"]
[[reader]]
id = "entrance"
port = "/dev/input/by-path/k"
kind = "keys"
barrier = "gate"
[[emergency]]
id = "hall"
input = "ways.input_1"
[[emergency]]
id = "door"
name = "Door of B01"
input = "gpio:pi/22"
normally_closed = false
connectors = ["B01-1"]
[[bay]]
id = "place-1"
connector = "B01-1"
blocked_after_min = 5
fee_rule = "idle"
"""


def load(folder: Path, text: str) -> object:
    """The site of the base file with these tables behind it."""
    file = folder / "site.toml"
    file.write_text(BASE + text, encoding="utf-8")
    return load_site(file, FakeCatalogue())


def test_every_key_arrives(tmp_path: Path) -> None:
    """Contract section 2: [auth]; the rest beside it."""
    file = tmp_path / "site.toml"
    file.write_text(BASE + GOOD, encoding="utf-8")
    site = load_site(file, FakeCatalogue())
    assert (site.auth.offline, site.auth.offline_energy_wh, site.auth.offline_sessions) == (
        OfflinePolicy.KNOWN,
        20_000,
        3,
    )
    assert not site.auth.platform
    (rule,) = site.auth.rules
    assert (rule.opens, rule.groups, rule.days) == (
        frozenset({"gate", "B01-1"}),
        frozenset({"fleet"}),
        frozenset({5, 6}),
    )
    assert (rule.begin_min, rule.end_min) == (1320, 360)
    row, entrance = site.readers
    assert (row.kind, row.baud, row.connectors, row.barrier) == (ReaderKind.SERIAL, 19200, ("B01-1",), None)
    assert (entrance.kind, entrance.barrier) == (ReaderKind.KEYS, "gate")
    hall, door = site.emergencies
    assert (hall.name, hall.contact.closed_is_yes, hall.connectors) == ("hall", False, frozenset({"B01-1"}))
    assert (door.name, door.contact.closed_is_yes) == ("Door of B01", True)
    (bay,) = site.bays
    assert (bay.blocked_after_s, bay.fee_rule, bay.sensor) == (300.0, "idle", site.locks[0].bay)
    assert site.locks[0].keeps is LockKeeps.RESERVED
    assert site.watched_points == {"ways.input_1", "gpio:pi/22", site.locks[0].bay.point}


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    """B17: known and seen within 14 days, 3 sessions or 100 kWh; a platform is there when [cloud] is."""
    file = tmp_path / "site.toml"
    cloud = '[cloud]\nurl = "mqtt://127.0.0.1:1883"\n'
    file.write_text(BASE + cloud, encoding="utf-8")
    site = load_site(file, FakeCatalogue())
    assert site.auth == AuthRules(OfflinePolicy.SEEN, 14.0, 3, 100_000, platform=True)
    assert site.locks[0].keeps is LockKeeps.COMMAND


def test_fire_may_free_the_ways_and_stop_charging_and_a_lock_s_sensor_is_its_bay_s(tmp_path: Path) -> None:
    """I13: one fire contact for barrier and chargers is good practice; a bay may name the sensor that its lock has."""
    text = """
[[emergency]]
id = "fire"
input = "gpio:pi/17"
[[bay]]
id = "b"
connector = "B01-1"
sensor = "guard.input_3"
"""
    assert load(tmp_path, text)


@pytest.mark.parametrize(
    ("tables", "fault"),
    [
        ('[auth]\noffline = "maybe"', "auth.offline: is 'maybe', choose one of deny, known, seen, all"),
        ("[auth]\noffline_sessions = 0", "auth.offline_sessions: is 0, must be at least 1"),
        ('[[access]]\nid = "x"\nopens = ["gat"]', "there is no connector, barrier or lock 'gat'; nearest is 'gate'"),
        ('[[access]]\nid = "x"\nopens = []', "access[1].opens: has 0 entries, needs at least 1"),
        ('[[access]]\nid = "x"\nopens = ["gate"]\nbegin = "24:00"', "is the end of a day; write 00:00 of the next one"),
        ('[[reader]]\nid = "r"\nport = "/dev/ttyUSB0"\nbarrier = "gate"', "line 'io-1' already owns this port"),
        ('[[reader]]\nid = "r"\nport = "/dev/r"', "name the connectors that it serves, or the barrier: one of both"),
        ('[[reader]]\nid = "r"\nport = "/dev/r"\nbarrier = "gte"', "there is no barrier 'gte'; nearest is 'gate'"),
        (
            '[[reader]]\nid = "r"\nport = "/dev/r"\nkind = "keys"\nbaud = 9600\nbarrier = "gate"',
            "reader[1].baud: means nothing for a reader that types; take it out",
        ),
        ('[[emergency]]\nid = "e"\ninput = "ways.input_99"', "there is no input 'input_99'"),
        ('[[emergency]]\nid = "e"\ninput = "ways.input_1"\nconnectors = ["B1"]', "there is no connector 'B1'"),
        ('[[emergency]]\nid = "gate"\ninput = "ways.input_1"', "'gate' is also a barrier"),
        ('[[bay]]\nid = "b"\nconnector = "B9"', "there is no connector 'B9'"),
        ('[[bay]]\nid = "b"\nconnector = "B01-1"\nsensor = "nix.input_1"', "there is no relay board 'nix'"),
        ('[[bay]]\nid = "b"\nconnector = "B01-1"\n[[bay]]\nid = "b"\nconnector = "B01-1"', "'b' is used twice"),
        (
            '[[bay]]\nid = "b"\nconnector = "B01-1"\n[[bay]]\nid = "c"\nconnector = "B01-1"',
            "bay[2].connector: 'B01-1' has bay 'b' already; one car stands there",
        ),
        (
            '[[emergency]]\nid = "e"\ninput = "guard.input_1"',
            "emergency[1].input: 'guard.input_1' is read as gate.loop already; an input says one thing",
        ),
        (
            '[[emergency]]\nid = "e"\ninput = "ways.input_1"\n[[emergency]]\nid = "f"\ninput = "ways.input_1"',
            "emergency[2].input: 'ways.input_1' is read as emergency stop 'e' already",
        ),
        (
            '[[emergency]]\nid = "e"\ninput = "gpio:pi/17"\n[[emergency]]\nid = "f"\ninput = "gpio:pi/17"',
            "emergency[2].input: 'gpio:pi/17' is read as emergency stop 'e' already",
        ),
        (
            '[[emergency]]\nid = "e"\ninput = "ways.input_1"\n'
            '[[bay]]\nid = "b"\nconnector = "B01-1"\nsensor = "ways.input_1"',
            "bay[1].sensor: 'ways.input_1' is read as emergency stop 'e' already",
        ),
        (
            '[[bay]]\nid = "b"\nconnector = "B01-1"\nsensor = "gpio:pi/17"',
            "bay[1].sensor: 'gpio:pi/17' is read as gate.fire already",
        ),
        (
            '[[limit]]\nid = "dno"\nfeeder = "grid"\nfailsafe_a = [10, 10, 10]\n'
            '[[limit.input]]\npoint = "ways.input_1"\nlimit_a = [10, 10, 10]\n'
            '[[emergency]]\nid = "e"\ninput = "ways.input_1"',
            "emergency[1].input: 'ways.input_1' is read as limit 'dno' already",
        ),
        (
            '[[reader]]\nid = "r"\nport = "/dev/r"\nconnectors = ["B01-1", "B01-1"]',
            "reader[1].connectors[2]: 'B01-1' stands here twice; take one out",
        ),
    ],
)
def test_each_fault_is_said_with_its_line(tables: str, fault: str, tmp_path: Path) -> None:
    """Fault 66: file, line, key, what is wrong and what to do."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, "\n" + tables + "\n")
    assert fault in str(caught.value)
    assert "site.toml:" in str(caught.value)
