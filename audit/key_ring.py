"""The key-encryption keys of every epoch, in a folder of their own: made, used, and destroyed for good.

    <folder, mode 0700>/1.key, 2.key, ...     32 bytes each, mode 0600; the newest wraps, the others only unwrap
    <folder>/1.key.doomed                     being destroyed: no key of the log is wrapped by it any more

The folder lies outside the database and outside every backup. Whoever has an old copy of the database and a destroyed
epoch's wrapped keys has nothing: no key opens them. `docs/operations.md` says what a copy-on-write disk means for that.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from audit.durable_file import sync_directory
from audit.errors import SealError
from audit.seal import KeyEncryptionKey

_NAME = re.compile(r"([1-9][0-9]{0,9})\.key")
_DOOMED = ".doomed"
_UNFINISHED = ".new"
_OTHERS = 0o077


class KeyRing:
    """The keys of one broker. Readers on other threads may unwrap while the writer renews and destroys."""

    __slots__ = ("_folder", "_keys")

    def __init__(self, folder: Path, keys: Mapping[int, KeyEncryptionKey]) -> None:
        self._folder = folder
        self._keys = dict(keys)

    def __repr__(self) -> str:
        """Show the epochs only."""
        return f"KeyRing(epochs={self.epochs}, redacted)"

    @classmethod
    def create(cls, folder: Path) -> "KeyRing":
        """A new folder with mode 0700 holds the key of epoch 1.

        Raises:
            SealError: the folder exists already or cannot be written.

        """
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise SealError("key folder: exists already or cannot be made") from error
        ring = cls(folder, {})
        ring.renew()
        return ring

    @classmethod
    def open(cls, folder: Path) -> "KeyRing":
        """Return the keys in this folder, which only its owner may enter.

        Raises:
            SealError: no folder, no key in it, one that is damaged, or others have rights on something.

        """
        try:
            status, names = folder.stat(), [path.name for path in folder.iterdir()]
        except OSError as error:
            raise SealError("key folder: cannot be read") from error
        if status.st_mode & _OTHERS:
            raise SealError("key folder: only its owner may enter it (chmod 700)")
        epochs = sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))
        if not epochs:
            raise SealError("key folder: holds no key; with it every payload of the log is lost")
        return cls(folder, {epoch: KeyEncryptionKey.load(_path(folder, epoch), epoch=epoch) for epoch in epochs})

    @property
    def epochs(self) -> tuple[int, ...]:
        """The epochs whose key exists, ascending."""
        return tuple(sorted(self._keys))

    @property
    def current(self) -> KeyEncryptionKey:
        """The key of the newest epoch, which wraps."""
        return self._keys[max(self._keys)]

    def current_since(self) -> float:
        """Return when the newest key was made, in unix seconds. Raises SealError: its file is gone."""
        try:
            return _path(self._folder, self.current.epoch).stat().st_mtime
        except OSError as error:
            raise SealError("key folder: the newest key is gone") from error

    def unwrap(self, wrapped: bytes, *, epoch: int, index: int, group: str) -> bytes:
        """Return the group key that was wrapped in this epoch for this index and group.

        Raises:
            SealError: it was not, or the key of that epoch exists no more.

        """
        key = self._keys.get(epoch)
        if key is None:
            raise SealError("wrapped key: there is no key of its epoch")
        return key.unwrap(wrapped, index=index, group=group)

    def renew(self) -> KeyEncryptionKey:
        """A fresh key of the next epoch is durable and wraps from now on.

        Raises:
            SealError: it could not be made durable; nothing changed.

        """
        epoch = max(self._keys, default=0) + 1
        unfinished = _path(self._folder, epoch).with_name(f"{epoch}.key{_UNFINISHED}")
        try:
            _overwrite(unfinished)
            key = KeyEncryptionKey.create(unfinished, epoch=epoch)
            unfinished.rename(_path(self._folder, epoch))
            sync_directory(self._folder)
        except OSError as error:
            raise SealError("key folder: a new key could not be made durable") from error
        self._keys = {**self._keys, epoch: key}
        return key

    def destroy(self, epoch: int) -> None:
        """The key of an older epoch exists no more; the caller has seen that nothing needs it.

        A crash at any moment leaves the key whole, or doomed: `finish` then ends it.

        Raises:
            SealError: it is the newest, or it could not be destroyed.

        """
        if epoch == self.current.epoch:
            raise SealError("key folder: the newest key is in use")
        try:
            path = _path(self._folder, epoch)
            with suppress(FileNotFoundError):  # doomed already, when this was cut off before
                path.rename(path.with_name(path.name + _DOOMED))
                sync_directory(self._folder)
            self.finish()
        except OSError as error:
            raise SealError("key folder: an old key could not be destroyed") from error
        self._keys = {known: key for known, key in self._keys.items() if known != epoch}

    def finish(self) -> None:
        """Nothing is left of keys whose destruction or making was cut off.

        Raises:
            SealError: something could not be overwritten.

        """
        try:
            for path in sorted(self._folder.iterdir()):
                if path.name.endswith((_DOOMED, _UNFINISHED)):
                    _overwrite(path)
            sync_directory(self._folder)
        except OSError as error:
            raise SealError("key folder: an old key could not be destroyed") from error


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"{epoch}.key"


def _overwrite(path: Path) -> None:
    """The bytes of this file, if there is one, are overwritten where they lie, and its name is gone."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        for pattern in (b"\xff", b"\x00"):
            os.pwrite(descriptor, pattern * os.fstat(descriptor).st_size, 0)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_directory(path.parent)
