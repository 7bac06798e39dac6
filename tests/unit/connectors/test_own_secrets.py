"""Keys of this partner in files of their own, and what is sealed under them: anything else is refused by its field."""

import base64
import hashlib
import hmac
import os
import stat
from pathlib import Path

import nacl.public
import pytest

from connectors.errors import FolderError
from connectors.sealing import KEY_BYTES, OutboxKey, SealingKey, SecretKey, seal_to

SECRET = bytes(range(32))


def written(path: Path, text: bytes, *, mode: int = 0o600) -> Path:
    """Return a file with this text that these people may read."""
    path.write_bytes(text)
    path.chmod(mode)
    return path


def refused(path: Path) -> str:
    """Return why this file is no key; nothing of it is said."""
    with pytest.raises(FolderError) as broke:
        SecretKey.read(path)
    assert base64.b64encode(SECRET).decode() not in str(broke.value)
    return str(broke.value)


def test_a_fresh_key_is_its_owners_alone_and_reads_back(tmp_path: Path) -> None:
    """32 fresh bytes in a file that nobody else reads, whatever the umask; what is there is never overwritten."""
    before = os.umask(0)
    try:
        first, second = (SecretKey.create(tmp_path / name) for name in ("a.key", "b.key"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600
    assert len(first.reveal()) == KEY_BYTES == 32
    assert first.reveal() != second.reveal()
    text = (tmp_path / "a.key").read_bytes()
    assert text == base64.b64encode(first.reveal()) + b"\n"
    assert SecretKey.read(tmp_path / "a.key").reveal() == first.reveal()
    with pytest.raises(FileExistsError):
        SecretKey.create(tmp_path / "a.key")
    assert (tmp_path / "a.key").read_bytes() == text


def test_a_file_that_is_no_key_is_named_with_its_rule(tmp_path: Path) -> None:
    """Missing, readable by others in any way, or not 32 bytes: the folder's own name for it, and what to do."""
    whole = base64.b64encode(SECRET)
    assert refused(tmp_path / "no.key") == "keys/no.key: cannot be read"
    for mode in (0o640, 0o604, 0o620, 0o602, 0o610, 0o601):
        path = written(tmp_path / "open.key", whole, mode=mode)
        assert refused(path) == "keys/open.key: can be read by others; make it mode 0600"
    for text in (b"", base64.b64encode(SECRET[:-1]), base64.b64encode(SECRET + b"x"), b"*" + whole, whole[:-1]):
        assert refused(written(tmp_path / "bad.key", text)) == "keys/bad.key: is damaged"
    for mode in (0o600, 0o400):
        path = written(tmp_path / f"{mode}.key", b" " + whole + b"\r\n", mode=mode)
        assert SecretKey.read(path).reveal() == SECRET


def test_a_mac_is_hmac_sha256_under_the_key() -> None:
    """Whoever has the key makes the same 32 bytes of the same message, and of no other."""
    key = SecretKey(SECRET)
    assert key.mac(b"a") == hmac.new(SECRET, b"a", hashlib.sha256).digest()
    assert key.mac(b"a") != key.mac(b"b")


def test_what_waits_in_the_outbox_opens_with_its_own_key_only() -> None:
    """Sealed afresh each time; altered, cut short or under another key it opens as nothing."""
    key, message = OutboxKey(SECRET), b"een verzoek"
    sealed = key.seal(message)
    assert key.unseal(sealed) == message
    assert sealed != key.seal(message)
    assert message not in sealed
    altered = bytes([sealed[0] ^ 1]) + sealed[1:]
    for opener, box in ((key, altered), (key, sealed[:-1]), (key, b""), (OutboxKey(bytes(32)), sealed)):
        with pytest.raises(FolderError) as broke:
            opener.unseal(box)
        assert str(broke.value) == "outbox.sqlite: has a row that this outbox key does not open"


def test_what_is_sealed_to_a_public_key_opens_with_the_other_half_only() -> None:
    """A dossier for the own FG: nobody else reads it, and a key that is none seals nothing."""
    key = SealingKey(SECRET)
    assert key.public == bytes(nacl.public.PrivateKey(SECRET).public_key)
    assert key.kid == base64.urlsafe_b64encode(hashlib.sha256(key.public).digest()).decode().rstrip("=")
    sealed = seal_to(key.public, b"dossier")
    assert key.open(sealed) == b"dossier"
    for opener, box in ((SealingKey(bytes([7] * 32)), sealed), (key, sealed[:-1]), (key, b""), (key, b"x" + sealed)):
        with pytest.raises(FolderError) as broke:
            opener.open(box)
        assert str(broke.value) == "dossier: is not sealed to this key, or was altered"
    for wrong in (b"", bytes(31), bytes(33)):
        with pytest.raises(FolderError) as broke:
            seal_to(wrong, b"dossier")
        assert str(broke.value) == "keys/fg-dossier.pub: is damaged"
