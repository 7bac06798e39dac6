"""Keys of the people who sign: what a key file must be, and that no private key shows itself."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.errors import KeyFileError, SignatureError
from policies.signers import read_signers
from policies.signing import SigningKey, VerifyKey, b64url, from_b64url
from tests.simulators.signing_people import OFFICER, PARTY, key_file, key_of, signers, signers_file


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    """A kid is the RFC 7638 thumbprint: the example of RFC 8037 appendix A.3."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    assert VerifyKey.from_jwk(dict(jwk)).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_signature_is_of_one_key_over_one_message() -> None:
    """Another message, another key or a cut signature does not hold."""
    key = key_of(OFFICER)
    signature = key.sign(b"message")
    key.public.check(b"message", signature)
    for public, message, value in (
        (key.public, b"massage", signature),
        (key_of(PARTY).public, b"message", signature),
        (key.public, b"message", signature[:-1]),
    ):
        with pytest.raises(SignatureError):
            public.check(message, value)


def test_a_new_key_is_in_a_private_file_and_comes_back(tmp_path: Path) -> None:
    """`keygen` makes a file of mode 0600 that is never overwritten, and holds the key it told."""
    path = tmp_path / "key.jwk"
    key = SigningKey.create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.load(path).public == key.public
    with pytest.raises(KeyFileError, match=r"^key: the file must not exist yet, in a folder that does$"):
        SigningKey.create(path)


def test_a_private_key_never_shows_itself() -> None:
    """Its text form holds nothing of it."""
    assert {repr(key_of(OFFICER)), str(key_of(OFFICER))} == {"SigningKey(redacted)"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (None, "key: must be a readable file"),
        ("not json", "key: must be a readable JWK file"),
        ([], "key: must be a JWK with kty OKP and crv Ed25519"),
        ({"kty": "EC"}, "key: must be a JWK with kty OKP and crv Ed25519"),
        ({"crv": "X25519"}, "key: must be a JWK with kty OKP and crv Ed25519"),
        ({"d": None}, "key.d: must be 32 bytes in base64url"),
        ({"d": "é" * 43}, "key.d: must be 32 bytes in base64url"),
        ({"d": "A" * 44}, "key.d: must be 32 bytes in base64url"),
        ({"d": "****"}, "key.d: must be 32 bytes in base64url"),
        ({"x": b64url(bytes(32))}, "key.x: must be the public side of key.d"),
        ({"x": 7}, "key.x: must be 32 bytes in base64url"),
    ],
    ids=str,
)
def test_a_wrong_key_file_names_its_rule(tmp_path: Path, change: Any, rule: str) -> None:  # noqa: ANN401 -- any JSON
    """Each way in which a key file can be wrong is told by member and rule, never by value."""
    path = key_file(tmp_path, OFFICER)
    jwk = json.loads(path.read_text(encoding="utf-8"))
    if change is None:
        path.unlink()
    else:
        text = change if isinstance(change, str) else json.dumps({**jwk, **change} if isinstance(change, dict) else [])
        path.write_text(text, encoding="utf-8")
    with pytest.raises(KeyFileError, match=f"^{re.escape(rule)}$") as caught:
        SigningKey.load(path)
    assert jwk["d"] not in str(caught.value)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A private key file is of mode 0600, or it is not used."""
    path = key_file(tmp_path, OFFICER)
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match=r"^key: must be a file of mode 0600$"):
        SigningKey.load(path)


def test_only_one_text_is_accepted_for_some_bytes() -> None:
    """Base64url has one form: no padding, no stray bits, no other alphabet."""
    assert from_b64url("AAA", 2) == bytes(2)
    assert [from_b64url(text, 2) for text in ("AAB", "AAA=", "AAAA", "A+A", None)] == [None] * 5


def test_the_list_of_signers_is_read(tmp_path: Path) -> None:
    """People stand by the kid of their key."""
    assert read_signers(signers_file(tmp_path)) == signers()


FOLLOW = "signers: must follow signers/v1"
ONCE = "signers: must name each person once, each with a key of their own"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda people: people[:1], FOLLOW),
        (lambda people: [people[0], {**people[1], "name": people[0]["name"]}], ONCE),
        (lambda people: [people[0], {**people[1], "jwk": people[0]["jwk"]}], ONCE),
        (lambda people: [people[0], {**people[1], "role": "beheerder"}], FOLLOW),
        (lambda people: [people[0], {**people[1], "jwk": {**people[1]["jwk"], "d": "A" * 43}}], FOLLOW),
    ],
    ids=["one person", "one name twice", "one key twice", "another role", "a private key"],
)
def test_a_list_that_gives_one_person_two_voices_is_refused(
    tmp_path: Path,
    change: Callable[[list[dict[str, Any]]], object],
    rule: str,
) -> None:
    """Two people means two names with two keys, each in a role that counts."""
    path = signers_file(tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "signers": change(content["signers"])}), encoding="utf-8")
    with pytest.raises(KeyFileError, match=f"^{rule}$"):
        read_signers(path)


def test_a_list_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A missing list, or text that is no JSON, is told as such."""
    (tmp_path / "text").write_text("{", encoding="utf-8")
    for name in ("missing", "text"):
        with pytest.raises(KeyFileError, match=r"^signers: must be a readable JSON file$"):
            read_signers(tmp_path / name)
