"""Documents as tagged PDF (PDF/UA-1) with embedded fonts, set by Typst: the only file that imports it.

Typst comes in one package with its own open fonts (Libertinus, SIL OFL 1.1) and needs no system library. The same
document and moment give the same bytes with the same version, so an export can be checked by setting it again.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

from audit.errors import RendererError
from audit.export.csv_file import visible

_TEMPLATE = Path(__file__).parent / "document.typ"
_BEYOND_OUR_FONTS = re.compile("[^\u0020-\u058f\u2010-\u2044\u20ac]")
CONFIDENTIAL = "Vertrouwelijk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a header row, repeated on every page; `widths` are relative, one per column."""

    columns: Sequence[str]
    widths: Sequence[int]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading, what is said under it, and a table where there is one; `new_page` begins one."""

    heading: str
    paragraphs: Sequence[str] = ()
    table: Table | None = None
    new_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a PDF says, in Dutch: a title, facts about the document itself, and sections.

    `reference` stands at the foot of every page; `facts` are pairs of a name and a value.
    """

    title: str
    author: str
    reference: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    landscape: bool = False
    confidentiality: str = field(default=CONFIDENTIAL)


def renderer() -> str | None:
    """Return what would set a PDF here, with its version, which decides the bytes; None where nothing is installed."""
    try:
        return f"typst {metadata.version('typst')}"
    except metadata.PackageNotFoundError:
        return None


def set_pdf(document: Document, *, made_at: int) -> bytes:
    r"""Return the document as PDF/UA-1.

    Args:
        document: any text; characters that act or cannot be shown stand as `\uXXXX`.
        made_at: unix seconds, the moment the PDF says it was made.

    Raises:
        RendererError: Typst is not installed (`pip install 'sluis[pdf]'`), or refused.

    """
    try:
        import typst  # noqa: PLC0415 - one large package, which only those need who make a PDF
    except ImportError as error:
        raise RendererError("PDF: Typst is not installed (pip install 'sluis[pdf]')") from error
    shown = _visible(asdict(document))
    for data in (shown, _in_our_fonts(shown)):
        try:
            return typst.compile(
                _TEMPLATE.read_bytes(),
                format="pdf",
                sys_inputs={"document": json.dumps(data)},
                pdf_standards=["ua-1"],
                ignore_system_fonts=True,
                timestamp=made_at,
            )
        except typst.TypstError:
            continue  # PDF/UA-1 refuses a character without a glyph: the second round writes those out
    raise RendererError("PDF: Typst refused the document")


def _visible(value: object) -> object:
    match value:
        case str():
            return visible(value)
        case Mapping():
            return {name: _visible(item) for name, item in value.items()}
        case Sequence():
            return [_visible(item) for item in value]
        case _:
            return value


def _in_our_fonts(value: object) -> object:
    match value:
        case str():
            return _BEYOND_OUR_FONTS.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
        case Mapping():
            return {name: _in_our_fonts(item) for name, item in value.items()}
        case list():
            return [_in_our_fonts(item) for item in value]
        case _:
            return value
