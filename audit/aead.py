"""XChaCha20-Poly1305 by PyNaCl's own libsodium, called straight: a tick seals hundreds of small texts.

`nacl.bindings` looks at every argument and makes a buffer anew, which costs three times what sealing 32 bytes does.
Here the sizes that libsodium relies on are checked, and each thread has one buffer, for libsodium runs without Python's
lock.
"""

import threading

from nacl._sodium import ffi, lib

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16
_BUFFER_BYTES = 65_536  # the largest payload of a group and its tag; what is larger gets a buffer of its own


class _Buffer(threading.local):
    """Where a ciphertext is written before it is copied out; never holds a key or a text."""

    def __init__(self) -> None:
        self.out = ffi.new("unsigned char[]", _BUFFER_BYTES)
        self.content = ffi.buffer(self.out)


_buffer = _Buffer()


def encrypt(text: bytes, associated: bytes, nonce: bytes, key: bytes) -> bytes:
    """Return the ciphertext with its tag, as `crypto_aead_xchacha20poly1305_ietf_encrypt` of libsodium gives it.

    Raises:
        ValueError: the nonce has not 24 bytes or the key not 32.
        TypeError: something else than bytes was given.

    """
    if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
        raise ValueError("aead: a nonce has 24 bytes and a key 32")
    size = len(text) + TAG_BYTES
    if size <= _BUFFER_BYTES:
        out, content = _buffer.out, _buffer.content
    else:
        out = ffi.new("unsigned char[]", size)
        content = ffi.buffer(out)
    lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
        out, ffi.NULL, text, len(text), associated, len(associated), ffi.NULL, nonce, key
    )
    sealed: bytes = content[:size]
    return sealed
