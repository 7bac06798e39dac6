"""Ed25519 keys and their files: one reading, private, never shown."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.protocol.errors import MalformedError
from broker.protocol.signing_keys import SigningKey, VerifyKey, b64url, b64url_bytes

KEY = SigningKey.from_seed(bytes(range(32)))
OTHER = SigningKey.from_seed(bytes(32))


@given(st.binary(max_size=100))
def test_base64url_has_one_form(data: bytes) -> None:
    """Every byte string has exactly one text, without padding."""
    text = b64url(data)
    assert "=" not in text
    assert b64url_bytes(text, field="x") == data


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "A+", "A/AA", "AA\n", "é", "A A", "AAA="])
def test_another_form_is_refused(text: str) -> None:
    """Padding, stray bits, spaces and the other alphabet are refused, without the text."""
    with pytest.raises(MalformedError) as caught:
        b64url_bytes(text, field="x")
    assert caught.value.rule in {"is not base64url", "is not canonical base64url"}


def test_a_length_is_exact() -> None:
    """A value of another length than it must have is refused."""
    assert b64url_bytes("AAA", field="x", length=2) == b"\x00\x00"
    with pytest.raises(MalformedError, match="is not 3 bytes"):
        b64url_bytes("AAA", field="x", length=3)


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    """The kid is the RFC 7638 thumbprint: RFC 8037 appendix A.3 gives it for its example key."""
    public = b64url_bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", field="x")
    assert VerifyKey(public).kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_public_jwk_is_read_again() -> None:
    """What a key publishes is the same key when read."""
    assert VerifyKey.from_jwk(KEY.public.jwk()) == KEY.public


@pytest.mark.parametrize(
    "changes",
    [
        {"kty": "EC"},
        {"crv": "X25519"},
        {"d": "AAAA"},
        {"use": "sig"},
        {"x": 5},
        {"x": None},
        {"x": "AAAA"},
        {"x": "A" * 44},
        {"kid": "0"},
        {"kid": None},
        {"kid": OTHER.public.kid},
    ],
)
def test_another_jwk_is_refused(changes: dict[str, object]) -> None:
    """Another type, a private part, a wrong length or a kid of another key is refused."""
    with pytest.raises(MalformedError):
        VerifyKey.from_jwk({**KEY.public.jwk(), **changes})
    missing = {name: value for name, value in KEY.public.jwk().items() if name not in changes}
    if missing != KEY.public.jwk():
        with pytest.raises(MalformedError):
            VerifyKey.from_jwk(missing)


def test_only_the_right_key_and_message_verify() -> None:
    """A signature holds for its key and message, and for nothing else; a malformed one is simply false."""
    signature = KEY.sign(b"message")
    assert KEY.public.verify(b"message", signature)
    assert not KEY.public.verify(b"other", signature)
    assert not OTHER.public.verify(b"message", signature)
    assert not KEY.public.verify(b"message", signature[:63])
    assert not KEY.public.verify(b"message", b"")
    assert not KEY.public.verify(b"message", bytes(64))


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_has_32_bytes(size: int) -> None:
    """A seed or public key of another size is refused."""
    with pytest.raises(MalformedError, match="32 bytes"):
        SigningKey.from_seed(bytes(size))
    with pytest.raises(MalformedError, match="32 bytes"):
        VerifyKey(bytes(size))


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    """A key is written with mode 0600, read again, and an existing file stays what it is."""
    path = tmp_path / "key.jwk"
    made = SigningKey.generate()
    made.write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SigningKey.read(path) == made
    with pytest.raises(FileExistsError):
        SigningKey.generate().write(path)
    assert SigningKey.read(path) == made
    assert SigningKey.generate() != made


def test_a_private_key_never_shows(tmp_path: Path) -> None:
    """Neither the representation nor an error holds the seed."""
    seed = b64url(KEY.seed)
    assert seed not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)
    path = tmp_path / "key.jwk"
    KEY.write(path)
    members = json.loads(path.read_text())
    path.write_text(json.dumps({**members, "kid": "x"}))
    with pytest.raises(MalformedError) as caught:
        SigningKey.read(path)
    assert seed not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that anyone else may read is a weak key: refuse it and say what to do."""
    path = tmp_path / "key.jwk"
    KEY.write(path)
    path.chmod(mode)
    with pytest.raises(MalformedError, match="make it mode 0600"):
        SigningKey.read(path)


@pytest.mark.parametrize(
    "changes", [{"kty": "RSA"}, {"crv": "X25519"}, {"d": None}, {"d": 1}, {"d": "AAAA"}, {"kid": 1}]
)
def test_a_damaged_key_file_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    """A file that is no private Ed25519 JWK is refused."""
    path = tmp_path / "key.jwk"
    KEY.write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(MalformedError):
        SigningKey.read(path)
