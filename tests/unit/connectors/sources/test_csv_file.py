import datetime
import subprocess
import sys
from pathlib import Path

import pytest

from broker.protocol.identifiers import Address, Bsn
from connectors.cases import Assessment, Informing
from connectors.errors import SourceError
from connectors.sources.caseload import Caseload
from connectors.sources.csv_file import COLUMNS, read_csv
from tests.simulators.gba_v import official_number

TODAY = datetime.date(2026, 11, 22)
CHILD, MOTHER, FATHER, SISTER = (official_number(place) for place in (1, 12, 123, 1234))
FULL = {
    "case_ref": "zaak 7",
    "bsn": CHILD,
    "birth_date": "2014-05-00",
    "parent_bsn_1": MOTHER,
    "parent_1_source": "brp",
    "parent_bsn_2": FATHER,
    "parent_2_source": "own",
    "member_bsns": f"{SISTER} {MOTHER} {CHILD}",
    "postcode": "6811 ac",
    "number": "12",
    "letter": "A",
    "designation": "to",
    "team": "team-1",
    "ends_on": "2027-06-30",
    "assessed_on": "2026-11-20",
    "assessed_by": "anna",
    "informed": "no",
    "informed_reason": "danger_to_child",
}


def read(tmp_path: Path, *rows: dict[str, str]) -> Caseload:
    """Return what the source makes of these rows."""
    lines = [",".join(COLUMNS), *(",".join(row.get(column, "") for column in COLUMNS) for row in rows)]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return read_csv(path, today=TODAY)


def test_a_full_row_is_a_full_case(tmp_path: Path) -> None:
    """Every column has its place in the case."""
    (case,) = read(tmp_path, FULL).cases
    assert (case.row, case.case_ref, case.team) == ("2", "zaak 7", "team-1")
    assert case.subject == Bsn.parse(CHILD)
    assert [(parent.bsn, parent.source) for parent in case.parents] == [
        (Bsn.parse(MOTHER), "brp"),
        (Bsn.parse(FATHER), "own"),
    ]
    assert case.members == (Bsn.parse(SISTER), Bsn.parse(MOTHER))
    assert case.address == Address(postcode="6811AC", number="12", letter="a", designation="to")
    assert case.ends_on == datetime.date(2027, 6, 30)
    assert case.assessment == Assessment(on=datetime.date(2026, 11, 20), by="anna")
    assert case.informing == Informing(informed=False, reason="danger_to_child")


def test_a_bare_row_is_a_bare_case(tmp_path: Path) -> None:
    """Only the number is needed; what is not known stays unknown."""
    (case,) = read(tmp_path, {"bsn": CHILD}).cases
    assert (case.case_ref, case.birth_date, case.parents, case.members) == (None, None, (), ())
    assert (case.address, case.team, case.ends_on, case.assessment, case.informing) == (None,) * 5


def test_an_informed_family_needs_no_reason(tmp_path: Path) -> None:
    """The answer yes stands alone."""
    (case,) = read(tmp_path, {"bsn": CHILD, "informed": "yes"}).cases
    assert case.informing == Informing(informed=True)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"bsn": ""}, "bsn"),
        ({"bsn": "123456789"}, "bsn"),
        ({"deceased_on": "2020-01-01"}, "deceased_on"),
        ({"birth_date": "2027-01-01"}, "birth_date"),
        ({"birth_date": "20-1-1"}, "birth_date"),
        ({"parent_1_source": ""}, "parent_1_source"),
        ({"parent_bsn_2": "1"}, "parent_bsn_2"),
        ({"parent_bsn_2": CHILD}, "parent_bsn_2"),
        ({"member_bsns": f"{SISTER} 12"}, "member_bsns"),
        ({"number": ""}, "number"),
        ({"team": "het team"}, "team"),
        ({"ends_on": "30-6-2027"}, "ends_on"),
        ({"assessed_by": ""}, "assessed_on"),
        ({"informed": "ja"}, "informed"),
        ({"informed_reason": "busy"}, "informed_reason"),
    ],
)
def test_a_row_that_breaks_a_rule_is_rejected_by_line_and_field(
    tmp_path: Path, cells: dict[str, str], field: str
) -> None:
    """One bad cell rejects its row, named by line and field; the other rows stay."""
    caseload = read(tmp_path, FULL | cells, {"bsn": MOTHER})
    assert [(remark.row, remark.field) for remark in caseload.rejected] == [("2", field)]
    assert [case.row for case in caseload.cases] == ["3"]


def test_the_gba_v_delimiter_is_refused_here(tmp_path: Path) -> None:
    """A file with semicolons is no file with commas; the error asks about the delimiter."""
    path = tmp_path / "cases.csv"
    path.write_text(";".join(COLUMNS) + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match="delimiter"):
        read_csv(path, today=TODAY)


_READ = """
import datetime, sys
from pathlib import Path
from connectors.sources.csv_file import read_csv
read = read_csv(Path(sys.argv[1]), today=datetime.date(2026, 11, 22)).one_subject_each(field="bsn")
status = Path("/proc/self/status").read_text()  # of this program alone; what it was forked from does not count
print(len(read.cases), len(read.rejected), status.partition("VmHWM:")[2].split()[0])
"""


def test_a_region_of_fifty_thousand_rows_is_read_in_little_memory(tmp_path: Path) -> None:
    """Fifty thousand rows are read whole, each a case, in a process that never takes half a gigabyte."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    candidates = (f"{number:09}" for number in range(100_000_000, 101_000_000))
    fitting = (n for n in candidates if not sum(w * int(d) for w, d in zip(weights, n, strict=True)) % 11)
    row = dict.fromkeys(COLUMNS, "") | {
        "birth_date": "2014-05-17",
        "team": "team-1",
        "postcode": "6811AC",
        "number": "1",
    }
    lines = [",".join(COLUMNS), *(",".join((row | {"bsn": next(fitting)}).values()) for _ in range(50_000))]
    path = tmp_path / "region.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", _READ, path], capture_output=True, text=True, check=True)
    cases, rejected, kilobytes = map(int, done.stdout.split())
    assert (cases, rejected) == (50_000, 0)
    assert kilobytes < 500_000
