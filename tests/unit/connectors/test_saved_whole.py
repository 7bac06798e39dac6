"""Files of a letter are saved all or none, at whatever step a disk fails, and read no further than may be sent."""

import errno
import os
from pathlib import Path

import pytest

from broker.protocol.letter import MAX_ATTACHMENT_BYTES
from connectors.attachments import File, read_files, save_files
from connectors.errors import CaseError, FolderError

FILES = [File(name=name, content=name.encode()) for name in ("a.pdf", "b.pdf", "c.pdf")]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_disk_that_fails_at_a_name_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    """A file that has its name already goes again when a later one cannot get its own."""
    link, calls = os.link, []

    def full(*arguments: object, **options: object) -> None:
        calls.append(arguments)
        if len(calls) == fails_at:
            raise OSError(errno.EDQUOT, "no space")
        link(*arguments, **options)  # type: ignore[arg-type]  # as it was called

    (tmp_path / "mine.pdf").write_bytes(b"mine")
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(FolderError) as refused:
        save_files(tmp_path, FILES)
    monkeypatch.undo()
    assert str(refused.value) == "out: cannot be written"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.pdf"]


def test_every_file_of_a_letter_stands_under_its_own_name(tmp_path: Path) -> None:
    """In the order of the letter, whole, and nothing of the saving is left beside them."""
    saved = save_files(tmp_path / "out", [*FILES, FILES[0]])
    assert [path.name for path in saved] == ["a.pdf", "b.pdf", "c.pdf", "1-a.pdf"]
    assert [path.read_bytes() for path in saved] == [b"a.pdf", b"b.pdf", b"c.pdf", b"a.pdf"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1-a.pdf", "a.pdf", "b.pdf", "c.pdf"]
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o700


def test_a_file_is_read_one_byte_past_what_may_be_sent(tmp_path: Path) -> None:
    """So that what is too large is seen to be, and never held whole; a file that is none is named by its field."""
    large = tmp_path / "large.pdf"
    with large.open("wb") as stream:
        stream.truncate(MAX_ATTACHMENT_BYTES + 9)
    (read,) = read_files([large])
    assert (read.name, len(read.content)) == ("large.pdf", MAX_ATTACHMENT_BYTES + 1)
    for none in (tmp_path / "no.pdf", tmp_path):
        with pytest.raises(CaseError) as refused:
            read_files([large, none])
        assert str(refused.value) == "attach: must be a file that can be read"
