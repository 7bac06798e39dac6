"""Sealing hides, binds and opens again; wrapped keys open only in their own place."""

import os
from pathlib import Path

import pytest

from audit.entry import GROUPS
from audit.errors import EntryError, PayloadTooLargeError, SealError
from audit.seal import KeyEncryptionKey, SealedGroup, open_group, seal_entry

KEK = KeyEncryptionKey(bytes(32), epoch=7)


def opened(group: str, sealed: SealedGroup) -> bytes:
    """Return the payload that a sealed group opens to."""
    return open_group(group=group, key=sealed.key, nonce=sealed.nonce, ciphertext=sealed.ciphertext).payload


def test_every_group_opens_to_what_was_sealed() -> None:
    """An absent group is the empty object, in the same size as a full one."""
    entry = seal_entry("check", {"meta": {"a": 1}})
    assert {group: opened(group, entry.groups[group]) for group in GROUPS} == {
        "meta": b'{"a":1}', "actor": b"{}", "subject": b"{}", "hits": b"{}", "shielded": b"{}",
    }  # fmt: skip
    full = seal_entry("check", {"hits": {"a": "x" * 9000}})
    assert len(full.groups["hits"].ciphertext) == len(entry.groups["hits"].ciphertext)


def test_the_same_payload_never_seals_twice_alike() -> None:
    """Commitments and ciphertexts link no two entries."""
    one, two = (seal_entry("check", {"meta": {"a": 1}}).groups["meta"] for _ in range(2))
    assert one.commitment != two.commitment
    assert one.ciphertext != two.ciphertext


def test_what_cannot_be_sealed() -> None:
    """An unknown group or kind and too large a payload are refused."""
    with pytest.raises(EntryError):
        seal_entry("check", {"reason": {}})
    with pytest.raises(EntryError):
        seal_entry("login", {})
    with pytest.raises(PayloadTooLargeError):
        seal_entry("read", {"hits": {"a": "x" * 2000}})


def test_a_ciphertext_in_another_place_does_not_open() -> None:
    """A swapped group, key, nonce or bit is noticed."""
    sealed = seal_entry("check", {"meta": {"a": 1}}).groups["meta"]
    flipped = bytes([sealed.ciphertext[0] ^ 1]) + sealed.ciphertext[1:]
    for group, key, nonce, ciphertext in (
        ("actor", sealed.key, sealed.nonce, sealed.ciphertext),
        ("meta", bytes(32), sealed.nonce, sealed.ciphertext),
        ("meta", sealed.key, bytes(24), sealed.ciphertext),
        ("meta", sealed.key, b"", sealed.ciphertext),
        ("meta", sealed.key, sealed.nonce, flipped),
        ("meta", sealed.key, sealed.nonce, b""),
    ):
        with pytest.raises(SealError):
            open_group(group=group, key=key, nonce=nonce, ciphertext=ciphertext)


def test_secrets_are_not_shown() -> None:
    """Neither a sealed entry nor a key-encryption key shows a key or a payload."""
    entry = seal_entry("check", {"meta": {"a": "canary"}})
    sealed = entry.groups["meta"]
    assert "canary" not in repr(entry)
    assert repr(sealed.key) not in repr(entry)
    assert "canary" not in repr(sealed.opening())
    assert repr(KEK) == "KeyEncryptionKey(epoch=7, redacted)"


def test_a_wrapped_key_opens_in_its_own_place_only() -> None:
    """Epoch, entry and group are part of what is wrapped."""
    key = os.urandom(32)
    wrapped = KEK.wrap(key, index=3, group="meta")
    assert KEK.unwrap(wrapped, index=3, group="meta") == key
    for kek, index, group, data in (
        (KEK, 4, "meta", wrapped),
        (KEK, 3, "actor", wrapped),
        (KeyEncryptionKey(bytes(32), epoch=8), 3, "meta", wrapped),
        (KeyEncryptionKey(b"k" * 32, epoch=7), 3, "meta", wrapped),
        (KEK, 3, "meta", wrapped[:-1]),
        (KEK, 3, "meta", b""),
    ):
        with pytest.raises(SealError):
            kek.unwrap(data, index=index, group=group)


def test_a_key_encryption_key_lives_in_a_private_file(tmp_path: Path) -> None:
    """The file is made once, with mode 0600, and read only when it is still private and whole."""
    path = tmp_path / "kek"
    wrapped = KeyEncryptionKey.create(path).wrap(b"k" * 32, index=0, group="meta")
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeyEncryptionKey.load(path).unwrap(wrapped, index=0, group="meta") == b"k" * 32
    with pytest.raises(SealError):
        KeyEncryptionKey.create(path)
    path.write_bytes(b"short")
    with pytest.raises(SealError):
        KeyEncryptionKey.load(path)
    with pytest.raises(SealError):
        KeyEncryptionKey(bytes(32), epoch=0)
