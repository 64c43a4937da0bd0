"""S-83: the file of keys whose commands are taken; one wrong entry is a wrong file."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siteward.client.command_keys import MOST, BadKeys, read_bytes, read_key, read_keys, thumbprint, write_keys
from tests.fixtures.jws import KEY, OTHER, SEED, url

JWK = {"kty": "OKP", "crv": "Ed25519", "x": url(KEY.public), "kid": "a"}


def test_what_is_written_is_read() -> None:
    """RFC 7517: a set of public keys, by name, several for a change of keys."""
    keys = {"old": KEY.public, "new": OTHER.public}
    assert read_keys(write_keys(keys)) == keys
    assert read_keys(write_keys({})) == {}


def test_the_thumbprint_is_that_of_the_standard() -> None:
    """RFC 8037 appendix A.3: what two people compare over the telephone."""
    key = read_bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"d": url(SEED)}, "PRIVATE key"),
        ({"kty": "RSA"}, "only Ed25519"),
        ({"crv": "X25519"}, "only Ed25519"),
        ({"crv": "Ed448"}, "only Ed25519"),
        ({"use": "enc"}, "something else"),
        ({"alg": "HS256"}, "something else"),
        ({"x": url(KEY.public[:-1])}, "32 bytes"),
        ({"x": "!" * 43}, "32 bytes"),
        ({"x": 7}, "32 bytes"),
        ({"kid": "a b"}, "kid"),
        ({"kid": 7}, "kid"),
        ({"kid": None}, "kid is missing"),
    ],
)
def test_a_wrong_key_is_a_wrong_file(change: dict[str, object], told: str) -> None:
    """Law 5: of a file with one wrong key nobody knows what else is wrong."""
    entry = {key: value for key, value in (JWK | change).items() if value is not None}
    good = JWK | {"kid": "b"}
    with pytest.raises(BadKeys, match=told):
        read_keys(json.dumps({"keys": [good, entry]}).encode())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"keys":{}}', "JWK Set"),
        (b"{}", "JWK Set"),
        (json.dumps({"keys": [JWK, JWK]}).encode(), "occurs twice"),
        (b'{"keys":[],"keys":[]}', "a key occurs twice"),
        (json.dumps({"keys": [JWK | {"kid": f"k{n}"} for n in range(MOST + 1)]}).encode(), "at most"),
        (b'{"keys":[7]}', "a key is a JSON object"),
    ],
)
def test_what_is_no_set_is_refused(text: bytes, told: str) -> None:
    with pytest.raises(BadKeys, match=told):
        read_keys(text)


@given(key=st.binary(min_size=32, max_size=32))
def test_both_spellings_of_base64_are_read(key: bytes) -> None:
    """The signer of tariffs is written in the one, a JWK in the other."""
    assert read_bytes(url(key)) == read_bytes(base64.b64encode(key).decode()) == key


@given(data=st.binary(max_size=200))
def test_no_bytes_are_a_crash(data: bytes) -> None:
    """Fault 49: a file that a disk or a person spoilt."""
    with pytest.raises(BadKeys):
        read_keys(data)


def test_a_name_that_is_given_goes_before_its_own() -> None:
    assert read_key(JWK, "mine") == ("mine", KEY.public)
