"""A few of the disk calls of one append fail or kill the process; `make campaign NAME=syscalls` tries them all."""

from pathlib import Path

import pytest

from tests.campaigns.syscalls import FAULTS, SYNCS, Prepared, broken_off, points

OTHERS = 3


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """A log with one acknowledged entry."""
    return Prepared(tmp_path_factory.mktemp("syscalls") / "prepared")


@pytest.mark.parametrize("fault", FAULTS)
def test_an_append_broken_off_at_a_disk_call_loses_nothing(tmp_path: Path, prepared: Prepared, fault: str) -> None:
    """Whatever call fails or is the last, acknowledged entries and old receipts hold and the log goes on."""
    chosen = [point for point in points(prepared, tmp_path, size=OTHERS, seed=1) if point.fault == fault]
    syncs = [point for point in chosen if point.call in SYNCS]
    assert len(syncs) >= 4  # two appends, each with a commit and a release
    others = [point for point in chosen if point not in syncs]
    assert len(others) == OTHERS
    tried = [*syncs[:4], *others]
    assert {str(point): broken_off(prepared, tmp_path, point) for point in tried} == {str(one): [] for one in tried}
