"""Fault 66, 67, S-99: whatever bytes a site file holds, the answer is a Site or a ConfigError, never a crash."""

import random
from pathlib import Path

import pytest

from siteward.model.errors import ConfigError
from siteward.model.site import Site
from siteward.settings.load import load_site
from tests.siteward.settings.fake_catalogue import FakeCatalogue

FILES = Path(__file__).parents[2] / "fixtures" / "site"
WORDS = [
    b"[",
    b"[[",
    b"]",
    b"=",
    b'"',
    b"'''",
    b'"""',
    b"\n",
    b"#",
    b"{",
    b"}",
    b",",
    b".",
    b"inf",
    b"nan",
    b"-1",
    b"1e999",
]
WORDS += [
    b"true",
    b"1979-05-27",
    b"[1,[2,[3]]]",
    b"\x00",
    b"\xff\xfe",
    "水".encode(),
    b"9" * 30,
    b"[[charger]]",
    b"[site]",
]


def mutate_bytes(data: bytes, dice: random.Random) -> bytes:
    """Cut, double, overwrite or insert at random places."""
    for _ in range(dice.randint(1, 6)):
        at, end = sorted((dice.randint(0, len(data)), dice.randint(0, len(data))))
        end = min(end, at + 40)
        new = dice.choice([b"", data[at:end] * 2, dice.choice(WORDS), bytes([dice.randrange(256)])])
        data = data[:at] + new + data[end:]
    return data


def mutate_lines(data: bytes, dice: random.Random) -> bytes:
    """Swap, drop and double whole lines, or exchange a value: mostly still TOML, but another site."""
    lines = data.split(b"\n")
    for _ in range(dice.randint(1, 5)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        act = dice.randrange(4)
        if act == 0:
            lines[at], lines[other] = lines[other], lines[at]
        elif act == 1:
            lines[at] = b""
        elif act == 2:
            lines.insert(at, lines[other])
        else:
            lines[at] = lines[at].split(b"=")[0] + b"=" + lines[other].split(b"=")[-1]
    return b"\n".join(lines)


def outcome(path: Path) -> str:
    """The text of the refusal, empty for a file that became a Site."""
    try:
        assert isinstance(load_site(path, FakeCatalogue()), Site)
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_lines])
def test_no_file_crashes_the_loader(seed: int, mutate: object, tmp_path: Path) -> None:
    """2,000 damaged files in each run; a failing seed is printed by its name and comes back the same."""
    assert callable(mutate)
    dice = random.Random(seed)
    path = tmp_path / "site.toml"
    good = (FILES / "good.toml").read_bytes()
    refused = 0
    for _ in range(250):
        path.write_bytes(mutate(good, dice))
        text = outcome(path)
        refused += bool(text)
        assert all(row.startswith(f"{path}:") for row in text.splitlines())
    assert refused > 100
