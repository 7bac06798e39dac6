import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from broker.protocol.identifiers import Address, Bsn
from connectors.cases import Case
from connectors.errors import SourceError
from connectors.sources.caseload import Caseload, write_rejects
from connectors.sources.gba_v import SELF_BSN, read_gba_v
from tests.simulators.gba_v import HEADER, official_number, person_rows, write_persons

TODAY = datetime.date(2026, 11, 22)
N = [official_number(place) for place in (0, 5, 11, 23, 47, 95, 191, 383, 500, 600, 700, 800)]


def read(tmp_path: Path, *persons: list[list[str]], limit: int | None = None) -> Caseload:
    """Return what the source makes of these persons."""
    return read_gba_v(write_persons(tmp_path / "file.csv", *persons), today=TODAY, limit=limit)


def one(tmp_path: Path, *rows: dict[str, str]) -> tuple[Case, list[tuple[str, str]]]:
    """Return the case of one person with these rows, and what was reported."""
    first = {"01.01.20": N[0]} | rows[0]
    caseload = read(tmp_path, person_rows("L1", first, *rows[1:]))
    assert caseload.rejected == ()
    return caseload.cases[0], [(remark.field, remark.rule) for remark in caseload.reported]


def bsns(*numbers: str) -> tuple[Bsn, ...]:
    """Return these numbers."""
    return tuple(Bsn.parse(number) for number in numbers)


def test_children_in_unlabelled_rows_are_current_when_the_chain_says_so(tmp_path: Path) -> None:
    """A child, its former state, another child: the chain 59, 09 keeps the first and the third, not the second."""
    case, reported = one(
        tmp_path,
        {"09.01.20": N[1], "09.H": "59"},
        {"09.01.20": N[2], "09.H": "09"},
        {"09.01.20": N[3], "09.H": "59"},
        {"09.01.20": N[4]},
    )
    assert case.members == bsns(N[1], N[3])
    assert reported == []


def test_what_the_chain_does_not_announce_is_left_out_and_reported(tmp_path: Path) -> None:
    """A filled cell after the end of its chain counts for nothing and is named by label and category."""
    case, reported = one(tmp_path, {"09.01.20": N[1]}, {"09.01.20": N[2]})
    assert case.members == bsns(N[1])
    assert reported == [("09", "must be in the chain of its category")]


def test_what_the_chain_announces_and_is_not_there_is_reported(tmp_path: Path) -> None:
    """An announced row that is empty, or missing at the end, is reported."""
    _, reported = one(tmp_path, {"09.01.20": N[1], "09.H": "09"}, {"08.11.20": "1", "08.H": "58"})
    assert [field for field, _ in reported] == ["08", "09"]
    _, reported = one(tmp_path, {"08.11.60": "6811AC", "08.11.20": "1", "08.H": "58"})
    assert reported == [("08", "must have the row that the last one announces")]


def test_an_unknown_mark_ends_the_chain(tmp_path: Path) -> None:
    """A mark that is neither the category nor the category plus fifty is reported, and nothing after it is current."""
    case, reported = one(tmp_path, {"09.01.20": N[1], "09.H": "9"}, {"09.01.20": N[2]})
    assert case.members == bsns(N[1])
    assert ("09.H", "must be the category, the category plus 50, or empty") in reported


def test_a_category_with_one_current_occurrence_has_one(tmp_path: Path) -> None:
    """A second current mother is reported and not used."""
    case, reported = one(tmp_path, {"02.01.20": N[1], "02.H": "02"}, {"02.01.20": N[2]})
    assert [parent.bsn for parent in case.parents] == list(bsns(N[1]))
    assert reported == [("02", "must have one current occurrence")]


def test_the_household_is_partner_children_and_parents(tmp_path: Path) -> None:
    """Members are the partner of a marriage that lasts, children and parents, each once, never the subject."""
    case, _ = one(
        tmp_path,
        {
            "02.01.20": N[1],
            "03.01.20": N[2],
            "05.01.20": N[3],
            "05.H": "05",
            "09.01.20": N[0],
            "09.H": "09",
        },
        {"05.01.20": N[4], "05.07.10": "20010203", "05.H": "55", "09.01.20": N[1]},
        {"05.01.20": N[5]},
    )
    assert case.members == bsns(N[3], N[1], N[2])
    assert [(parent.bsn, parent.source) for parent in case.parents] == [(bsn, "brp") for bsn in bsns(N[1], N[2])]


def test_former_parents_and_homes_do_not_count(tmp_path: Path) -> None:
    """Only what is current now is used: not an earlier father, not an earlier address."""
    case, _ = one(
        tmp_path,
        {"03.01.20": N[1], "03.H": "53", "08.11.60": "6811 ac", "08.11.20": "3", "08.H": "58"},
        {"03.01.20": N[2], "08.11.60": "1011AB", "08.11.20": "9"},
    )
    assert [parent.bsn for parent in case.parents] == list(bsns(N[1]))
    assert case.address == Address(postcode="6811AC", number="3")


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"01.01.20": ""}, "01.01.20"),
        ({"01.01.20": "123456789"}, "01.01.20"),
        ({"01.01.20": "12"}, "01.01.20"),
        ({"06.08.10": "20200101"}, "06.08.10"),
        ({"06.08.10": "00000000"}, "06.08.10"),
        ({"06.08.10": "05"}, "06.08.10"),
        ({"01.03.10": "20261123"}, "01.03.10"),
        ({"01.03.10": "20260230"}, "01.03.10"),
        ({"01.03.10": "1 mei"}, "01.03.10"),
    ],
)
def test_rejected_rows_name_field_and_rule(tmp_path: Path, cells: dict[str, str], field: str) -> None:
    """Whoever is not registered is rejected by label, field and rule, and the value stands nowhere."""
    caseload = read(tmp_path, person_rows("L1", {"01.01.20": N[0]} | cells), person_rows("L2", {"01.01.20": N[1]}))
    assert [(remark.row, remark.field) for remark in caseload.rejected] == [("L1", field)]
    assert [case.row for case in caseload.cases] == ["L2"]
    value = cells[field]
    assert not value or value not in caseload.rejected[0].rule


def test_a_withdrawn_death_is_no_death(tmp_path: Path) -> None:
    """A date of death in a former state only was taken back: the person lives."""
    case, _ = one(tmp_path, {"06.81.10": "0599", "06.H": "56"}, {"06.08.10": "20121026"})
    assert case.row == "L1"


@pytest.mark.parametrize("birth", ["00000000", "20140000", "20140500", "20140012", ""])
def test_unknown_parts_of_a_birth_date_are_allowed(tmp_path: Path, birth: str) -> None:
    """A birth date of which parts are unknown is no reason to reject anybody."""
    case, _ = one(tmp_path, {"01.03.10": birth})
    assert (case.birth_date is None) == (birth == "")


def test_a_relatives_bad_number_leaves_the_person(tmp_path: Path) -> None:
    """A relative's number that cannot be one is left out and reported; the person stays."""
    case, reported = one(tmp_path, {"02.01.20": "111111111", "09.01.20": "42"})
    assert case.members == ()
    assert [field for field, _ in reported] == ["02.01.20", "09.01.20"]


def test_an_address_that_breaks_a_rule_is_left_out(tmp_path: Path) -> None:
    """A malformed address is reported and gives no token; a missing postcode is simply no address."""
    case, reported = one(tmp_path, {"08.11.60": "68 AC", "08.11.20": "1"})
    assert case.address is None
    assert reported == [("08", "postcode: must be four digits and two letters")]
    case, reported = one(tmp_path, {"08.11.20": "1"})
    assert (case.address, reported) == (None, [])


def test_one_number_on_two_persons_is_one_subject(tmp_path: Path) -> None:
    """The later of two rows with one number is rejected by its label."""
    persons = [person_rows(label, {"01.01.20": number}) for label, number in (("L1", N[0]), ("L2", N[1]), ("L3", N[0]))]
    caseload = read(tmp_path, *persons).one_subject_each(field=SELF_BSN)
    assert [case.row for case in caseload.cases] == ["L1", "L2"]
    assert [(remark.row, remark.field) for remark in caseload.rejected] == [("L3", SELF_BSN)]


def test_limit_and_choice_are_by_person(tmp_path: Path) -> None:
    """A limit counts labels, not lines; a choice keeps what concerns the chosen labels only."""
    persons = [person_rows(f"L{at}", {"01.01.20": N[at], "09.01.20": "1"}, {}) for at in range(4)]
    caseload = read(tmp_path, *persons, limit=3).chosen({"L1", "L3"})
    assert [case.row for case in caseload.cases] == ["L1"]
    assert [remark.row for remark in caseload.reported] == ["L1"]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b";", b","),
        lambda raw: raw.replace("é".encode(), b"\xe9"),
        lambda raw: raw.replace(b"01.01.20;", b"01.01.21;"),
        lambda raw: raw.replace(b"09.H", b"08.H"),
        lambda raw: raw[:-40],
        lambda raw: raw.removesuffix(b"\n"),
        lambda raw: raw.replace(b"L1;", b'L1;"'),
        lambda raw: raw.replace(b"L2;", b"L1;"),
        lambda raw: raw.replace(b"L1;", b";"),
        lambda raw: raw[:0],
    ],
)
def test_a_file_that_is_no_such_file_changes_nothing(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    """Another delimiter or encoding, a missing or doubled column, a file cut off, an open quote: refused whole."""
    path = write_persons(
        tmp_path / "file.csv",
        person_rows("L1", {"01.01.20": N[0], "01.02.10": "Zoé"}),
        person_rows("L2", {"01.01.20": N[1]}),
    )
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(SourceError) as caught:
        read_gba_v(path, today=TODAY)
    assert N[0] not in str(caught.value)


def test_a_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    """A file of 100 MB is refused before it is read, and a missing one is named as such."""
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(SourceError, match="64 MiB"):
        read_gba_v(path, today=TODAY)
    with pytest.raises(SourceError, match="cannot be read"):
        read_gba_v(tmp_path / "none.csv", today=TODAY)
    assert len(set(HEADER)) == len(HEADER) - 1


def test_rejects_are_written_by_row_field_and_rule(tmp_path: Path) -> None:
    """The rejects file has a header and one line per rejected row, readable by the owner only."""
    caseload = read(tmp_path, person_rows("L1", {"01.01.20": "1"}))
    path = tmp_path / "rejects.csv"
    write_rejects(path, caseload.rejected)
    assert path.read_text() == "row,field,rule\nL1,01.01.20,must be eight or nine digits\n"
    assert path.stat().st_mode & 0o777 == 0o600
