"""Small files that must survive a crash or stay private: written whole, synced, or not at all."""

import os
import stat
from pathlib import Path

from audit.errors import SealError

_PRIVATE_MODE = 0o600
_OTHERS = 0o077


def create_private(path: Path, data: bytes) -> None:
    """A new file with mode 0600 holds the data, durably; an existing file is never overwritten.

    Raises:
        SealError: the file exists already or cannot be written.

    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(path.parent)
    except OSError as error:
        raise SealError("private file: exists already or cannot be written") from error


def read_private(path: Path) -> bytes:
    """Return the content of a regular file that only its owner can reach.

    Raises:
        SealError: the file cannot be read, or others than its owner have rights on it (make it mode 0600).

    """
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_mode & _OTHERS:
                raise SealError("private file: only its owner may have rights on it (chmod 600)")
            return file.read()
    except OSError as error:
        raise SealError("private file: cannot be read") from error


def replace_durably(path: Path, data: bytes, *, mode: int = _PRIVATE_MODE, sync_parent: bool = True) -> None:
    """The path holds the data after a crash at any moment, or still what it held before.

    With `sync_parent=False` the caller syncs the folder itself, once for many files.

    Raises:
        OSError: the data could not be made durable; the caller must not go on.

    """
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    if sync_parent:
        sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """The names in this folder are durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
