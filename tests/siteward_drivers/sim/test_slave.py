"""Frames of the simulated devices byte by byte, against published traces; bad requests refused (fault 14)."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from siteward.model.ids import ChargerId, MeterId
from siteward_drivers.quantities import Quantity
from siteward_drivers.registry import load_profiles
from siteward_drivers.sim.site import SimSite
from siteward_drivers.sim.slave import RtuFramer, TcpFramer, crc16, execute, rtu_frame, tcp_frame

from .sites import demo_site, one_row

GOLDEN = json.loads((Path(__file__).parents[2] / "fixtures" / "golden_frames.json").read_text(encoding="utf-8"))
PROFILES = load_profiles()


class FixedRipple:
    """Voltages of a trace."""

    volts = (237.0, 238.0, 238.0)
    hertz = 50.0

    def sample(self, slot: int) -> None:
        """Nothing moves."""


def ask(sim: SimSite, line: str, request: bytes) -> bytes | None:
    requests, broken = RtuFramer().feed(request)
    assert (len(requests), broken) == (1, 0)
    pdu, _ = sim.bank(line).answer(requests[0].unit, requests[0].pdu)
    return None if pdu is None else rtu_frame(requests[0].unit, pdu)


@pytest.fixture
def sim() -> SimSite:
    sim = SimSite.from_site(one_row(), PROFILES)
    box = sim.chargers[ChargerId("ch2")]
    box._ripple = FixedRipple()  # type: ignore[assignment]
    box._register_offset_wh[1] = 3_268_073
    box.points[1].do(box.profile.charger.verbs.pause.steps, 0.0)
    sim.world.advance(30)
    return sim


@pytest.mark.parametrize("vector", GOLDEN["heidelberg_energy_control"], ids=lambda v: v["what"])
def test_heidelberg_answers_as_recorded(sim: SimSite, vector: dict[str, str]) -> None:
    assert ask(sim, "rs485-1", bytes.fromhex(vector["request"])) == bytes.fromhex(vector["response"])


def test_sdm630_answers_floats_as_published() -> None:
    sim = SimSite.from_site(one_row(), PROFILES)
    meter = sim.meters[MeterId("grid-meter")]
    volts = dict.fromkeys((Quantity.VOLTAGE_L1, Quantity.VOLTAGE_L2, Quantity.VOLTAGE_L3), 230.0)
    meter.values = lambda: {**volts, Quantity.ACTIVE_POWER_TOTAL: -1500.0}  # type: ignore[method-assign]
    sim.bank("rs485-1").devices[1] = meter
    for vector in GOLDEN["eastron_sdm630"]:
        answer = ask(sim, "rs485-1", bytes.fromhex(vector["request"]))
        assert answer is not None
        if "words" in vector:
            assert answer[3:-2] == bytes.fromhex(vector["words"])
        else:
            assert answer == bytes.fromhex(vector["response"])


def _pdu(sim: SimSite, charger: str, pdu: str) -> str:
    return execute(sim.chargers[ChargerId(charger)], bytes.fromhex(pdu)).hex(" ")


def test_undocumented_registers_functions_counts_and_values_are_refused_and_change_nothing(sim: SimSite) -> None:
    held = dict(sim.chargers[ChargerId("ch1")].points[1].held)
    assert _pdu(sim, "ch1", "04 0000 0001") == "84 02"
    assert _pdu(sim, "ch1", "04 0010 0004") == "84 02"
    assert _pdu(sim, "ch1", "03 0005 0001") == "83 02"
    assert _pdu(sim, "ch1", "04 0004 000f") == "84 03"
    assert _pdu(sim, "ch1", "04 0004 0000") == "84 03"
    assert _pdu(sim, "ch1", "01 0004 0001") == "81 01"
    assert _pdu(sim, "ch1", "2b 0e01 00") == "ab 01"
    assert _pdu(sim, "ch1", "06 0005 0001") == "86 02"
    assert _pdu(sim, "ch1", "06 0105 00a1") == "86 03"
    assert _pdu(sim, "ch1", "10 0105 0002 04 003c 00ff") == "90 03"
    assert _pdu(sim, "ch1", "10 0105 0002 02 003c") == "90 03"
    assert sim.chargers[ChargerId("ch1")].points[1].held == held


def test_off_code_of_the_watchdog_is_a_value_that_the_box_takes(sim: SimSite) -> None:
    assert _pdu(sim, "ch1", "06 0101 0000") == "06 01 01 00 00"
    assert sim.chargers[ChargerId("ch1")].points[1].timeout_s is None


def test_channels_of_a_group_lie_a_stride_apart_and_missing_channels_are_refused() -> None:
    sim = SimSite.from_site(demo_site(), PROFILES)
    assert _pdu(sim, "charx", "06 0ce5 000a") == "06 0c e5 00 0a"
    set_points = [p.held[Quantity.CURRENT_LIMIT] for p in sim.chargers[ChargerId("charx")].points.values()]
    assert set_points == [32, 32, 10, 32]
    assert _pdu(sim, "charx", "03 14b5 0001") == "83 02"
    assert _pdu(sim, "charx", "03 0064 0005") == "03 0a " + b"CHARX\0\0\0\0\0".hex(" ")
    assert _pdu(sim, "charx", "03 0513 0001") == "03 02 " + b"A2".hex(" ")


def test_framer_finds_requests_however_they_are_cut_and_drops_noise() -> None:
    frame = rtu_frame(7, bytes.fromhex("04 0006 0003"))
    framer = RtuFramer()
    found: list[object] = []
    for byte in frame + frame:
        requests, broken = framer.feed(bytes((byte,)))
        assert broken == 0
        found += requests
    assert len(found) == 2
    bad = bytes((frame[0] ^ 4,)) + frame[1:]
    assert framer.feed(bad) == ([], 1)
    assert framer.feed(b"\x07\x99") == ([], 1)
    framer.feed(frame[:5])
    framer.silence()
    assert [r.unit for r in framer.feed(frame)[0]] == [7]


@pytest.mark.parametrize("cuts", [(3,), (7,), (8, 14), ()])
def test_tcp_frames_survive_any_segmentation(cuts: Sequence[int]) -> None:
    stream = tcp_frame(1, 1, bytes.fromhex("03 0064 0005")) + tcp_frame(2, 1, bytes.fromhex("06 0515 0010"))
    framer, found, start = TcpFramer(), [], 0
    for end in (*cuts, len(stream)):
        found += framer.feed(stream[start:end])
        start = end
    assert [(r.transaction, r.unit, r.pdu[0]) for r in found] == [(1, 1, 3), (2, 1, 6)]


def test_a_stream_that_is_no_modbus_tcp_ends_the_connection() -> None:
    with pytest.raises(ValueError, match="not a Modbus TCP header"):
        TcpFramer().feed(b"GET / HTTP/1.1\r\n")


def test_crc_of_the_specification_example() -> None:
    assert crc16(bytes.fromhex("02 07")) == bytes.fromhex("41 12")
