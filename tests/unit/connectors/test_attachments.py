"""Files that came from another organisation, and files that go: named, bounded, and never over something else."""

import errno
import os
from pathlib import Path

import pytest

from broker.protocol.letter import MAX_ATTACHMENT_BYTES, Letter
from broker.protocol.sealed_chunks import seal_file
from connectors.attachments import File, letter_shown, read_files, save_files
from connectors.errors import CaseError, FolderError


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("plan.pdf", "plan.pdf"),
        ("../../.ssh/authorized_keys", "_.._.ssh_authorized_keys"),
        ("/etc/passwd", "_etc_passwd"),
        ("..", "bijlage"),
        ("a\x00b\n.txt", "a_b_.txt"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("a" * 5 + "." + "x" * 119, "x" * 119),
        ("\u4e00" * 300, "\u4e00" * 40),
        ("-rf", "rf"),
    ],
)
def test_a_name_of_another_organisation_is_a_name_here_and_nothing_else(tmp_path: Path, name: str, saved: str) -> None:
    """Whatever the sender called it, it stands in the folder that was asked for, readable by its owner alone."""
    (path,) = save_files(tmp_path / "out", [File(name=name, content=b"x")])
    assert path == tmp_path / "out" / saved
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_that_was_there_is_overwritten(tmp_path: Path) -> None:
    """A file of the same name stays as it is; what comes gets a number. A link is followed nowhere."""
    (tmp_path / "plan.pdf").write_bytes(b"mine")
    (tmp_path / "1-plan.pdf").symlink_to(tmp_path / "elsewhere")
    (saved,) = save_files(tmp_path, [File(name="plan.pdf", content=b"theirs")])
    assert (saved.name, (tmp_path / "plan.pdf").read_bytes()) == ("2-plan.pdf", b"mine")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("says", [errno.EPERM, errno.EOPNOTSUPP])
def test_a_disk_without_hard_links_has_the_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: int
) -> None:  # fmt: skip
    """On such a disk each is renamed, over nothing that was there; where that fails too, nothing stands there."""

    def link(path: Path, target: Path) -> None:
        raise OSError(says, "no links here", str(path), None, str(target))

    monkeypatch.setattr(Path, "hardlink_to", link)
    (tmp_path / "plan.pdf").write_bytes(b"mine")
    saved = save_files(tmp_path, [File(name="plan.pdf", content=b"theirs"), File(name="b.txt", content=b"more")])
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "plan.pdf": b"mine", "1-plan.pdf": b"theirs", "b.txt": b"more",
    }  # fmt: skip
    assert [path.stat().st_mode & 0o777 for path in saved] == [0o600] * 2
    monkeypatch.setattr(Path, "replace", link)
    with pytest.raises(FolderError):
        save_files(tmp_path / "out", [File(name="b.txt", content=b"more")])
    assert list((tmp_path / "out").iterdir()) == []


def test_a_name_that_cannot_be_given_takes_the_names_before_it_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """No space for the second file's name: the first, which had its name, is gone too."""
    real = Path.hardlink_to

    def full(path: Path, target: Path) -> None:
        if path.name == "b.pdf":
            raise OSError(errno.ENOSPC, "no space")
        real(path, target)

    monkeypatch.setattr(Path, "hardlink_to", full)
    with pytest.raises(FolderError):
        save_files(tmp_path / "out", [File(name=name, content=b"x") for name in ("a.pdf", "b.pdf")])
    assert list((tmp_path / "out").iterdir()) == []


def test_all_of_a_letter_is_saved_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the second file leaves neither, nor a part of one, under any name."""
    real, seen = os.fsync, []

    def full(descriptor: int) -> None:
        seen.append(descriptor)
        if len(seen) > 1:
            raise OSError(errno.ENOSPC, "no space")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    files = [File(name="a.pdf", content=b"first"), File(name="b.pdf", content=b"second")]
    with pytest.raises(FolderError):
        save_files(tmp_path / "out", files)
    assert list((tmp_path / "out").iterdir()) == []
    monkeypatch.undo()
    assert [path.read_bytes() for path in save_files(tmp_path / "out", files)] == [b"first", b"second"]
    assert len(list((tmp_path / "out").iterdir())) == len(files)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where nothing can be saved, that is an error of the folder and not an empty result."""
    with pytest.raises(FolderError):
        save_files(tmp_path / "no" / "such", [File(name="plan.pdf", content=b"x")])


def test_a_file_is_read_no_further_than_it_may_be_sent(tmp_path: Path) -> None:
    """A file that is far too large costs one byte more than the most; one that is not there is said by its option."""
    large = tmp_path / "large"
    with large.open("wb") as stream:
        stream.truncate(MAX_ATTACHMENT_BYTES * 2)
    (read,) = read_files([large])
    assert (read.name, len(read.content)) == ("large", MAX_ATTACHMENT_BYTES + 1)
    with pytest.raises(CaseError, match="attach"):
        read_files([tmp_path / "none"])


def test_what_is_printed_of_a_letter_opens_nothing() -> None:
    """The key of an attachment is in no output and no repr."""
    sealed = seal_file(b"content", name="plan.pdf", file_id="a" * 32)
    letter = Letter(categories=("hulp",), level=3, text="t", attachments=(sealed.attachment,))
    (shown,) = letter_shown(letter)["attachments"]
    assert shown == {"name": "plan.pdf", "size": 7, "sha256": sealed.attachment.sha256}
