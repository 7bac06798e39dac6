"""A PDF of an export or a report is tagged, in Dutch, with every font in it, and the same whenever it is set."""

import io
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
from pypdf import PdfReader

from audit.errors import RendererError
from audit.export.pdf import Document, Section, Table, renderer, set_pdf
from audit.export.pdf_of_records import document_of, to_pdf
from audit.export.verify import verify_export
from tests.unit.audit.export.opened_log import OpenedLog
from tests.unit.audit.log_simulator import NOW

REPORT = Document(
    title="Maandrapport",
    author="Wijkteam West",
    reference="R-1",
    facts=(("Maand", "november 2026"),),
    sections=(
        Section(heading="Aantallen", paragraphs=("Alles onder de 10 staat er niet.",)),
        Section(heading="Vragen", table=Table(columns=("Soort", "Aantal"), widths=(3, 1), rows=[("controle", "12")])),
    ),
)


def read(data: bytes) -> PdfReader:
    """Return a PDF as a reader opens it."""
    return PdfReader(io.BytesIO(data))


def text_of(data: bytes) -> str:
    """Return all text of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in read(data).pages).split())


def fonts(reader: PdfReader) -> Iterator[Any]:
    """Yield the descriptor of every font that any page uses."""
    for page in reader.pages:
        for reference in page["/Resources"]["/Font"].values():  # type: ignore[index]  # a dictionary by the standard
            font = reference.get_object()
            for one in font.get("/DescendantFonts", [font]):
                yield one.get_object()["/FontDescriptor"].get_object()


def tags(node: Any) -> Iterator[str]:  # noqa: ANN401 - pypdf's objects have no narrower type
    """Yield the tag of every element of the structure tree."""
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, dict):
        if "/S" in node:
            yield node["/S"]
        yield from tags(node.get("/K"))
    elif isinstance(node, list):
        for child in node:
            yield from tags(child)


@pytest.mark.parametrize("what", ["records", "report"])
def test_a_pdf_is_tagged_dutch_and_complete(world: OpenedLog, what: str) -> None:
    """PDF/UA: a structure tree, marked, a title shown, the language, table headers, and every font embedded."""
    reader = read(to_pdf(world.content()) if what == "records" else set_pdf(REPORT, made_at=NOW))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "nl"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    found = set(tags(root["/StructTreeRoot"]))
    assert {"/Table", "/TR", "/TH", "/TD", "/H1"} <= found
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    embedded = [any(f"/FontFile{kind}" in one for kind in ("", "2", "3")) for one in fonts(reader)]
    assert embedded
    assert all(embedded)
    assert reader.metadata is not None
    assert reader.metadata.title == document_of(world.content()).title if what == "records" else REPORT.title


def test_a_pdf_of_records_tells_what_they_say(world: OpenedLog) -> None:
    """Who made it, why and of what, each record, and how to check it, in Dutch; confidential, with a reference."""
    told = text_of(to_pdf(world.content()))
    for words in (
        "Uitvoer uit het logboek", "Ali Vos", "maandcontrole", "Vertrouwelijk", "broker.example/log",
        "controle van een gezin", "Noor de Wit", "uitgevoerd, iets getoond", "sluis-audit export verify",
        "bewijst niet dat er verder niets is gebeurd", "2026-11-22T00:00:00Z",
    ):  # fmt: skip
        assert words in told


def test_an_erased_worker_is_told_as_such(world: OpenedLog) -> None:
    """Where who did it was erased, the page says so and leaves no empty place."""
    content = world.content()
    erased = replace(content.records[0], erased=("actor",), worker=None)
    assert "gewist" in text_of(to_pdf(replace(content, records=(erased,))))


def test_the_same_document_gives_the_same_bytes() -> None:
    """A page can be checked by setting it again; another word gives another page."""
    assert set_pdf(REPORT, made_at=NOW) == set_pdf(REPORT, made_at=NOW)
    assert set_pdf(REPORT, made_at=NOW) != set_pdf(replace(REPORT, reference="R-2"), made_at=NOW)


@pytest.mark.parametrize("name", ["#panic()", "*Ali* $x$ `y` @z <a> \\u{1}", "= kop", "Çelik-Şahin é ĳ €"])
def test_data_is_never_markup(name: str) -> None:
    """Whatever a name holds is shown as it is and never carried out."""
    told = text_of(set_pdf(replace(REPORT, facts=(("Naam", name),)), made_at=NOW))
    assert " ".join(name.split()) in told


@pytest.mark.parametrize(("name", "shown"), [("李", "\\u674e"), ("a\u202eb", "a\\u202eb"), ("😀", "\\u1f600")])
def test_what_cannot_be_shown_is_written_out(name: str, shown: str) -> None:
    """A character without a letter in our fonts, or that reorders others, never disappears."""
    assert shown in text_of(set_pdf(replace(REPORT, facts=(("Naam", name),)), made_at=NOW))


def test_a_long_table_repeats_its_header() -> None:
    """On every page of a table its columns are named."""
    table = Table(columns=("Kolom", "B"), widths=(1, 1), rows=[(str(row), "x") for row in range(200)])
    reader = read(set_pdf(replace(REPORT, sections=(Section(heading="Lang", table=table),)), made_at=NOW))
    assert len(reader.pages) > 2
    assert all("Kolom" in page.extract_text() for page in reader.pages)


def test_without_the_program_a_pdf_is_refused(world: OpenedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Typst is not installed, a PDF is refused with the way out, and everything else works."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(RendererError, match="pip install"):
        world.files("pdf")
    assert world.files("csv")


def test_a_document_that_cannot_be_set_is_refused() -> None:
    """PDF/UA asks for a title: a document without one gives an error of ours, and no half page."""
    with pytest.raises(RendererError, match="refused"):
        set_pdf(replace(REPORT, title=""), made_at=NOW)


def test_another_version_leaves_the_page_unchecked(world: OpenedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that another version set is named as unchecked, and the export does not hold until it is checked."""
    files = dict(world.files("pdf"))
    for version in ("typst 0.1", None):
        monkeypatch.setattr("audit.export.verify.renderer", lambda version=version: version)
        report = verify_export(files, world.policy)
        assert (report.holds, report.unchecked, report.problems) == (False, ("records.pdf",), ())
    altered = {**files, "records.pdf": b"%PDF-1.7 nothing"}
    assert verify_export(altered, world.policy).problems
    del altered["records.pdf"]
    assert verify_export(altered, world.policy).problems


def test_which_program_set_the_page_is_stated(world: OpenedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """The manifest names the program and version of a set page, none for other formats, and one must be named."""
    files = world.files("pdf")
    assert json.loads(files["manifest.json"])["setBy"] == renderer()
    assert str(renderer()).startswith("typst ")
    assert json.loads(world.files("csv")["manifest.json"])["setBy"] is None
    unnamed = {**files, "manifest.json": files["manifest.json"].replace(f'"{renderer()}"'.encode(), b"null")}
    assert verify_export(unnamed, world.policy).problems

    def absent(_: str) -> str:
        raise PackageNotFoundError

    monkeypatch.setattr("importlib.metadata.version", absent)
    assert renderer() is None
