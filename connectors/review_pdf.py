"""The monthly report as a tagged PDF (PDF/UA) with embedded fonts, on the same two pages as its HTML."""

from audit.export.pdf import Document, Section, Table, renderer, set_pdf
from connectors.errors import FolderError
from connectors.review_report import PAGES, Report

_UNDER_TEN = "Aantallen onder de tien staan er niet in, zodat het verslag niets zegt over één gezin of één medewerker."
_NOT_CHECKED = "Deze maand heeft nog niemand vastgelegd dat het logboek is nagekeken."


def check_renderer() -> None:
    """A PDF can be set here. Raises FolderError: it cannot, and what to do."""
    if renderer() is None:
        raise FolderError("pdf", "heeft Typst nodig: pip install 'sluis[pdf]'")


def as_pdf(report: Report, *, made_at: int) -> bytes:
    """Return the report as PDF; `made_at` in unix seconds. Raises RendererError."""
    return set_pdf(document_of(report), made_at=made_at)


def document_of(report: Report) -> Document:
    """Return what the PDF says: the pages of the report, and under the last one who checked the log."""
    pages = [report.page(number) for number in range(len(PAGES))]
    sections = [
        Section(
            heading=title,
            table=Table(columns=("Onderdeel", "Waarde"), widths=(2, 1), rows=[(row.name, row.value) for row in rows]),
            new_page=number > 0,
        )
        for number, (title, rows) in enumerate(pages)
    ]
    checks = Section(heading="Logboek nagekeken", paragraphs=report.checks or (_NOT_CHECKED,))
    return Document(
        title=f"Maandverslag Sluis, {report.month_nl}",
        author=report.organisation,
        reference=f"{report.organisation}, maandverslag {report.month}",
        facts=(("Organisatie", report.organisation), ("Let op", _UNDER_TEN)),
        sections=(*sections, checks),
    )
