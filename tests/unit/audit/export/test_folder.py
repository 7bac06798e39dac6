"""An export survives being a folder and a zip file; what is neither, or means harm, is refused before it is used."""

import errno
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from audit.errors import ExportError
from audit.export import folder
from audit.export.folder import read_export, write_folder, write_zip, zipped
from tests.unit.audit.export.opened_log import OpenedLog


def zip_with(*names: str) -> bytes:
    """Return a zip file with files of these names."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), b"x")
    return packed.getvalue()


def test_a_folder_is_private_and_reads_back(world: OpenedLog, tmp_path: Path) -> None:
    """What is written is what is read, nobody else may read it, and nothing that exists is overwritten."""
    files, out = world.files(), tmp_path / "sub" / "out"
    write_folder(files, out)
    assert read_export(out) == files
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in out.rglob("*")} == {0}
    with pytest.raises(ExportError):
        write_folder(files, out)


@pytest.mark.parametrize("after", [0, 3])
def test_half_an_export_is_none(world: OpenedLog, tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in between leaves neither the folder nor a part of it, and the next try succeeds."""
    left = iter(range(after))

    def full(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, "no space left on device")
        path.write_bytes(data)

    with monkeypatch.context() as filled:
        filled.setattr(folder, "_write_new", full)
        with pytest.raises(ExportError):
            write_folder(world.files(), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
    write_folder(world.files(), tmp_path / "out")
    assert read_export(tmp_path / "out") == world.files()


def test_a_folder_in_a_file_cannot_be_made(world: OpenedLog, tmp_path: Path) -> None:
    """Where no folder can be, none is written and the error is ours."""
    (tmp_path / "file").touch()
    with pytest.raises(ExportError):
        write_folder(world.files(), tmp_path / "file" / "out")


def test_an_empty_folder_is_not_replaced(world: OpenedLog, tmp_path: Path) -> None:
    """A folder that is there stays as it is, an empty one too."""
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError):
        write_folder(world.files(), tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_zip_reads_back_and_is_the_same_for_the_same_files(world: OpenedLog, tmp_path: Path) -> None:
    """The files of an export give one zip file, which reads back as them; folders in it say nothing."""
    packed = zipped(world.files())
    assert packed == zipped(world.files())
    (tmp_path / "export.zip").write_bytes(packed)
    assert read_export(tmp_path / "export.zip") == world.files()
    (tmp_path / "folders.zip").write_bytes(zip_with("entries/", "a"))
    assert set(read_export(tmp_path / "folders.zip")) == {"a"}


def test_a_zip_file_is_private_and_written_whole_or_not_at_all(world: OpenedLog, tmp_path: Path) -> None:
    """Nobody else may read it, nothing that exists is overwritten, and where it cannot be written there is none."""
    out = tmp_path / "out.zip"
    write_zip(world.files(), out)
    assert read_export(out) == world.files()
    assert out.stat().st_mode & 0o777 == 0o600
    for wrong in (out, out / "under-a-file.zip"):
        with pytest.raises(ExportError):
            write_zip({}, wrong)
    assert read_export(out) == world.files()
    assert [path.name for path in tmp_path.iterdir()] == ["out.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "make", [lambda: zip_with("../a"), lambda: zip_with("/a"), lambda: zip_with("a\\b"), lambda: zip_with("a", "a")]
)
def test_a_name_that_leads_out_or_stands_twice_is_refused(tmp_path: Path, make: Callable[[], bytes]) -> None:
    """A zip file cannot name anything outside itself, nor one thing twice."""
    path = tmp_path / "bad.zip"
    path.write_bytes(make())
    with pytest.raises(ExportError, match="name"):
        read_export(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + bytes(60)])
def test_what_is_no_zip_is_refused(tmp_path: Path, content: bytes) -> None:
    """A file that is no zip file, and a path with nothing behind it, are bad input."""
    path = tmp_path / "bad.zip"
    path.write_bytes(content)
    for wrong in (path, tmp_path / "none"):
        with pytest.raises(ExportError):
            read_export(wrong)


def test_a_damaged_zip_is_refused(world: OpenedLog, tmp_path: Path) -> None:
    """Bytes that do not unpack are bad input, and no crash."""
    packed = bytearray(zipped(world.files()))
    packed[60:80] = bytes(20)
    (tmp_path / "bad.zip").write_bytes(bytes(packed))
    with pytest.raises(ExportError):
        read_export(tmp_path / "bad.zip")


def test_another_way_of_packing_is_refused(tmp_path: Path) -> None:
    """Only what every zip program reads is read: stored and deflated."""
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", b"x")
    with pytest.raises(ExportError, match="packed"):
        read_export(tmp_path / "bad.zip")


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A folder with a link, to a file or a folder, is no export: it would read what lies elsewhere."""
    for target in ("/etc/passwd", "/etc"):
        out = tmp_path / target.strip("/").replace("/", "-")
        out.mkdir()
        (out / "link").symlink_to(target)
        with pytest.raises(ExportError, match="link"):
            read_export(out)


def test_size_and_number_are_bounded(world: OpenedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More or larger files than an export has are refused, unread, in both forms."""
    out, packed = tmp_path / "out", tmp_path / "out.zip"
    write_folder(world.files(), out)
    packed.write_bytes(zipped(world.files()))
    for limit, value in (("MAX_FILES", 3), ("MAX_BYTES", 100)):
        with monkeypatch.context() as limited:
            limited.setattr(folder, limit, value)
            for path in (out, packed):
                with pytest.raises(ExportError, match="more or larger"):
                    read_export(path)
