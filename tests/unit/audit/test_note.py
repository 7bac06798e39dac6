"""Keys on disk and the caps of a note; the formats themselves are in tests/vectors."""

from pathlib import Path

import pytest

from audit.errors import NoteError, SealError
from audit.note import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Algorithm,
    NoteSigningKey,
    VerifierKey,
    compose_note,
    parse_note,
    verify_note,
)  # fmt: skip
from tests.unit.audit.log_simulator import ORIGIN

TEXT = "a text\n"


def key(name: str = ORIGIN, algorithm: Algorithm = Algorithm.ED25519) -> NoteSigningKey:
    """Return a key of a fixed seed."""
    return NoteSigningKey(name=name, algorithm=algorithm, seed=bytes(32))


def test_a_key_file_is_private_and_made_once(tmp_path: Path) -> None:
    """A key file has mode 0600 and is never overwritten."""
    path = tmp_path / "key"
    NoteSigningKey.generate(ORIGIN, Algorithm.ED25519).save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SealError):
        key().save(path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """A private key that is no longer private is not used."""
    path = tmp_path / "key"
    key().save(path)
    path.chmod(0o640)
    with pytest.raises(SealError):
        NoteSigningKey.load(path)
    with pytest.raises(SealError):
        NoteSigningKey.load(tmp_path / "none")
    with pytest.raises(SealError):
        NoteSigningKey.load(tmp_path)


@pytest.mark.parametrize("content", ["", "PUBLIC+KEY+a+00000000+AQ==\n", "PRIVATE+KEY+a+00000000\n"])
def test_a_malformed_key_file(tmp_path: Path, content: str) -> None:
    """Only Go's form of a signer key is read."""
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_text(content)
    with pytest.raises(NoteError):
        NoteSigningKey.load(path)


def test_a_key_file_that_is_not_text(tmp_path: Path) -> None:
    """A key file is UTF-8."""
    path = tmp_path / "key"
    path.touch(0o600)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(NoteError):
        NoteSigningKey.load(path)


def test_a_key_file_with_anothers_key_id(tmp_path: Path) -> None:
    """The key id in a key file must be the key's own."""
    path = tmp_path / "key"
    path.touch(0o600)
    key().save(tmp_path / "good")
    path.write_text((tmp_path / "good").read_text().replace(key().verifier.key_id.hex(), "00000000"))
    with pytest.raises(NoteError):
        NoteSigningKey.load(path)


def test_a_private_key_never_shows_itself() -> None:
    """The representation of a key holds its name and nothing of its seed."""
    assert repr(key()) == f"NoteSigningKey({ORIGIN}, redacted)"


def test_a_seed_of_another_size() -> None:
    """An Ed25519 seed has 32 bytes."""
    with pytest.raises(NoteError):
        NoteSigningKey(name=ORIGIN, algorithm=Algorithm.ED25519, seed=bytes(31))


def test_only_a_cosigner_states_a_time() -> None:
    """A log's signature has no time and a cosignature has one."""
    with pytest.raises(NoteError):
        key().sign(TEXT, time=1)
    with pytest.raises(NoteError):
        key(algorithm=Algorithm.COSIGNATURE).sign(TEXT)


def test_a_public_key_of_another_size() -> None:
    """An Ed25519 public key has 32 bytes."""
    with pytest.raises(NoteError):
        VerifierKey(name=ORIGIN, algorithm=Algorithm.ED25519, public=bytes(31))


def test_a_public_key_that_is_no_point() -> None:
    """A key that is no usable point verifies nothing."""
    bad = VerifierKey(name=ORIGIN, algorithm=Algorithm.ED25519, public=bytes(32))
    line = bad.signature_line(bytes(64))
    with pytest.raises(NoteError):
        verify_note(parse_note(compose_note(TEXT, [line]).encode()), [bad])


def test_sixteen_signatures_pass_and_a_flood_does_not() -> None:
    """A note may carry many cosignatures (C2SP: at least 16), not any number."""
    lines = [key(f"k{n}").sign(TEXT) for n in range(MAX_SIGNATURES)]
    assert len(parse_note(compose_note(TEXT, lines).encode()).signatures) == MAX_SIGNATURES >= 16
    with pytest.raises(NoteError):
        parse_note(compose_note(TEXT, [*lines, lines[0]]).encode())


def test_a_note_that_is_too_large_or_not_text() -> None:
    """Parsing stops at a fixed size, and at bytes that are no UTF-8."""
    with pytest.raises(NoteError):
        parse_note(b"x" * (MAX_NOTE_BYTES + 1))
    with pytest.raises(NoteError):
        parse_note(b"\xff\n\n" + key().sign(TEXT).encode())


def test_two_known_keys_that_cannot_be_told_apart() -> None:
    """When a line could belong to two known keys, nothing is decided."""
    one = key().verifier
    # A stand-in with the same name and key id but another key: 4-byte ids can be made to collide.
    other = VerifierKey(name=one.name, algorithm=one.algorithm, public=bytes(31) + b"\x01")
    colliding = _WithKeyId(other, one.key_id)
    with pytest.raises(NoteError):
        verify_note(parse_note(compose_note(TEXT, [key().sign(TEXT)]).encode()), [one, colliding])


class _WithKeyId(VerifierKey):
    """A key whose id was ground until it equals another's."""

    def __init__(self, key: VerifierKey, key_id: bytes) -> None:
        super().__init__(name=key.name, algorithm=key.algorithm, public=key.public)
        object.__setattr__(self, "_ground", key_id)

    @property
    def key_id(self) -> bytes:
        """The id that was ground."""
        ground: bytes = object.__getattribute__(self, "_ground")
        return ground
