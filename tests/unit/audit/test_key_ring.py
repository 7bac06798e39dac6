"""The folder of key-encryption keys: made once, renewed, and destroyed so that nothing of a key is left."""

import os
from pathlib import Path

import pytest

from audit import key_ring
from audit.errors import SealError
from audit.key_ring import KeyRing

GROUP_KEY = b"k" * 32


def _bytes_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_a_new_folder_holds_one_key_that_only_its_owner_reaches(tmp_path: Path) -> None:
    """Folder 0700, file 0600, epoch 1; a folder that is there is never taken for a new one."""
    folder = tmp_path / "keys"
    ring = KeyRing.create(folder)
    assert (ring.epochs, ring.current.epoch) == ((1,), 1)
    assert (folder.stat().st_mode & 0o777, (folder / "1.key").stat().st_mode & 0o777) == (0o700, 0o600)
    with pytest.raises(SealError, match="exists already"):
        KeyRing.create(folder)
    assert ring.current_since() == (folder / "1.key").stat().st_mtime


def test_what_was_wrapped_opens_with_the_key_of_its_epoch_after_a_start(tmp_path: Path) -> None:
    """A renewed key wraps from then on; what older epochs wrapped still opens, and only in its own epoch."""
    ring = KeyRing.create(tmp_path / "keys")
    old = ring.current.wrap(GROUP_KEY, index=3, group="meta")
    assert ring.renew().epoch == 2
    new = ring.current.wrap(GROUP_KEY, index=3, group="meta")
    again = KeyRing.open(tmp_path / "keys")
    assert (again.epochs, again.current.epoch) == ((1, 2), 2)
    assert again.unwrap(old, epoch=1, index=3, group="meta") == GROUP_KEY
    assert again.unwrap(new, epoch=2, index=3, group="meta") == GROUP_KEY
    for epoch, wrapped in ((1, new), (2, old), (7, old)):
        with pytest.raises(SealError):
            again.unwrap(wrapped, epoch=epoch, index=3, group="meta")


def test_a_destroyed_key_is_overwritten_and_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its bytes are overwritten where they lie and synced before the name goes; no ring has it any more."""
    folder = tmp_path / "keys"
    ring = KeyRing.create(folder)
    wrapped, secret = ring.current.wrap(GROUP_KEY, index=0, group="hits"), (folder / "1.key").read_bytes()
    ring.renew()
    lying = os.open(folder / "1.key", os.O_RDONLY)
    at_sync: list[tuple[bytes, bool]] = []
    synced = os.fsync

    def noting(descriptor: int) -> None:
        at_sync.append((os.pread(lying, 32, 0), any(folder.glob("1.key*"))))
        synced(descriptor)

    with monkeypatch.context() as noted:
        noted.setattr(os, "fsync", noting)
        ring.destroy(1)
    assert (secret, True) in at_sync
    assert (bytes(32), True) in at_sync
    assert os.pread(lying, 32, 0) == bytes(32)
    os.close(lying)
    assert secret not in _bytes_in(folder)
    assert [path.name for path in folder.iterdir()] == ["2.key"]
    for one in (ring, KeyRing.open(folder)):
        with pytest.raises(SealError, match="no key of its epoch"):
            one.unwrap(wrapped, epoch=1, index=0, group="hits")
    ring.destroy(1)


def test_the_newest_key_is_never_destroyed(tmp_path: Path) -> None:
    """Whatever asks for it, the key that wraps stays."""
    ring = KeyRing.create(tmp_path / "keys")
    with pytest.raises(SealError, match="in use"):
        ring.destroy(1)
    assert KeyRing.open(tmp_path / "keys").epochs == (1,)


@pytest.mark.parametrize("left", ["1.key.doomed", "3.key.new"])
def test_what_a_crash_left_is_no_key_and_is_overwritten(tmp_path: Path, left: str) -> None:
    """A key half destroyed or half made is not loaded; finishing leaves no byte of it, and renewing goes on."""
    folder = tmp_path / "keys"
    KeyRing.create(folder).renew()
    (folder / left).write_bytes(b"s" * 32)
    ring = KeyRing.open(folder)
    assert ring.epochs == (1, 2)
    ring.finish()
    assert b"s" * 32 not in _bytes_in(folder)
    (folder / "3.key.new").write_bytes(b"half")
    assert ring.renew().epoch == 3
    assert sorted(path.name for path in folder.iterdir()) == ["1.key", "2.key", "3.key"]


def _cut_off(*_: object) -> None:
    raise OSError("cut off")


@pytest.mark.parametrize("step", ["sync_directory", "_overwrite"])
def test_a_failing_disk_destroys_nothing_quietly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """An error while a key is destroyed or made is told, and tried again the key is gone; nothing is half known."""
    folder = tmp_path / "keys"
    ring = KeyRing.create(folder)
    secret = (folder / "1.key").read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(key_ring, step, _cut_off)
        with pytest.raises(SealError):
            ring.renew()
    ring = KeyRing.open(folder)
    if ring.current.epoch == 1:
        ring.renew()
    with monkeypatch.context() as broken:
        broken.setattr(key_ring, step, _cut_off)
        with pytest.raises(SealError):
            ring.destroy(1)
        (folder / "9.key.doomed").write_bytes(b"x")
        with pytest.raises(SealError):
            ring.finish()
    KeyRing.open(folder).finish()
    ring.destroy(1)
    assert secret not in _bytes_in(folder)
    assert ring.epochs == KeyRing.open(folder).epochs


@pytest.mark.parametrize("damage", ["gone", "empty", "folder open", "key open", "key short"])
def test_a_folder_that_is_not_as_it_must_be_is_refused(tmp_path: Path, damage: str) -> None:
    """No folder, no key, rights of others or a damaged key: nothing starts, and no key is ever made in its place."""
    folder = tmp_path / "keys"
    ring = KeyRing.create(folder)
    if damage in {"gone", "empty"}:
        (folder / "1.key").unlink()
        with pytest.raises(SealError, match="gone"):
            ring.current_since()
    if damage == "gone":
        folder.rmdir()
    elif damage == "folder open":
        folder.chmod(0o750)
    elif damage == "key open":
        (folder / "1.key").chmod(0o640)
    elif damage == "key short":
        (folder / "1.key").write_bytes(b"short")
    with pytest.raises(SealError):
        KeyRing.open(folder)


def test_a_ring_shows_epochs_and_no_key(tmp_path: Path) -> None:
    """Its representation names epochs only."""
    assert repr(KeyRing.create(tmp_path / "keys")) == "KeyRing(epochs=(1,), redacted)"
