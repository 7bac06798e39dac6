"""The monthly report as PDF says what its HTML says, on two pages, tagged and in Dutch."""

import io
from typing import Any

import pytest
from pypdf import PdfReader

from broker.protocol.review_messages import FigureShown, NoteShown
from connectors import review_pdf
from connectors.errors import FolderError
from connectors.review_pdf import as_pdf, check_renderer
from connectors.review_report import FIGURES_NL, Report, monthly_report

FIGURES = [FigureShown(id=name, count=12, of=None, state="shown") for name in FIGURES_NL]
CHECK = NoteShown(
    index=9, at=1_795_305_600, by="k5uq", kind="log_check", about="", body={"size": 9, "root": "0" * 64, "holds": True}
)


def report(*checks: NoteShown) -> Report:
    """Return the report of a month."""
    return monthly_report(
        organisation="Wijkteam West", month="2026-11", figures=FIGURES, checks=checks, names={"k5uq": "Noor de Wit"}
    )


def test_the_report_is_two_tagged_pages_in_dutch() -> None:
    """Every figure and who checked the log, with a title, a language, tags and embedded fonts."""
    reader = PdfReader(io.BytesIO(as_pdf(report(CHECK), made_at=1_795_305_600)))
    root: Any = reader.trailer["/Root"]
    assert len(reader.pages) == 2
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"], "/StructTreeRoot" in root) == ("nl", True, True)
    told = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    for words in (
        *FIGURES_NL.values(),
        "Maandverslag Sluis, november 2026",
        "Noor de Wit",
        "het klopte",
        "Wijkteam West",
    ):
        assert " ".join(words.split()) in told
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]  # a dictionary by the standard
            for one in font.get_object()["/DescendantFonts"]:
                descriptor = one.get_object()["/FontDescriptor"].get_object()
                assert any(name in descriptor for name in ("/FontFile2", "/FontFile3"))


def test_a_month_in_which_nobody_checked_the_log_says_so() -> None:
    """An empty place would read as if there was nothing to check."""
    reader = PdfReader(io.BytesIO(as_pdf(report(), made_at=0)))
    assert "nog niemand" in " ".join(page.extract_text() for page in reader.pages)


def test_without_the_program_it_is_said_before_anything_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is named, and no report is read in vain."""
    check_renderer()
    monkeypatch.setattr(review_pdf, "renderer", lambda: None)
    with pytest.raises(FolderError, match="sluis\\[pdf\\]"):
        check_renderer()
