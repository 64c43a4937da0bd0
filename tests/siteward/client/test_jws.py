"""S-55, S-83: the frame of a signed command, held against other implementations and against whoever bends it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.client.jws import BadToken, put_together, take_apart
from siteward.trust.crypto import SigningKey, private_key, public_key, verified
from tests.fixtures.jws import KEY, OTHER, token, url, with_header

PEERS = json.loads((Path(__file__).parents[2] / "fixtures" / "jws" / "peers.json").read_text(encoding="utf-8"))
GOOD = b'{"alg":"EdDSA","kid":"peer"}'


def proven(text: str, key: SigningKey = KEY) -> bytes:
    """The payload of a token that the key signed. Raises BadToken."""
    found = take_apart(text)
    if not verified(key.public, found.signed, found.signature):
        raise BadToken("signature")
    return found.payload


@pytest.mark.parametrize("peer", PEERS["tokens"])
def test_tokens_of_other_implementations_are_read(peer: str) -> None:
    """Contract section 4: any JOSE library can command a station; openssl is enough."""
    text = PEERS["tokens"][peer]
    assert take_apart(text).kid == "peer"
    assert proven(text) == PEERS["payload"].encode()
    assert public_key(PEERS["public"].encode()) == KEY.public


def test_ours_is_that_of_openssl_to_the_byte() -> None:
    """RFC 8032: Ed25519 has one signature for a text, so that two makers of the same token agree."""
    assert token(PEERS["payload"].encode()) == next(t for n, t in PEERS["tokens"].items() if n.startswith("openssl"))


def test_a_key_of_a_file_signs_and_a_wrong_one_does_not() -> None:
    """Flows: the private key stays with the platform, in a PEM file."""
    key = private_key(KEY.pem())
    assert key == KEY
    assert proven(put_together(b"{}", "peer", key.sign)) == b"{}"
    with pytest.raises(BadToken):
        proven(token(b"{}", key=OTHER))


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b'{"alg":"none","kid":"peer"}', "alg must be"),
        (b'{"alg":"None","kid":"peer"}', "alg must be"),
        (b'{"alg":"eddsa","kid":"peer"}', "alg must be"),
        (b'{"alg":"HS256","kid":"peer"}', "alg must be"),
        (b'{"alg":"Ed448","kid":"peer"}', "alg must be"),
        (b'{"alg":["EdDSA"],"kid":"peer"}', "alg must be"),
        (b'{"kid":"peer"}', "alg must be"),
        (b'{"alg":"none","alg":"EdDSA","kid":"peer"}', "a key occurs twice"),
        (b'{"alg":"EdDSA","kid":"a","kid":"peer"}', "a key occurs twice"),
        (b'{"alg":"EdDSA","kid":"peer","crit":[]}', "crit is not taken"),
        (b'{"alg":"EdDSA","kid":"peer","crit":["b64"],"b64":false}', "b64 is not taken"),
        (b'{"alg":"EdDSA","kid":"peer","jwk":{"kty":"OKP","crv":"Ed25519","x":"AA"}}', "jwk is not taken"),
        (b'{"alg":"EdDSA","kid":"peer","jku":"https://example.org"}', "jku is not taken"),
        (b'{"alg":"EdDSA","kid":"peer","x5c":[]}', "x5c is not taken"),
        (b'{"alg":"EdDSA","kid":"peer","zip":"DEF"}', "zip is not taken"),
        (b'{"alg":"EdDSA"}', "kid is missing"),
        (b'{"alg":"EdDSA","kid":7}', "kid is missing"),
        (b'{"alg":"EdDSA","kid":"../../etc/passwd"}', "kid is missing"),
        (b'{"alg":"EdDSA","kid":""}', "kid is missing"),
        (b"[]", "not a JSON object"),
        (b'"EdDSA"', "not a JSON object"),
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 300, "not JSON"),
        (b'{"alg":"EdDSA","kid":"peer"} x', "not JSON"),
        (b'{"alg":"EdDSA","kid":"peer","n":1e999}', "out of range"),
        (b'{"alg":"EdDSA","kid":"peer","n":NaN}', "no JSON"),
        (GOOD[:-1] + b',"x":"' + b"x" * 400 + b'"}', "more than 512"),
    ],
)
def test_a_signature_does_not_make_a_bad_header_good(header: bytes, told: str) -> None:
    """RFC 8725: the key says what it is for; whatever a header says otherwise is refused, signed or not."""
    with pytest.raises(BadToken, match=told):
        take_apart(with_header(header))


@pytest.mark.parametrize("extra", [b'"typ":"JWT"', b'"cty":"json"', b'"iat":1', b'"x5t":"a"'])
def test_what_changes_nothing_is_passed_over(extra: bytes) -> None:
    """RFC 7515 section 4: parts of a header that nobody needs to know."""
    assert proven(with_header(b'{"alg":"EdDSA","kid":"peer",' + extra + b"}")) == b"{}"


@pytest.mark.parametrize(
    "bent",
    [
        lambda h, p, s: f"{h}.{p}",
        lambda h, p, s: f"{h}.{p}.",
        lambda h, p, s: f"{h}.{p}.{s}.{s}",
        lambda h, p, s: f".{p}.{s}",
        lambda h, p, s: f"{h}..{s}",
        lambda h, p, s: f"{h}.{p}.{s}=",
        lambda h, p, s: f"{h}.{p}.{s[:-4]}",
        lambda h, p, s: f"{h}.{p}.{s}AAAA",
        lambda h, p, s: f" {h}.{p}.{s}",
        lambda h, p, s: f"{h}.{p}.{s}\n",
        lambda h, p, s: f"{h}.{p[:-1]}+.{s}",
        lambda h, p, s: f"{h}.{p}.{s[:40]}!{s[40:]}",
        lambda h, p, s: f"{h}.{p}.{s[:-1]}{chr(ord(s[-1]) + 1)}",
    ],
)
def test_a_token_has_one_spelling(bent: object) -> None:
    """Two spellings of one token would be two texts with one signature."""
    with pytest.raises(BadToken):
        take_apart(bent(*token(b'{"a":1}').split(".")))  # type: ignore[operator]


@given(text=st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,90}")))
def test_any_text_is_refused_in_words(text: str) -> None:
    """Faults 46 to 48: nothing that comes over the wire is a crash."""
    with pytest.raises(BadToken):
        proven(text)


@given(payload=st.binary(min_size=1, max_size=200), place=st.integers(0, 10_000), change=st.integers(1, 63))
def test_one_changed_character_anywhere_is_enough(payload: bytes, place: int, change: int) -> None:
    """S-55: header, payload and signature are all part of the proof."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    text = token(payload)
    at = place % len(text)
    new = alphabet[(alphabet.index(text[at]) + change) % 64] if text[at] != "." else "A"
    with pytest.raises(BadToken):
        proven(text[:at] + new + text[at + 1 :])


@given(payload=st.binary(min_size=1, max_size=300))
def test_what_is_put_together_comes_apart(payload: bytes) -> None:
    """The bytes that were signed are the bytes that are read."""
    assert proven(token(payload)) == payload


def test_base64_of_nothing_is_no_part() -> None:
    """A payload of no bytes says nothing."""
    with pytest.raises(BadToken):
        take_apart(f"{url(GOOD)}..{url(bytes(64))}")
