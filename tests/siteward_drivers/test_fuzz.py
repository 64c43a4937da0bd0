"""A slice of the fuzz campaign in every run: no parser of the wires crashes, none believes bent bytes (goal 5)."""

import pytest

from siteward_drivers.answer import Answer
from tests.campaigns import fuzz, fuzz_frames


@pytest.mark.parametrize("name", list(fuzz.PARSERS))
def test_bent_frames_crash_nothing_and_prove_nothing(name: str) -> None:
    """Goal 5, fault 15: what is taken for an answer stands in the bytes, with a right checksum, as judged apart."""
    frames = 2000
    taken = fuzz.chunk(name, 7, 0, frames)
    assert taken > 0, "hardly a frame was whole: nothing was shown"


def test_a_parser_that_believes_too_much_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 5: the campaign itself can fail; it names seed and chunk, so that the frame is found again."""
    monkeypatch.setattr(fuzz_frames, "find", lambda request, buffer: Answer((1,) * request.count))
    with pytest.raises(fuzz.Crashed, match="seed 7, chunk 3 of 200 frames"):
        fuzz.chunk("rtu replies", 7, 3, 200)


def test_a_parser_that_throws_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goal 5: any exception is a crash."""

    def slip(*_: object) -> None:
        raise IndexError

    monkeypatch.setattr(fuzz_frames, "find_tcp", slip)
    with pytest.raises(fuzz.Crashed, match="IndexError"):
        fuzz.chunk("tcp replies", 7, 0, 10)


def test_every_parser_has_its_share_of_a_campaign() -> None:
    """The ten million are spread as told, and mixed: a campaign that is stopped has fed all of them."""
    chunks = fuzz.plan(1_000_000)
    fed = {name: sum(length for of, _, length in chunks if of == name) for name in fuzz.PARSERS}
    assert sum(fed.values()) == 1_000_000
    assert fed == {name: share * 10_000 for name, (share, _) in fuzz.PARSERS.items()}
    assert {name for name, _, _ in chunks[:60]} == set(fuzz.PARSERS)
