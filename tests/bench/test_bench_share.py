"""Goals 9 and 10: the benches of sharing run on small scenes; the figures are judged by make bench."""

from pathlib import Path

import pytest

from tests.bench import bench_share
from tests.fixtures.share_scenes import scene


def test_our_allocation_is_judged_by_the_exact_one() -> None:
    """Ten connectors: time, distance, admission, limits."""
    cases = [scene(10, seed) for seed in range(3)]
    found = bench_share.judge(cases)
    assert found.furthest_steps <= 1.001
    assert (found.broken, found.below) == (0, 0)
    assert len(found.admitted) == len(found.lp_ms) == 3
    assert bench_share.time_ours(cases, 2) > 0.0
    assert bench_share.never_raises(20) == (0, 20)
    assert all(row.ok for row in bench_share._quality(10, found))


def test_without_the_peer_the_bench_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never left out of the table."""
    monkeypatch.setattr(bench_share, "PEER", tmp_path / "python")
    with pytest.raises(FileNotFoundError, match="make bench"):
        bench_share.ask_peer([scene(3, 1)])


def test_what_the_peer_is_told_and_how_its_answer_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 10: only those that we admitted, with the cells they load; a peer that gives everybody its floor is fair."""
    seen = tmp_path / "seen.json"
    peer = tmp_path / "python"
    peer.write_text(
        f'#!/bin/sh\ncat > {seen}\necho \'{{"EDF": [{{"amps": [6.0, 6.0, 6.0], "ms": 3.0}}], "LLF": []}}\'\n'
    )
    peer.chmod(0o755)
    monkeypatch.setattr(bench_share, "PEER", peer)
    monkeypatch.setattr(bench_share, "PEER_SCENES", {3: 1})
    rows = bench_share._peers(3, 0.1, 1.0)
    assert [row.peer_name for row in rows] == ["acnportal EDF"] * 3
    assert rows[0].peer == 3.0
    told = bench_share._told(scene(3, 0))
    assert len(told["cells"]) == len(told["cap_a"]) == 3  # type: ignore[arg-type]
    assert '"finestUpTo"' in seen.read_text()
    assert bench_share.jain([6.0, 12.0], [1.0, 2.0]) == pytest.approx(1.0)
    assert bench_share.jain([6.0, 0.0], [1.0, 1.0]) == pytest.approx(0.5)
