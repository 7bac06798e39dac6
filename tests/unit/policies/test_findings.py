"""What stands in the way of signing: dead clauses, wrong marks, untranslated articles, test documents."""

from pathlib import Path

import pytest

from policies import Bundle, load_bundle
from policies.findings import BLOCKING, WRONG, findings
from tests.unit.policies.arnhem import VIRA, changed_documents

UNTRANSLATED = (
    "onvertaalbaar:\n"
    "  - {artikel: art. 9, brontekst: Partijen overleggen zorgvuldig., reden: Zorgvuldig is geen feit., "
    "geaccepteerd_door: %s}\n"
)


def test_nothing_stands_in_the_way_of_the_shipped_documents(shipped: Bundle) -> None:
    """Every shipped clause is load-bearing or marked redundant, and every mark is right."""
    assert findings(shipped) == ()


def test_test_documents_are_found(trial: Bundle) -> None:
    """A test document is no mistake, and no bundle with one is signed."""
    assert [(one.kind, one.where) for one in findings(trial)] == [("test", "proef@1.0.0")]
    assert "test" in BLOCKING - WRONG


@pytest.mark.parametrize(
    ("change", "kind", "clause"),
    [
        ((VIRA, "    vangnet: true\n", ""), "dead", "vira@2026.1.0/gi-nooit-aan-school"),
        ((VIRA, "vragend: [school]\n    houdend", "vragend: [school, gi]\n    houdend"), "dead", None),
        (
            (VIRA, "    reden: holder-never\n    vangnet: true", "    reden: holder-never\n    vangnet: false"),
            "dead",
            "vira@2026.1.0/gi-nooit-aan-school",
        ),
        (
            (VIRA, "houdend: [wijkteam, veilig_thuis, school]", "houdend: [wijkteam, veilig_thuis, school, gi]"),
            "not-redundant",
            "vira@2026.1.0/gi-nooit-aan-school",
        ),
    ],
)
def test_a_clause_that_decides_nothing_is_found(
    tmp_path: Path, change: tuple[str, str, str], kind: str, clause: str | None
) -> None:
    """A clause without effect, or marked as one although something depends on it, is named."""
    found = findings(load_bundle(changed_documents(tmp_path, change)))
    if clause is None:
        assert found == ()
    else:
        assert [(one.kind, one.where) for one in found] == [(kind, clause)]
        assert found[0].document()["kind"] == kind
        assert found[0].kind in WRONG


def test_a_clause_said_twice_is_dead_twice(tmp_path: Path) -> None:
    """Of two clauses that allow the same, neither decides by itself: one has to go, or be marked."""
    folder = changed_documents(tmp_path)
    text = (folder / VIRA).read_text(encoding="utf-8")
    start = text.index("  - id: kijken\n")
    block = text[start : text.index("  - id: kijken-school\n")]
    (folder / VIRA).write_text(text.replace(block, block + block.replace("id: kijken", "id: kijken-nog-eens")), "utf-8")
    found = [(one.kind, one.where.rpartition("/")[2]) for one in findings(load_bundle(folder))]
    assert found == [("dead", "kijken"), ("dead", "kijken-nog-eens")]


@pytest.mark.parametrize(("accepted", "expected"), [("null", ["untranslated"]), ("'P. Officer'", [])])
def test_an_untranslated_article_blocks_until_somebody_accepts_it(
    tmp_path: Path, accepted: str, expected: list[str]
) -> None:
    """What cannot be expressed is written down, never approximated, and a person answers for it."""
    folder = changed_documents(tmp_path, (VIRA, "onvertaalbaar: []\n", UNTRANSLATED % accepted))
    assert [one.kind for one in findings(load_bundle(folder))] == expected
