"""Calling libsodium straight gives what PyNaCl's checked function gives, and refuses what would read past an end."""

import os
import threading

import pytest
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as checked_decrypt
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as checked_encrypt

from audit.aead import encrypt

KEY, NONCE = bytes(range(32)), bytes(range(24))


@pytest.mark.parametrize("size", [0, 1, 32, 1024, 32_768, 65_519, 65_520, 65_521, 200_000])
def test_the_ciphertext_is_the_one_of_the_checked_function(size: int) -> None:
    """Every size, within the kept buffer and beyond it, gives the same bytes, which open again."""
    text = os.urandom(size)
    sealed = encrypt(text, b"meta", NONCE, KEY)
    assert sealed == checked_encrypt(text, b"meta", NONCE, KEY)
    assert checked_decrypt(sealed, b"meta", NONCE, KEY) == text


@pytest.mark.parametrize(("nonce", "key"), [(NONCE[:-1], KEY), (NONCE, KEY[:-1]), (NONCE + b"x", KEY), (b"", b"")])
def test_a_nonce_or_key_of_another_size_is_refused(nonce: bytes, key: bytes) -> None:
    """Libsodium reads as many bytes as it needs, whatever it is given."""
    with pytest.raises(ValueError, match="24 bytes"):
        encrypt(b"text", b"meta", nonce, key)


@pytest.mark.parametrize("text", ["text", bytearray(4), None])
def test_only_bytes_are_sealed(text: object) -> None:
    """What is no bytes is refused before libsodium sees it."""
    with pytest.raises(TypeError):
        encrypt(text, b"meta", NONCE, KEY)  # type: ignore[arg-type]  # the rule that is tested


def test_threads_do_not_share_a_buffer() -> None:
    """Many threads at once each get their own ciphertext."""
    texts = [bytes([at]) * 30_000 for at in range(8)]
    wrong: list[int] = []

    def seal(at: int) -> None:
        expected = checked_encrypt(texts[at], b"", NONCE, KEY)
        wrong.extend(at for _ in range(100) if encrypt(texts[at], b"", NONCE, KEY) != expected)

    threads = [threading.Thread(target=seal, args=(at,)) for at in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
