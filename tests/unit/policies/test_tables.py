"""Decision tables beside the documents: what is expected is decided, and every rule decides something."""

import shutil
from pathlib import Path

import pytest

from policies import Bundle, ConvenantError, load_bundle
from policies.errors import TableError
from policies.load import SHIPPED
from policies.tables import read_tables, run_tables
from tests.unit.policies.arnhem import VIRA, changed_documents

TABLE = "regio/arnhem-achterhoek/verwijsindex.tabel.yml"
CSV = "lex/grenzen.tabel.csv"


def test_the_shipped_tables_hold(trial: Bundle) -> None:
    """Every row beside the shipped documents is decided as written, and every shipped rule decides one."""
    result = run_tables(trial, read_tables(SHIPPED, with_tests=True))
    assert result.document() == {"rows": result.rows, "misses": [], "undecided": [], "unexpected": []}
    assert result.holds
    assert set(result.decided) == set(trial.clauses)


def test_tables_of_tests_need_the_switch() -> None:
    """A table in test/ is read with the test documents only."""
    shipped, all_tables = ({row.table for row in read_tables(SHIPPED, with_tests=tests)} for tests in (False, True))
    assert {TABLE, CSV} <= shipped
    assert all_tables - shipped == {"test/proefregio.tabel.yml"}


def test_a_changed_clause_is_noticed_by_a_row(tmp_path: Path) -> None:
    """A document that says something else than its table expects names the row, and the rule that decides nothing."""
    folder = changed_documents(tmp_path, (VIRA, "niveau: {min: 1, max: 2}", "niveau: {min: 1, max: 1}"))
    result = run_tables(load_bundle(folder), read_tables(folder))
    assert not result.holds
    assert {miss.row.name for miss in result.misses} >= {"Wijkteam geeft een signaal af met akkoord van een collega"}
    assert result.document()["misses"]


def test_a_rule_without_a_row_is_named(trial: Bundle) -> None:
    """Without tables every rule is untested, and that does not hold."""
    result = run_tables(trial, ())
    assert (result.holds, result.rows) == (False, 0)
    assert set(result.undecided) == set(trial.clauses)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (TABLE, "uitkomst: 2", "uitkomst: true"),
        (TABLE, "schema: beslistabel/v1", "schema: tabel/v1"),
        (TABLE, "rijen:", "kleur: rood\nrijen:"),
        (TABLE, "role: worker", "rol: worker"),
        (TABLE, "rijen:", "rijen: &a"),
        (CSV, "naam,uitkomst", "naam,naam"),
        (CSV, "naam,uitkomst", "naam,kleur"),
        (CSV, "Geen grondslag genoemd,", ""),
        (CSV, "fam nlbsn,", "fam nlbsn,x,"),
        (CSV, ",true,false", ",waar,false"),
        (CSV, "fam nlbsn,", "fam nlbsn,,,,,,,,,,,,"),
        (CSV, "2026-11-22", "22-11-2026"),
    ],
)
def test_a_table_that_is_none_is_refused(shipped: Bundle, tmp_path: Path, file: str, old: str, new: str) -> None:
    """A word, field, column or cell that a table cannot have is told with its place, and no row counts."""
    folder = tmp_path / "documents"
    shutil.copytree(SHIPPED, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConvenantError) as caught:
        run_tables(shipped, read_tables(folder))
    assert file in str(caught.value)


def test_a_table_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Bytes that are no UTF-8 are told as such."""
    (tmp_path / "x.tabel.csv").write_bytes(b"\xff")
    with pytest.raises(TableError, match="UTF-8"):
        read_tables(tmp_path)


def test_numbers_and_words_in_a_cell(tmp_path: Path, shipped: Bundle) -> None:
    """A cell is text as it stands; a table without rows does not hold."""
    (tmp_path / "x.tabel.csv").write_text("naam,uitkomst,regel,role\n", encoding="utf-8")
    assert not run_tables(shipped, read_tables(tmp_path)).holds


SHARED = """schema: beslistabel/v1
feiten:
  day: 2026-11-22
  operation: share
  organisation: '00000099000000007000'
  org_class: huisarts
  role: worker
  purpose: vt-melding
  grounds: [WMO-5.2.6]
  standing: none
  approval: none
  families: []
  recipient: veilig_thuis
  category: veiligheid
  level: 3
rijen:
"""
TELLERS = (
    "[wijkteam, gi, rvdk, school, leerplicht, ggz, verslavingszorg, huisarts, jgz, seh, vrouwenopvang, "
    "woningcorporatie, meldpunt_overlast]"
)
RIGHT = f"""
  - naam: wie
    alleen: {{org_class: {TELLERS}}}
    uitkomst: 3
    regel: lex/meldrecht
    verplichtingen: [informeer_betrokkene P28D]
"""


@pytest.mark.parametrize(
    ("old", "new", "missed"),
    [
        ("", "", 0),
        (", woningcorporatie", "", 1),
        ("[wijkteam", "[politie, wijkteam", 1),
        ("alleen:", "elk:", 0),
        ("informeer_betrokkene P28D", "informeer_betrokkene P14D", 13),
        ("informeer_betrokkene P28D", "informeer_betrokkene P28D, noem_overleg P1D", 13),
        ("informeer_betrokkene P28D", "", 13),
    ],
)
def test_a_row_speaks_about_every_word_and_every_duty(
    shipped: Bundle, tmp_path: Path, old: str, new: str, missed: int
) -> None:
    """A row with alleen holds for its words and no other; a duty too many, too few or of another term is a miss."""
    (tmp_path / "x.tabel.yml").write_text(SHARED + RIGHT.replace(old, new, 1), encoding="utf-8")
    result = run_tables(shipped, read_tables(tmp_path))
    assert len(result.misses) == missed
    assert result.rows == (13 if new == "elk:" else len(shipped.classes))


def test_a_duty_that_no_row_expects_is_named(shipped: Bundle, tmp_path: Path) -> None:
    """A duty stands in some row, or the tables do not hold."""
    (tmp_path / "x.tabel.yml").write_text(SHARED + RIGHT, encoding="utf-8")
    unexpected = run_tables(shipped, read_tables(tmp_path)).unexpected
    assert "lex@2026.1.0/meldrecht informeer_betrokkene" not in unexpected
    assert "lex@2026.1.0/meldrecht noem_overleg" in unexpected


@pytest.mark.parametrize("words", ["org_class: [buurman]", "role: [worker]", "treffer.holder: [x]"])
def test_a_row_varies_known_words_of_a_known_fact(shipped: Bundle, tmp_path: Path, words: str) -> None:
    """A word nobody knows would be refused whatever the documents say, so it is no row."""
    row = f"\n  - naam: wie\n    elk: {{{words}}}\n    uitkomst: 3\n"
    (tmp_path / "x.tabel.yml").write_text(SHARED + row, encoding="utf-8")
    with pytest.raises(TableError, match="row wie"):
        run_tables(shipped, read_tables(tmp_path))


def test_a_csv_table_can_name_duties(shipped: Bundle, tmp_path: Path) -> None:
    """The column verplichtingen holds every duty, separated by semicolons."""
    head = (
        "naam,uitkomst,regel,verplichtingen,day,operation,organisation,org_class,role,purpose,grounds,standing,"
        "approval,families,recipient,category,level,dossier,acute_open"
    )
    row = (
        "2026-11-22,share,00000099000000007000,huisarts,worker,vt-melding,WMO-5.2.6,none,none,,"
        "veilig_thuis,veiligheid,3,acuut,false"
    )
    duties = "noem_overleg P1D; beoordeel_spoed P1D; informeer_betrokkene P28D"
    (tmp_path / "x.tabel.csv").write_text(f"{head}\na,3,lex/meldrecht,{duties},{row}\n", encoding="utf-8")
    assert run_tables(shipped, read_tables(tmp_path)).misses == ()
    (tmp_path / "x.tabel.csv").write_text(f"{head}\na,3,lex/meldrecht,,{row}\n", encoding="utf-8")
    (miss,) = run_tables(shipped, read_tables(tmp_path)).misses
    assert miss.got.endswith("beoordeel_spoed P1D informeer_betrokkene P28D noem_overleg P1D")
    assert miss.expected == "3 lex/meldrecht"
