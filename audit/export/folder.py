"""Exports on disk: a folder or one zip file. Read whole, within bounds, without writing anything anywhere."""

import io
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

from audit.durable_file import replace_durably, sync_directory
from audit.errors import ExportError
from audit.export.bundle import Files

MAX_FILES = 200_010  # two for each entry and a few besides
MAX_BYTES = 2_147_483_648  # of all files together, unpacked
_PACKED_AS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


def write_folder(files: Files, folder: Path) -> None:
    """A new folder (mode 0700) holds all files of an export, durably; where that fails there is no such folder.

    Raises:
        ExportError: the folder exists already, or cannot be written.

    """
    making = folder.with_name(f".{folder.name}.tmp")
    try:
        making.mkdir(mode=_PRIVATE_FOLDER, parents=True)
    except OSError as error:
        raise ExportError("export: the folder exists already or cannot be written") from error
    try:
        for path, data in files.items():
            target = making / path
            target.parent.mkdir(mode=_PRIVATE_FOLDER, exist_ok=True)
            _write_new(target, data)
        os.sync()  # once, and not for each of thousands of files; it waits until they are on the disk
        if folder.exists():  # an empty folder would be replaced
            raise ExportError("export: the folder exists already")
        making.rename(folder)
        sync_directory(folder.parent)
    except OSError as error:
        raise ExportError("export: the folder cannot be written") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def write_zip(files: Files, path: Path) -> None:
    """A new zip file (mode 0600) holds all files of an export, durably; where that fails there is no such file.

    Raises:
        ExportError: the file exists already, or cannot be written.

    """
    making = path.with_name(f".{path.name}.tmp")
    try:
        if path.exists():
            raise ExportError("export: the file exists already")
        replace_durably(making, zipped(files))
        making.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise ExportError("export: the file cannot be written") from error
    finally:
        with suppress(OSError):  # what was said already is why
            making.unlink()


def _write_new(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE), "wb") as file:
        file.write(data)


def zipped(files: Files) -> bytes:
    """Return the files of an export as one zip file, the same for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            entry = zipfile.ZipInfo(path, date_time=_FIRST_ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _PRIVATE_FILE << 16
            archive.writestr(entry, data)
    return packed.getvalue()


def read_export(path: Path) -> Files:
    """Return the files of an export in a folder or a zip file, none of them believed yet.

    Raises:
        ExportError: neither of both, unreadable, too large, or with a name twice, a link or a way out of it.

    """
    try:
        found = _of_folder(path) if path.is_dir() else _of_zip(path)
        return _bounded(found)
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise ExportError("export: no folder or zip file that can be read") from error


def _of_folder(folder: Path) -> Iterator[tuple[str, int, bytes]]:
    for where, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(where) / name
            if path.is_symlink():
                raise ExportError("export: it holds a link")
            if name in names:
                size = path.stat().st_size
                yield path.relative_to(folder).as_posix(), size, b"" if size > MAX_BYTES else path.read_bytes()


def _of_zip(path: Path) -> Iterator[tuple[str, int, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.compress_type not in _PACKED_AS:
                raise ExportError("export: packed in a way that is not read here")
            if not entry.is_dir():
                yield entry.filename, entry.file_size, b"" if entry.file_size > MAX_BYTES else archive.read(entry)


def _bounded(found: Iterator[tuple[str, int, bytes]]) -> Files:
    files: dict[str, bytes] = {}
    room = MAX_BYTES
    for path, size, data in found:
        parts = PurePosixPath(path).parts
        if path in files or path.startswith("/") or ".." in parts or "\\" in path:
            raise ExportError("export: a name stands twice or leads out of it")
        room -= size
        if room < 0 or len(files) >= MAX_FILES:
            raise ExportError("export: more or larger files than an export has")
        files[path] = data
    return files
