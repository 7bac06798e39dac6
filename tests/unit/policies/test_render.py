"""A convenant as a page: every clause, its ground and what tests it, and nothing a document says runs."""

from html.parser import HTMLParser
from pathlib import Path

import pytest

from policies import Bundle, load_bundle
from policies.errors import RecordError
from policies.load import SHIPPED
from policies.render import render_fragment, render_page
from policies.tables import read_tables, run_tables
from tests.unit.policies.arnhem import VIRA, changed_documents


class _Outline(HTMLParser):
    """The tags of a page, each closed by its own end."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _outline(page: str) -> _Outline:
    parser = _Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_every_clause_stands_with_ground_and_tests(trial: Bundle) -> None:
    """Each clause of each document has its place, its article, its ground and the rows that test it."""
    decided = run_tables(trial, read_tables(SHIPPED, with_tests=True)).decided
    for convenant in trial.convenants:
        page = render_page(trial, convenant.label, decided)
        assert _outline(page).ids == [clause.rid.rpartition("/")[2] for clause in convenant.clauses]
        for clause in convenant.clauses:
            assert clause.article in page
            assert clause.rid in page
            assert all(ground in page for ground in clause.grounds if ground in trial.grounds)
            assert all(name in page for name in decided[clause.rid])
        assert "Geen voorbeeld in een beslistabel" not in page


def test_a_page_says_in_dutch_who_may_do_what(shipped: Bundle) -> None:
    """The sentence of a clause names asker, act, purpose and how far it goes; a clause without a row says so."""
    page = render_page(shipped, "vira@2026.1.0", {})
    assert page.startswith('<!doctype html>\n<html lang="nl">')
    assert (
        "Een wijkteam, een gecertificeerde instelling of Veilig Thuis mag kijken wie er betrokken is, "
        "voor de verwijsindex. Hoogstens: welke organisatie betrokken is en hoe die te bereiken is." in page
    )
    assert "Een school mag niet zien dat een ander betrokken is" in page
    assert "een eigen actief signaal" in page
    assert "informeer betrokkene (achteraf, binnen 28 dagen)" in page
    assert "<strong>Voorbeeld.</strong>" in page
    assert page.count("Geen voorbeeld in een beslistabel") == 8


def test_a_fragment_is_the_page_without_its_frame(shipped: Bundle) -> None:
    """What a workplace shows inside its own page is one article, with no script, style or head."""
    fragment = render_fragment(shipped, "lex@2026.1.0", {})
    assert fragment.strip() in render_page(shipped, "lex@2026.1.0", {})
    assert not {"html", "head", "style", "script"} & set(_outline(fragment).seen)


def test_nothing_a_document_says_is_markup(tmp_path: Path) -> None:
    """Markup in a document is shown as text."""
    script = "<script>alert(1)</script>"
    folder = changed_documents(tmp_path, (VIRA, "naam: Wijkteam Arnhem", f"naam: '{script}'"))
    page = render_page(load_bundle(folder), "vira@2026.1.0", {})
    assert script not in page
    assert "&lt;script&gt;" in page


def test_untranslated_articles_and_unknown_fields_are_shown(tmp_path: Path) -> None:
    """What is not in rules is on the page too, with who accepted that."""
    row = "{artikel: art. 9, brontekst: Zorgvuldig., reden: Geen feit., geaccepteerd_door: %s}"
    for accepted, shown in (("null", "Nog door niemand aanvaard"), ("'P. Officer'", "Aanvaard door P. Officer")):
        folder = changed_documents(
            tmp_path / shown, (VIRA, "onvertaalbaar: []\n", f"onvertaalbaar:\n  - {row % accepted}\n")
        )
        assert shown in render_page(load_bundle(folder), "vira@2026.1.0", {})


def test_an_unknown_document_is_told(shipped: Bundle) -> None:
    """Another id or another version is no document of this bundle."""
    for label in ("vira@2025.1.0", "vira", "weg@2026.1.0"):
        with pytest.raises(RecordError):
            render_page(shipped, label, {})
