import json
from pathlib import Path

import pytest

from broker.protocol.identifiers import Address, Bsn
from connectors.errors import SourceError
from connectors.sources.case_file import read_bsn_file, read_case_file
from tests.simulators.gba_v import official_number

CHILD, MOTHER = official_number(2), official_number(22)
FULL = {
    "caseRef": "zaak-1",
    "bsn": CHILD,
    "birthDate": "2014-05-17",
    "parents": [{"bsn": MOTHER, "source": "brp"}, {"bsn": CHILD, "source": "own"}],
    "members": [MOTHER, CHILD],
    "address": {"postcode": "6811AC", "number": "12"},
    "team": "team-1",
    "endsOn": "2027-06-30",
    "assessment": {"on": "2026-11-20", "by": "anna"},
    "informing": {"informed": False, "reason": "danger_to_child", "reviewOn": "2027-01-01"},
}


def written(tmp_path: Path, value: object) -> Path:
    """Return a file that holds this JSON value."""
    path = tmp_path / "case.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_one_case_or_a_list_is_read_whole(tmp_path: Path) -> None:
    """Every member has its place; the subject is never its own parent or member."""
    for value, count in ((FULL, 1), ([FULL, {"bsn": MOTHER}], 2)):
        caseload = read_case_file(written(tmp_path, value))
        assert len(caseload.cases) == count
        case = caseload.cases[0]
        assert [parent.bsn for parent in case.parents] == [Bsn.parse(MOTHER)]
        assert case.members == (Bsn.parse(MOTHER),)
        assert case.address == Address(postcode="6811AC", number="12")
        assert case.informing is not None
        assert case.assessment is not None


def test_an_address_alone_is_a_case_too(tmp_path: Path) -> None:
    """An organisation that may not use BSN keys asks with an address."""
    (case,) = read_case_file(written(tmp_path, {"address": {"postcode": "6811AC", "number": "12"}})).cases
    assert case.subject is None


@pytest.mark.parametrize(
    "value",
    [1, {"name": "Mieke"}, {"bsn": 999990019}, {"parents": [{"bsn": CHILD, "source": "guess"}]}, {"endsOn": "soon"}],
)
def test_a_file_of_another_form_is_refused_without_its_values(tmp_path: Path, value: object) -> None:
    """An unknown or malformed member is named; what it held is not."""
    with pytest.raises(SourceError) as caught:
        read_case_file(written(tmp_path, value))
    assert "Mieke" not in str(caught.value)
    assert CHILD not in str(caught.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A missing file, broken JSON or a key twice is no case."""
    path = tmp_path / "case.json"
    for content in (None, b"{", b'{"bsn":"1","bsn":"2"}', b"\xff"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(SourceError):
            read_case_file(path)
    with pytest.raises(SourceError):
        read_bsn_file(tmp_path / "none")


@pytest.mark.parametrize("value", [{"bsn": "1"}, {"bsn": CHILD, "birthDate": "May"}, {"members": ["x"]}])
def test_a_case_that_breaks_a_rule_is_rejected_by_its_place(tmp_path: Path, value: object) -> None:
    """One bad case of a list is rejected; the others stay."""
    caseload = read_case_file(written(tmp_path, [value, {"bsn": MOTHER}]))
    assert [remark.row for remark in caseload.rejected] == ["1"]
    assert [case.row for case in caseload.cases] == ["2"]


def test_numbers_come_one_per_line(tmp_path: Path) -> None:
    """A file of numbers gives one case per line; a bad line is rejected by its number."""
    path = tmp_path / "bsn.txt"
    path.write_text(f"{CHILD}\n\n12\n{MOTHER}\n", encoding="ascii")
    caseload = read_bsn_file(path)
    assert [case.row for case in caseload.cases] == ["1", "4"]
    assert [remark.row for remark in caseload.rejected] == ["3"]
