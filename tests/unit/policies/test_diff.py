"""Comparing bundles: everything that opens or closes is found, and nothing else is said to."""

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from policies import Bundle, load_bundle
from policies.cells import Assignment, allowed, cells, covers_every_column, groups
from policies.diff import Diff, compare, merged
from policies.engine import Engine
from policies.lines import REQUEST_COLUMNS, Request
from policies.schema import validator
from tests.unit.policies.arnhem import VIRA, changed_documents

KIJKEN = "vragend: [wijkteam, gi, veilig_thuis]"


def _against(shipped: Bundle, folder: Path, *changes: tuple[str, str, str]) -> Diff:
    found = compare(shipped, load_bundle(changed_documents(folder, *changes)))
    assert list(validator("diff/v1").iter_errors(found.document())) == []
    return found


def test_the_same_bundle_differs_in_nothing(shipped: Bundle) -> None:
    """No cell, no party and no document of a bundle differs from itself."""
    found = compare(shipped, load_bundle())
    assert (found.openings, found.closings, found.documents) == (0, 0, ())


def test_every_cell_of_the_first_bundle_opens(shipped: Bundle) -> None:
    """Compared with no bundle at all, everything that is allowed opens, and nothing closes."""
    found = compare(None, shipped)
    assert found.closings == 0
    allowing = {rid for rid, clause in shipped.clauses.items() if clause.allows}
    assert {rule for change in found.changes for rule in change.rules} == allowing
    assert {change.what for change in found.beyond} == {"party"}
    assert "verwijsindex in vira: 00000099000000001000 wijkteam 2025-01-01..2031-01-01" in {
        one.name for one in found.beyond
    }


def test_taking_a_class_out_closes_its_cells_only(shipped: Bundle, tmp_path: Path) -> None:
    """A class less closes what that class could do, and opens nothing."""
    found = _against(shipped, tmp_path, (VIRA, KIJKEN, "vragend: [wijkteam, gi]"))
    assert found.openings == 0
    assert {(one.group["act"], one.group["ask"]) for one in found.changes} == {("check", "veilig_thuis")}
    assert found.documents == (VIRA,)
    back = compare(load_bundle(tmp_path / "documents"), shipped)
    assert (back.openings, back.closings) == (found.closings, 0)


def test_a_later_end_opens_days_only(shipped: Bundle, tmp_path: Path) -> None:
    """Prolonging the agreement opens the days after its old end, and no other."""
    found = _against(shipped, tmp_path, (VIRA, "tot: 2031-01-01", "tot: 2032-01-01"))
    assert found.closings == 0
    assert {day for one in found.changes for day in one.words["day"]} == {"20310101"}


def test_another_version_alone_changes_nothing(shipped: Bundle, tmp_path: Path) -> None:
    """A new version number renames every rule and opens no cell."""
    found = _against(shipped, tmp_path, (VIRA, "versie: 2026.1.0", "versie: 2026.2.0"))
    assert (found.openings, found.closings, found.documents) == (0, 0, (VIRA,))


@pytest.mark.parametrize(
    ("change", "direction", "what"),
    [
        (("toegetreden_op: 2025-01-01", "toegetreden_op: 2026-01-01"), {"closes"}, "party"),
        (("fase: achteraf, termijn: P28D", "fase: vooraf"), {"closes"}, "duty"),
    ],
)
def test_parties_and_duties_count_too(
    shipped: Bundle, tmp_path: Path, change: tuple[str, str], direction: set[str], what: str
) -> None:
    """Who is party and what has to be done are no lines, and a change of them is told all the same."""
    found = _against(shipped, tmp_path, (VIRA, *change))
    assert found.changes == ()
    assert {one.what for one in found.beyond} == {what}
    assert direction <= {one.direction for one in found.beyond}


def test_dropping_a_duty_beforehand_counts_as_opening(shipped: Bundle, tmp_path: Path) -> None:
    """What kept data back until it was done is gone: that needs a second sign-off."""
    folder = changed_documents(tmp_path, (VIRA, "fase: achteraf, termijn: P28D", "fase: vooraf"))
    found = compare(load_bundle(folder), shipped)
    assert [one.direction for one in found.beyond if " vooraf " in one.name] == ["opens"]


def test_a_purpose_that_uses_more_needs_a_look(shipped: Bundle, tmp_path: Path) -> None:
    """A purpose that uses another family, or lasts longer, counts as an opening; another sentence about it does not."""
    more = _against(shipped, tmp_path / "a", ("lex/doelen.yaml", "families: [nlbsn, fam]", "families: [nlbsn]"))
    words = _against(shipped, tmp_path / "b", ("lex/doelen.yaml", "kort: de verwijsindex", "kort: de index"))
    assert [(one.what, one.direction, one.name) for one in more.beyond] == [
        ("purpose", "closes", "verwijsindex families: -fam")
    ]
    assert [one.direction for one in compare(load_bundle(tmp_path / "a" / "documents"), shipped).beyond] == ["opens"]
    assert (words.openings, words.beyond) == (0, ())


def test_every_column_of_the_model_is_compared() -> None:
    """A column that is added to the model cannot be forgotten here."""
    assert covers_every_column()


def test_boxes_lose_and_invent_no_cell() -> None:
    """Merging cells into boxes keeps exactly the cells there were."""
    parts: list[Assignment] = [
        {"a": (x,), "b": (y,)} for x, y in (("1", "1"), ("1", "2"), ("2", "1"), ("2", "2"), ("3", "1"))
    ]
    boxes = merged(parts)
    assert len(boxes) == 2
    assert sorted((x, y) for box in boxes for x in box["a"] for y in box["b"]) == sorted(
        (part["a"][0], part["b"][0]) for part in parts
    )
    assert merged([]) == []


def test_a_cell_is_answered_as_casbin_answers_it(shipped: Bundle) -> None:
    """One request out of each cell of three groups gets the same answer and the same rules from Casbin."""
    engine = Engine(shipped.lines, shipped.vocabulary)
    for group, numbers in list(groups(shipped.lines, shipped.vocabulary))[::9]:
        for cell in cells(shipped.lines, numbers, shipped.vocabulary, act=group[0]):
            words = {column: found[-1] for column, found in cell.words.items()}
            named = dict(zip(("act", "ask", "hold", "purpose", "cat"), group, strict=True))
            request = Request(**{column: {**words, **named}[column] for column in REQUEST_COLUMNS})
            verdict = engine.judge(request)
            assert verdict.allowed == allowed(shipped.lines, cell.spoken)
            assert {*verdict.permitting, *verdict.forbidding} == {shipped.lines[number].rid for number in cell.spoken}


def test_the_published_schema_is_closed() -> None:
    """`diff/v1` is published and takes no other member."""
    schema = validator("diff/v1").schema
    Draft202012Validator.check_schema(schema)
    assert isinstance(schema, dict)
    assert schema["additionalProperties"] is False


DOELEN, GRONDEN, CLASSES = "lex/doelen.yaml", "lex/gronden.yaml", "lex/organisaties.yaml"
ROWS = [
    ((DOELEN, "max_jaren: 2", "max_jaren: 1"), "max_years: 2 -> 1", "closes"),
    ((DOELEN, "max_jaren: 2", "max_jaren: null"), "max_years: 2 -> -", "opens"),
    ((DOELEN, "leeftijdsgrens: 23", "leeftijdsgrens: 24"), "age_limit: 23 -> 24", "opens"),
    ((DOELEN, "beoordeling_nodig: true", "beoordeling_nodig: false"), "needs_assessment: True -> False", "opens"),
    ((GRONDEN, "dagen: 90", "dagen: 80"), "after_end.days: 90 -> 80", "opens"),
    ((CLASSES, "acuut: true", "acuut: false"), "acute: True -> False", "closes"),
    ((CLASSES, "beslist_zelf: true", "beslist_zelf: false"), "decides_personally: True -> False", "opens"),
    ((GRONDEN, "akkoord: true", "akkoord: false"), "deferral.approval: True -> False", "opens"),
]


@pytest.mark.parametrize(("change", "said", "direction"), ROWS, ids=[row[1] for row in ROWS])
def test_every_word_of_a_row_is_told_by_itself(
    shipped: Bundle, tmp_path: Path, change: tuple[str, str, str], said: str, direction: str
) -> None:
    """A row that decides something else says which word came or went, and whether that opens or closes."""
    changed = load_bundle(changed_documents(tmp_path, change))
    (told,) = compare(shipped, changed).beyond
    assert (told.name.partition(" ")[2], told.direction) == (said, direction)
    (back,) = compare(changed, shipped).beyond
    assert "opens" in {back.direction, direction}


def test_fewer_who_consent_or_are_informed_opens(shipped: Bundle) -> None:
    """Whoever need not consent or be told any more is a person less who can say no."""
    ground = shipped.grounds["TOEST"]
    rule = replace(ground.ages["12to15"], consent_by=frozenset({"person"}), inform=("person",))
    fewer = {**shipped.grounds, "TOEST": replace(ground, ages={**ground.ages, "12to15": rule})}
    changed = replace(shipped, grounds=fewer)
    assert {(one.name, one.direction) for one in compare(shipped, changed).beyond} == {
        ("TOEST 12to15.consent_by: -guardian", "opens"),
        ("TOEST 12to15.inform: -guardian", "opens"),
    }
    gone = replace(shipped, grounds={**fewer, "TOEST": replace(ground, ages={})})
    assert {one.direction for one in compare(shipped, gone).beyond} == {"opens"}
    put_off = replace(shipped.grounds["UAVG-41"], deferral=None)
    without = replace(shipped, grounds={**shipped.grounds, "UAVG-41": put_off})
    assert [one.name for one in compare(shipped, without).beyond] == ["UAVG-41 deferral: ja -> -"]
