from pathlib import Path

import pytest

from connectors.demo.errors import WorkFolderError
from connectors.demo.work_folder import MARKER, WorkFolder


def test_a_folder_of_ours_is_wiped(tmp_path: Path) -> None:
    """Of an earlier run nothing is left."""
    out = tmp_path / "demo"
    WorkFolder.fresh(out)
    (out / "report.json").write_text("{}")
    work = WorkFolder.fresh(out)
    assert not (work.path / "report.json").exists()
    assert (work.path / MARKER).exists()


def test_a_folder_of_somebody_else_stays_as_it_is(tmp_path: Path) -> None:
    """What the demonstration did not make it does not touch: a folder without our marker, a file, a link."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(WorkFolderError):
        WorkFolder.fresh(tmp_path)
    with pytest.raises(WorkFolderError):
        WorkFolder.fresh(tmp_path / "thesis.txt")
    ours = tmp_path / "ours"
    WorkFolder.fresh(ours)
    link = tmp_path / "link"
    link.symlink_to(ours)
    with pytest.raises(WorkFolderError):
        WorkFolder.fresh(link)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
