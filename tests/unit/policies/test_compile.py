"""Clauses to lines: golden lines, and every way a clause can say more than it may."""

from dataclasses import replace
from pathlib import Path

import pytest

from policies import Bundle, load_bundle
from policies.compile import compile_lines
from policies.disclosing import Tables
from policies.errors import ClauseError, EmptyBundleError, LineError
from policies.lines import LINE_COLUMNS
from policies.vocabulary import WILDCARD
from tests.unit.policies.amsterdam import AA_DOCUMENT
from tests.unit.policies.arnhem import VIRA, changed_documents, read_citations, read_table

GOLDEN = Path(__file__).parent / "golden"
LEX = "lex/wettelijk.yaml"
GRONDEN = "lex/gronden.yaml"


def rendered(bundle: Bundle) -> str:
    """The lines as text: a header and one line per policy line, in compiled order."""
    rows = [LINE_COLUMNS, *(line.cells() for line in bundle.lines)]
    return "".join(", ".join(row) + "\n" for row in rows)


def test_the_compiled_lines_are_the_golden_ones(trial: Bundle) -> None:
    """What the documents compile to changes only together with the golden file a reviewer reads."""
    assert rendered(trial) == (GOLDEN / "lines.csv").read_text(encoding="utf-8")


def duties(bundle: Bundle) -> str:
    """The duties as text: one line per rule and duty."""
    rows = [
        (rid, *(str(value) for value in duty.record().values()))
        for rid, clause in sorted(bundle.clauses.items())
        for duty in clause.obligations
    ]
    return "".join("; ".join(row) + "\n" for row in rows)


def test_the_duties_are_the_golden_ones(trial: Bundle) -> None:
    """No line holds a duty, so the duties of every rule have a golden file of their own."""
    assert duties(trial) == (GOLDEN / "duties.txt").read_text(encoding="utf-8")


def test_no_convenant_line_speaks_about_every_ground(trial: Bundle) -> None:
    """Only the statutory bundle has lines with ground *, so no convenant can block a statutory route."""
    assert {line.rid.split("@")[0] for line in trial.lines if line.ground == WILDCARD} == {"lex"}


def test_every_allowing_line_is_bound(trial: Bundle) -> None:
    """An allowing line names its purpose and ground, an agreement or the statute, and an open signal to show."""
    for line in trial.lines:
        if line.eft == "allow":
            assert WILDCARD not in (line.purpose, line.ground, line.act)
            assert line.party == (WILDCARD if line.rid.startswith("lex@") else line.rid.partition("/")[0])
            assert line.shield == ("open" if line.act in {"see", "ring"} else WILDCARD)


WIDE = read_table("wide_clauses.yaml")

MORE_GROUND = """
  - id: {0}
    soort: {1}
    citaat: geen
    samenvatting: geen
    kort: geen
    van: 2015-01-01
    tot: null
    verificatie: V
    vereist_aansluiting: false
"""


@pytest.mark.parametrize("row", WIDE, ids=lambda row: row["name"])
def test_a_clause_that_says_too_much_does_not_compile(tmp_path: Path, row: dict[str, str]) -> None:
    """A convenant narrows its purpose and grounds, never widens them; the error names file, line and field."""
    folder = changed_documents(tmp_path, (row["file"], row["old"], row["new"]))
    with (folder / GRONDEN).open("a", encoding="utf-8") as grounds:
        grounds.write(MORE_GROUND.format("TEST", "test"))
    with pytest.raises(ClauseError) as caught:
        load_bundle(folder)
    assert caught.value.field.removeprefix("afspraken").partition(".")[2] == row["field"]
    assert caught.value.file in (VIRA, LEX, AA_DOCUMENT)
    assert caught.value.rule == row["rule"]
    assert caught.value.clause is not None
    assert f"(afspraak {caught.value.clause})" in str(caught.value)
    assert caught.value.line > 1


@pytest.mark.parametrize(
    ("old", "new"),
    [("avg_klasse: art10", "avg_klasse: gewoon"), ("art10, beroepsgeheim: true", "art10, beroepsgeheim: false")],
)
def test_a_category_is_of_one_class_in_every_document(tmp_path: Path, old: str, new: str) -> None:
    """Criminal data stay criminal data whichever agreement names them; the statute speaks first."""
    with pytest.raises(ClauseError, match="same in every document") as caught:
        load_bundle(changed_documents(tmp_path, (AA_DOCUMENT, old, new)))
    assert caught.value.file == AA_DOCUMENT
    assert caught.value.field.startswith("gegevenscategorieen")
    assert caught.value.line > 1


def tables(bundle: Bundle) -> Tables:
    """The tables the shipped clauses are held against."""
    return Tables(
        classes=bundle.classes,
        purposes=bundle.purposes,
        grounds=bundle.grounds,
        proofs=bundle.proofs,
        passages={row.id: row.passage for row in read_citations()},
    )


def test_documents_that_only_forbid_do_not_load(shipped: Bundle) -> None:
    """A bundle without one allowance refuses to start, rather than to refuse everything silently."""
    lex = next(convenant for convenant in shipped.convenants if convenant.kind == "lex")
    forbidding = replace(lex, clauses=tuple(clause for clause in lex.clauses if not clause.allows))
    with pytest.raises(EmptyBundleError):
        compile_lines([forbidding], tables(shipped), shipped.vocabulary)


def test_a_line_outside_the_vocabulary_does_not_compile(shipped: Bundle) -> None:
    """The compiler checks its own lines against the vocabulary they will be judged with."""
    smaller = {**shipped.vocabulary, "ask": frozenset({"gi"})}
    with pytest.raises(LineError):
        compile_lines(shipped.convenants, tables(shipped), smaller)


def test_a_clause_ends_when_the_first_of_its_periods_ends(tmp_path: Path) -> None:
    """Document, clause, ground and purpose must all hold: the latest start and the earliest end count."""
    folder = changed_documents(
        tmp_path,
        (VIRA, "bewijs: [own_signal]", "bewijs: [own_signal]\n    van: 2026-02-01\n    tot: 2029-01-01"),
        (GRONDEN, "van: 2015-01-01\n    tot: null", "van: 2015-01-01\n    tot: 2028-01-01"),
    )
    lines = load_bundle(folder).lines
    checks = {(line.since, line.until) for line in lines if line.rid.endswith("/kijken")}
    others = {(line.since, line.until) for line in lines if line.rid.endswith("/zien")}
    assert (checks, others) == ({("20260201", "20280101")}, {("20250101", "20280101")})


def test_a_line_can_be_read_back_from_its_cells(shipped: Bundle) -> None:
    """The cells of a line, in model order, are that line."""
    for line in shipped.lines:
        assert type(line).from_cells(line.cells()) == line
    assert replace(shipped.lines[0], eft="deny").cells()[-1] == "deny"
